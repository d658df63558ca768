/**
 * Files of the gateway that are no server's business: its state, its record, its keys, and what says which servers and definitions
 * are approved and whose word counts for that. Who could write one of the latter could approve itself.
 */
import { storePath } from '../storage/schema.ts'
import type { Config } from './schema.ts'

type Writer = Pick<Config, 'audit' | 'store' | 'supply'> & { readonly vault: { readonly keyFile?: string | undefined } }
type Holder = Writer & Pick<Config, 'tls' | 'servers' | 'pins'>

/** What a gateway writes, wherever that is: a server may have its folder around it. The lock and its copies only where there is one. */
export function writtenFiles({ vault, audit, store, supply }: Writer, lock = supply.lock, copies = supply.store): string[] {
  const locked = lock === undefined ? [] : [lock, copies]
  return [...locked, vault.keyFile, storePath(store), audit.path, audit.anchor].flatMap((file) => file ?? [])
}

export function ownFiles(config: Holder): string[] {
  const { audit, tls, servers, supply, pins } = config
  const keys = [
    tls,
    ...audit.sinks.map((sink) => sink.tls),
    ...Object.values(servers).map((one) => (one.kind === 'http' ? one.tls : undefined)),
  ].flatMap((one) => one?.key ?? [])
  const manifests = Object.values(pins.manifests).flatMap((one) => [one.file, ...one.keys])
  const trusted = [...supply.keys, ...supply.attestationKeys, ...manifests]
  return [...new Set([...writtenFiles(config), ...keys, ...trusted])]
}
