/** Files of the gateway that are no server's business: its state, its record, its keys. */
import { storePath } from '../storage/schema.ts'
import type { Config } from './schema.ts'

type Holder = Pick<Config, 'audit' | 'store' | 'tls' | 'servers'> & { readonly vault: { readonly keyFile?: string | undefined } }

export function ownFiles({ vault, audit, store, tls, servers }: Holder): string[] {
  const keys = [
    tls,
    ...audit.sinks.map((sink) => sink.tls),
    ...Object.values(servers).map((one) => one.kind === 'http' && one.tls),
  ]
  const files = [vault.keyFile, storePath(store), audit.path, audit.anchor, ...keys.map((one) => (one ? one.key : undefined))]
  return files.flatMap((file) => file ?? [])
}
