/**
 * The credential broker: with whose key a call leaves (TPT-C3). Each server has credentials of its own, each user of a server
 * has one of their own where the kind is personal, and nothing that a client sent is among them.
 */
import { type Principal, plainPrincipal } from '../../pipeline/parcel.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { Authorizations } from './authorization.ts'
import type { Challenge } from './challenge.ts'
import { type BrokerPorts, bearer, type Credential, type Shown, type TokenStore, type WayOut } from './credential.ts'
import { TokenRefused } from './failure.ts'
import { Keeper } from './keeper.ts'
import { type Errand, obtainer, type Tokenless } from './obtain.ts'
import { type CredentialConfig, isPersonal, type StaticCredential } from './schema.ts'
import { UserCredential } from './user-oauth.ts'

/** The credentials of one server. */
export type Bound = (principal: Principal) => Credential

const holdersMax = 10_000

export type BrokerOptions = Omit<BrokerPorts, 'fetch'> & { readonly wayOut: WayOut }

/** The server that a credential is for. `ca`: PEM. */
export interface Upstream {
  readonly server: string
  readonly url: string
  readonly ca?: string | undefined
}

export class Broker {
  readonly #options: BrokerOptions
  readonly #authorizations: Authorizations
  readonly #bound = new Map<string, Bound>()

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#authorizations = new Authorizations(options.clock)
  }

  /** What calls to a server are sent with, in place of what was bound to it before; undefined where they are sent bare. */
  bind({ server, url, ca }: Upstream, config: CredentialConfig): Bound | undefined {
    this.#bound.delete(server)
    if (config.kind === 'none') return undefined
    const ports = { ...this.#options, fetch: this.#options.wayOut({ trustedOrigins: originsOf(url, config), ca }) }
    const bound = isPersonal(config) ? this.#forEach(server, url, config, ports) : forAll(server, url, config, ports)
    this.#bound.set(server, bound)
    return bound
  }

  /** The URL at which `principal` consents to our use of `server`. Throws a Refusal. */
  async begin(server: string, principal: Principal): Promise<string> {
    return this.#user(server, principal).begin()
  }

  /** Takes what the browser of `principal` came back with, and answers with the server that is connected now. Throws a Refusal. */
  async complete(answer: URLSearchParams, principal: Principal): Promise<string> {
    const answered = this.#authorizations.complete(answer, principal)
    await this.#user(answered.server, principal).complete(answered)
    return answered.server
  }

  #user(server: string, principal: Principal): UserCredential {
    const credential = this.#bound.get(server)?.(principal)
    if (!(credential instanceof UserCredential))
      throw new Refusal('CONNECT_REFUSED', { detail: `"${server}" is no server that users connect to` })
    return credential
  }

  /** Whoever was not seen for long makes room; what they had is asked for again, or read from the store. */
  #forEach(server: string, url: string, config: CredentialConfig, ports: BrokerPorts): Bound {
    const holders = new Map<string, Credential>()
    return (principal) => {
      // What a user consents to is the user's; what is exchanged is of the client that came with it, too.
      const holder = config.kind === 'oauth' ? principal.id : principal.holder
      const present = holders.get(holder)
      holders.delete(holder)
      const credential = present ?? this.#personal({ server, url, principal, ports }, config)
      holders.set(holder, credential)
      const [oldest] = holders.keys()
      if (holders.size > holdersMax && oldest !== undefined) holders.delete(oldest)
      return credential
    }
  }

  #personal(errand: Errand, config: CredentialConfig): Credential {
    if (config.kind !== 'oauth') return asked(errand, config as Tokenless)
    const { server, ports } = errand
    const { store, consent } = ports
    if (store === undefined || consent === undefined) return nowhere(server)
    return new UserCredential({
      ...errand,
      config,
      ports: { ...ports, store: kept(store), consent },
      authorizations: this.#authorizations,
    })
  }
}

/** A store that fails is a credential that cannot be had; why, the operator reads. */
function kept(store: TokenStore): TokenStore {
  const told = (error: unknown): never => {
    const detail = error instanceof Error ? error.message : undefined
    throw new TokenRefused('store', 'the tokens of users cannot be reached', { isPassing: true, detail })
  }
  return {
    get: (key) => store.get(key).catch(told),
    put: (key, value) => store.put(key, value).catch(told),
    delete: (key) => store.delete(key).catch(told),
  }
}

/** What the operator named for this server, and nothing that another server's operator named for theirs. */
function originsOf(url: string, config: CredentialConfig): readonly string[] {
  const named: Partial<Record<'issuer' | 'tokenUrl' | 'authority', string | undefined>>[] = [
    config as object,
    config.kind === 'id-jag' ? config.idp : {},
  ]
  const urls = named.flatMap(({ issuer, tokenUrl, authority }) => [issuer, tokenUrl, authority])
  return [...new Set([url, ...urls].flatMap((one) => (one === undefined ? [] : [new URL(one).origin])))]
}

function forAll(server: string, url: string, config: CredentialConfig, ports: BrokerPorts): Bound {
  const principal = plainPrincipal('anonymous', 'everyone')
  const credential = config.kind === 'static' ? fixed(config) : asked({ server, url, principal, ports }, config as Tokenless)
  return () => credential
}

/** A token that is asked for without anybody's help. */
function asked(errand: Errand, config: Tokenless): Credential {
  const { server, ports } = errand
  const keeper = new Keeper({
    server,
    clock: ports.clock,
    random: () => ports.random(),
    obtain: obtainer(config, errand),
    log: (line) => ports.log(server, line),
  })
  const isScoped = 'scope' in config && config.scope !== undefined
  return {
    show() {
      const tokens = keeper.get()
      return tokens instanceof Promise ? tokens.then(({ accessToken }) => bearer(accessToken)) : bearer(tokens.accessToken)
    },
    // What the operator has configured is not widened because a server asks for more.
    renew: async (shown, challenge) => !(challenge.status === 403 && isScoped) && keeper.replace(shownToken(shown), challenge),
  }
}

const shownToken = ({ headers }: Shown): string => headers['authorization']?.slice('Bearer '.length) ?? ''

function fixed({ secret, header }: StaticCredential): Credential {
  const shown: Shown = header === undefined ? bearer(secret.reveal()) : { headers: { [header.toLowerCase()]: secret.reveal() } }
  return { show: () => shown, renew: async (_: Shown, __: Challenge) => false }
}

/** Where nothing can be kept or nobody can be met, users cannot connect. */
function nowhere(server: string): Credential {
  const refuse = (): never => {
    throw new Refusal('CREDENTIAL_UNAVAILABLE', { detail: server, cause: 'users cannot connect here', retryAfterS: 3600 })
  }
  return { show: refuse, renew: async () => refuse() }
}
