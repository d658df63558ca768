import type { Component } from './inventory-component.ts'

/** What no format of bills of materials has a member for, as names and values in a fixed order. */
export function factsOf(one: Component): readonly (readonly [name: string, value: string])[] {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['kind', one.kind],
    ['commit', one.commit],
    ['file', one.file],
    ['tlsKey', one.tlsKey],
    ['dataRegion', one.dataRegion],
    ['manifest', one.manifest],
    ['installScripts', one.installScripts === true ? 'true' : undefined],
    ...one.seen.map((seen) => ['seen', seen] as const),
    ...one.usedBy.map((server) => ['usedBy', server] as const),
    ...(one.clients ?? []).map((client) => ['client', client] as const),
    ...one.gaps.map((gap) => ['gap', gap] as const),
    ...(one.attestations ?? []).map(
      ({ by, owner, statement, expires }) => ['attestation', JSON.stringify({ by, owner, statement, expires })] as const,
    ),
  ]
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[`sekisho:${name}`, value] as const]))
}
