/** Every value of the configuration that is a path, made absolute: relative ones are relative to the document's folder. */
import { dirname, join, resolve } from 'node:path'
import type { CredentialConfig, MachineCredential } from '../outbound/credentials/schema.ts'
import type { SandboxConfig } from '../outbound/sandbox/schema.ts'
import type { ServerConfig } from '../outbound/schema.ts'
import { storePath, storeUrl } from '../storage/schema.ts'
import type { Config, Draft } from './schema.ts'
import type { VaultDraft } from './vault-secrets.ts'

export function withPaths(draft: Draft, folder: string): Omit<Config, 'proxy' | 'vault'> & { readonly vault: VaultDraft } {
  const database = storePath(draft.store)
  const beside = database === undefined ? 'data' : dirname(database)
  const { tls, supply, ...rest } = draft
  return {
    ...rest,
    ...(tls && { tls: absolute(tls, ['cert', 'key', 'clientCa'], folder) }),
    store: database === undefined ? draft.store : storeUrl(resolve(folder, database)),
    vault: {
      keyFile: resolve(folder, draft.vault.keyFile ?? join(beside, 'sekisho.key')),
      keyProvider: providerWithPaths(draft.vault.keyProvider, folder),
      previousKeyProviders: draft.vault.previousKeyProviders.map((provider) => providerWithPaths(provider, folder)),
    },
    identity: identityWithPaths(draft.identity, folder),
    servers: mapped(draft.servers, (server) => serverWithPaths(server, folder)),
    supply: {
      ...absolute(supply, ['lock', 'store'], folder),
      keys: supply.keys.map((key) => resolve(folder, key)),
      attestationKeys: draft.supply.attestationKeys.map((file) => resolve(folder, file)),
      advisories: draft.supply.advisories && absolute(draft.supply.advisories, ['path'], folder),
    },
    components: draft.components.map((component) => ({
      ...absolute(component, ['file'], folder),
      attestations: component.attestations.map((one) => absolute(one, ['signature'], folder)),
    })),
    pins: {
      ...draft.pins,
      manifests: mapped(draft.pins.manifests, (one) => ({
        ...absolute(one, ['file'], folder),
        keys: one.keys.map((key) => resolve(folder, key)),
      })),
    },
    audit: {
      ...absolute(draft.audit, ['path', 'anchor'], folder),
      sinks: draft.audit.sinks.map((sink) =>
        sink.tls ? { ...sink, tls: absolute(sink.tls, ['ca', 'cert', 'key'], folder) } : sink,
      ),
    },
  }
}

function identityWithPaths(identity: Draft['identity'], folder: string): Draft['identity'] {
  if (!('provider' in identity)) return identity
  const provider = absolute(identity.provider, ['ca'], folder)
  if (!('registration' in identity)) return { ...identity, provider }
  return { ...identity, provider, registration: absolute(identity.registration, ['ca'], folder) }
}

function serverWithPaths(server: ServerConfig, folder: string): ServerConfig {
  if (server.kind === 'http')
    return {
      ...server,
      tls: absolute(server.tls, ['ca', 'cert', 'key'], folder),
      credential: credentialWithPaths(server.credential, folder),
    }
  const [program, ...rest] = server.command
  return {
    ...server,
    command: [/[\\/]/.test(program) ? resolve(folder, program) : program, ...rest],
    cwd: resolve(folder, server.cwd),
    sandbox: server.sandbox === 'off' ? 'off' : sandboxWithPaths(server.sandbox, folder),
  }
}

const sandboxWithPaths = (sandbox: SandboxConfig, folder: string): SandboxConfig => ({
  ...sandbox,
  read: sandbox.read.map((path) => resolve(folder, path)),
  write: sandbox.write.map((path) => resolve(folder, path)),
})

function credentialWithPaths(credential: CredentialConfig, folder: string): CredentialConfig {
  const whole = absolute<{ tokenFile?: string | undefined } & CredentialConfig>(credential, ['tokenFile'], folder)
  return whole.kind === 'id-jag' ? { ...whole, idp: absolute(whole.idp, ['tokenFile'], folder) } : whole
}

function providerWithPaths(provider: VaultDraft['keyProvider'], folder: string): VaultDraft['keyProvider'] {
  if (provider.kind !== 'key-vault' || provider.credential === undefined) return provider
  const credential = absolute<{ tokenFile?: string | undefined } & MachineCredential>(provider.credential, ['tokenFile'], folder)
  return { ...provider, credential }
}

/** `holder` with the paths under `keys` made absolute, those of them that it has. */
function absolute<Holder extends object>(holder: Holder, keys: readonly (keyof Holder)[], folder: string): Holder {
  const changed = { ...holder }
  for (const key of keys) {
    const path: unknown = holder[key]
    if (typeof path === 'string') Object.assign(changed, { [key]: resolve(folder, path) })
  }
  return changed
}

/** The record with every value changed; without a prototype, as it came. */
export function mapped<Value>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value, key: string) => Value,
): Readonly<Record<string, Value>> {
  const result: Record<string, Value> = Object.create(null)
  for (const [key, value] of Object.entries(record)) result[key] = change(value, key)
  return result
}
