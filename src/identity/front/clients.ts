/**
 * Which programs may ask people for access: those the operator names, those whose description is found at an https address
 * (client id metadata documents), and those that register themselves (RFC 7591), as far as the operator lets them.
 */
import type { ClientMetadata, Configuration } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { RegistrationConfig } from '../schema.ts'
import { redirectFault } from './redirect-uris.ts'

const redirectUrisMax = 20
const textCharsMax = 512

export const knownClients = ({ clients }: RegistrationConfig): ClientMetadata[] =>
  clients.map(({ id, name, redirectUris, secret }) => ({
    client_id: id,
    client_name: name,
    redirect_uris: [...redirectUris],
    ...(secret === undefined
      ? { token_endpoint_auth_method: 'none' as const }
      : { client_secret: secret.reveal(), token_endpoint_auth_method: 'client_secret_basic' as const }),
  }))

/** Whether a description may be fetched from there at all. */
export function isDocumentAllowed(clientId: string, { metadataDocuments }: RegistrationConfig): boolean {
  if (typeof metadataDocuments === 'string') return metadataDocuments === 'any'
  const { host, hostname } = new URL(clientId)
  return metadataDocuments.some((one) => (one.startsWith('*.') ? hostname.endsWith(one.slice(1)) : one === host))
}

/** Asked about every client, wherever its description came from. */
export function clientMetadata({ redirectSchemes }: RegistrationConfig): Configuration['extraClientMetadata'] {
  return {
    properties: ['software_id', 'software_version'],
    validator(_ctx, key, _value, metadata) {
      if (key !== 'software_id') return
      // A list of its own would bind a client to what it knew of at first. What it may have is asked of the person each time,
      // and a server need not take over what a client registers (RFC 7591, 3.2.1).
      delete metadata.scope
      const { redirect_uris: uris = [], client_name: name } = metadata
      if (uris.length === 0 || uris.length > redirectUrisMax)
        throw new errors.InvalidRedirectUri(`redirect_uris must have 1 to ${redirectUrisMax} entries`)
      for (const uri of uris as readonly unknown[]) {
        const fault = typeof uri === 'string' ? redirectFault(uri, redirectSchemes) : 'form'
        if (fault !== undefined)
          throw new errors.InvalidRedirectUri(`redirect_uris must be https, or http on a loopback address (${fault})`)
      }
      if (typeof name === 'string' && name.length > textCharsMax)
        throw new errors.InvalidClientMetadata('client_name is too long')
      if (metadata.response_types?.some((type) => type !== 'code'))
        throw new errors.InvalidClientMetadata('response_types must be ["code"]')
    },
  }
}

const hourMs = 3_600_000

/** How many programs may register themselves within an hour; strangers do it, so it is counted for all of them together. */
export class RegistrationRate {
  readonly #perHour: number
  readonly #at: number[] = []
  constructor(perHour: number) {
    this.#perHour = perHour
  }

  /** Seconds until there is room for one more, or 0. Takes nothing: who may not register must not use up the room of others. */
  waitS(now: number): number {
    while (this.#at.length > 0 && now - (this.#at[0] as number) >= hourMs) this.#at.shift()
    return this.#at.length < this.#perHour ? 0 : Math.ceil((hourMs - (now - (this.#at[0] as number))) / 1000)
  }

  /** One is about to be kept. False where others were quicker. */
  take(now: number): boolean {
    if (this.waitS(now) > 0) return false
    this.#at.push(now)
    return true
  }
}
