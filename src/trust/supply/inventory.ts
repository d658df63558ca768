/**
 * The inventory: everything that is known to take part, from the configuration, from what operators declare, from clients and
 * lock files, each once, with who uses it and why it cannot be pinned down where it cannot.
 */
import { startedBy } from './inventory-command.ts'
import { type Component, refOf, type Sighting } from './inventory-component.ts'
import { lockedComponents } from './inventory-lock.ts'
import type { DeclaredComponent } from './inventory-schema.ts'
import { type ReachedFor, undeclaredComponents } from './inventory-traffic.ts'
import type { ServerLock } from './lock.ts'

/** How a server is reached: what a configuration says of one, ours or a client's. */
export type Reached =
  | { readonly kind: 'stdio'; readonly command: readonly string[] }
  | { readonly kind: 'http'; readonly url: string }

export interface Sources {
  /** Of our own configuration, by id. */
  readonly servers: Readonly<Record<string, Reached>>
  readonly identityProviders?: readonly { readonly name: string; readonly url: string }[]
  /** What else the gateway itself calls: a key vault. */
  readonly services?: readonly { readonly name: string; readonly url: string }[]
  readonly declared?: readonly DeclaredComponent[]
  /** Servers that clients on this machine start or call by themselves. */
  readonly clients?: readonly { readonly client: string; readonly name: string; readonly reached: Reached }[]
  /** What lock files say. */
  readonly packages?: readonly Component[]
  /** Entries of `sekisho.lock`, by server; those that are in step with how the server is reached now. */
  readonly locked?: Readonly<Record<string, ServerLock>>
  /** Hosts that servers reached for, as the log has them. */
  readonly reached?: readonly ReachedFor[]
}

/** In a fixed order, whatever the order of the sources. */
export function takeInventory(sources: Sources): readonly Component[] {
  const all = [
    ...Object.entries(sources.servers).flatMap(([id, reached]) => serverComponents(id, reached, sources.locked?.[id])),
    ...clientComponents(sources),
    ...(sources.identityProviders ?? []).map((one) => serviceOf('identity-provider', one)),
    ...(sources.services ?? []).map((one) => serviceOf('api', one)),
    ...(sources.declared ?? []).map(declaredOf),
    ...(sources.packages ?? []),
  ]
  const once = new Map<string, Component>()
  for (const component of all.map((one) => linked(one, sources.packages ?? []))) {
    const ref = refOf(component)
    const before = once.get(ref)
    once.set(ref, before === undefined ? component : merged(before, component))
  }
  const declared = closed(once)
  return [...declared, ...undeclaredComponents(declared, sources.reached ?? [])].sort((a, b) => compare(refOf(a), refOf(b)))
}

/** What the lock knows goes before what a command leaves open. */
function serverComponents(id: string, reached: Reached, lock: ServerLock | undefined): readonly Component[] {
  if (lock === undefined) return componentsOf(id, reached, 'configuration', [id])
  return lockedComponents(id, lock).map((one) =>
    one.name === id && one.kind === 'server' ? withSeen(one, 'configuration') : one,
  )
}

const withSeen = (one: Component, seen: Sighting): Component => ({ ...one, seen: [seen, ...one.seen] })

/** Two clients may call different servers by one name, and one that the gateway has: these are told apart by the client. */
function clientComponents({ servers, clients = [] }: Sources): readonly Component[] {
  const named = new Map(Object.entries(servers).map(([id, reached]) => [id, JSON.stringify(reached)]))
  return clients.flatMap(({ client, name, reached }) => {
    const how = JSON.stringify(reached)
    const names = [
      name,
      `${name} (${client})`,
      ...Array.from({ length: clients.length }, (_, at) => `${name} (${client} ${at + 2})`),
    ]
    const free = names.find((one) => (named.get(one) ?? how) === how) as string
    named.set(free, how)
    return componentsOf(free, reached, 'client', []).map((one) => ({ ...one, clients: [client] }))
  })
}

/** A program of a folder of packages is of the package that installed it, as far as a lock file tells. */
function linked(server: Component, packages: readonly Component[]): Component {
  const path = server.kind === 'server' ? server.file?.replaceAll('\\', '/') : undefined
  const [, program] = /node_modules\/\.bin\/([^/]+?)(?:\.cmd|\.ps1)?$/.exec(path ?? '') ?? []
  const [, folder] = /node_modules\/((?:@[^/]+\/)?[^/.][^/]*)\/(?!.*node_modules\/)/.exec(path ?? '') ?? []
  if (program === undefined && folder === undefined) return server
  const owner = packages.find(({ name, programs }) => (program === undefined ? name === folder : programs?.includes(program)))
  if (owner === undefined) return server
  return { ...server, version: owner.version, dependsOn: [refOf(owner)], gaps: owner.gaps }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function componentsOf(id: string, reached: Reached, seen: Sighting, usedBy: readonly string[]): readonly Component[] {
  const common = { seen: [seen], usedBy, dependsOn: [] }
  if (reached.kind === 'http') {
    if (!URL.canParse(reached.url)) return [{ kind: 'server', name: id, ...common, gaps: ['its URL is filled in by the client'] }]
    const { origin, pathname } = new URL(reached.url)
    const gaps = ['a service: what runs there may change at any time', ...(origin.startsWith('http:') ? ['no TLS'] : [])]
    return [{ kind: 'server', name: id, url: origin + pathname, ...common, gaps }]
  }
  const started = startedBy(reached.command)
  if (started === undefined) return []
  if (started.kind === 'server') return [{ ...started, ...common, name: id }]
  const part: Component = { ...started, ...common }
  return [{ kind: 'server', name: id, version: started.version, ...common, dependsOn: [refOf(part)], gaps: started.gaps }, part]
}

const serviceOf = (
  kind: 'identity-provider' | 'api',
  { name, url }: { readonly name: string; readonly url: string },
): Component => ({
  kind,
  name,
  url,
  seen: ['configuration'],
  usedBy: [],
  dependsOn: [],
  gaps: [],
})

/** A declared component without a version, hash or commit is one that may change unseen; of a service no more can be known. */
function declaredOf(declared: DeclaredComponent): Component {
  const isPinned = [declared.version, declared.hash, declared.commit, declared.purl?.includes('@')].some(Boolean)
  const isService =
    /^(api|identity-provider|embedding-service|context-provider)$/.test(declared.kind) || declared.url !== undefined
  const gaps = isPinned ? [] : [isService ? 'a service: what runs there may change at any time' : 'no version, hash or commit']
  return { ...declared, seen: ['declared'], dependsOn: [], gaps }
}

/** What the operator declared goes before what was seen; the gaps of both count unless one of them has closed them. */
function merged(one: Component, two: Component): Component {
  const [first, second] = two.seen.includes('declared') ? [two, one] : [one, two]
  const known = Object.fromEntries(Object.entries(first).filter(([, value]) => value !== undefined))
  const union = <Value>(a: readonly Value[], b: readonly Value[]): readonly Value[] => [...new Set([...a, ...b])]
  const isPinned = first.gaps.length === 0 || second.gaps.length === 0
  return {
    ...second,
    ...(known as unknown as Component),
    seen: union(one.seen, two.seen),
    usedBy: union(one.usedBy, two.usedBy),
    ...((one.clients ?? two.clients) && { clients: union(one.clients ?? [], two.clients ?? []) }),
    dependsOn: union(one.dependsOn, two.dependsOn),
    gaps: isPinned ? [] : union(one.gaps, two.gaps),
  }
}

/** A server uses what it depends on, however far away; a dependency that is in no source is left out. */
function closed(components: ReadonlyMap<string, Component>): Component[] {
  const users = new Map<string, Set<string>>([...components].map(([ref, { usedBy }]) => [ref, new Set(usedBy)]))
  for (const [ref, { kind, usedBy }] of components) {
    if (kind !== 'server') continue
    const waiting = [ref]
    const seen = new Set(waiting)
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      for (const needed of components.get(next)?.dependsOn ?? []) {
        if (seen.has(needed)) continue
        seen.add(needed)
        waiting.push(needed)
        for (const user of usedBy) users.get(needed)?.add(user)
      }
  }
  return [...components].map(([ref, component]) => ({
    ...component,
    usedBy: [...(users.get(ref) ?? [])].sort(),
    dependsOn: component.dependsOn.filter((needed) => components.has(needed)),
  }))
}
