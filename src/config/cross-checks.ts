/** What no room can see alone: whether the parts of a configuration fit together. One check, one function, one list. */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { glob } from '../lib/glob.ts'
import { isLoopback } from '../lib/loopback.ts'
import { secretsIn } from '../outbound/credentials/secrets.ts'
import { builtInMethodNames, builtInMethods } from '../protocol/methods.ts'
import { storePath } from '../storage/schema.ts'
import { suggest } from './nearest.ts'
import type { Complaint, Path } from './problem.ts'
import type { Draft } from './schema.ts'
import { isBrokenReference, isReference, isStrayReference, looksLikeSecret, looksLikeToken } from './secrets.ts'

export type Check = (draft: Draft) => Complaint[]

const anonymousIsLocal: Check = ({ identity, listen }) =>
  identity.mode !== 'anonymous' || isLoopback(listen.host)
    ? []
    : [
        {
          path: ['identity', 'mode'],
          message: `"anonymous" lets everyone in who reaches ${listen.host}, so start is refused`,
          fix: 'listen on 127.0.0.1, or use mode: api-keys',
        },
      ]

const plainHttpIsLocal: Check = ({ listen, tls, trustedProxies }) =>
  tls !== undefined || isLoopback(listen.host) || trustedProxies.length > 0
    ? []
    : [
        {
          path: ['listen'],
          message: 'is plain HTTP that others can reach, so start is refused',
          fix: 'give "tls", listen on 127.0.0.1, or name the proxy that ends TLS in "trustedProxies"',
        },
      ]

const publicUrlIsSafe: Check = ({ publicUrl }) =>
  publicUrl === undefined || isSafe(publicUrl)
    ? []
    : [
        {
          path: ['publicUrl'],
          message: 'must be https',
          fix: `write ${publicUrl.replace(/^http:/, 'https:')}; only this machine may be reached by http`,
        },
      ]

const addressIsKnown: Check = ({ identity, listen, publicUrl }) =>
  publicUrl !== undefined || isLoopback(listen.host) || !('provider' in identity)
    ? []
    : [
        {
          path: ['publicUrl'],
          message: `is missing: tokens are issued for the URL that clients know, and others reach ${listen.host} by another name`,
          fix: 'write it, for example publicUrl: https://mcp.example.com',
        },
      ]

const adminIsLocal: Check = ({ admin }) =>
  isLoopback(admin.listen.host)
    ? []
    : [
        {
          path: ['admin', 'listen'],
          message: 'has no authentication yet, so it may only listen on this machine',
          fix: 'listen on 127.0.0.1, and let a collector on this machine fetch the metrics',
        },
      ]

const listenersDiffer: Check = ({ listen, admin }) =>
  listen.port !== 0 && listen.port === admin.listen.port
    ? [{ path: ['admin', 'listen'], message: 'has the port of "listen"', fix: 'give each listener a port of its own' }]
    : []

const filesDiffer: Check = ({ store, audit, vault }) => {
  const taken = new Map<string, string>()
  const files = [
    ['store', ['store'], storePath(store)],
    ['audit.path', ['audit', 'path'], audit.path],
    ['audit.anchor', ['audit', 'anchor'], audit.anchor],
    ['vault.keyFile', ['vault', 'keyFile'], vault.keyFile],
  ] as const
  return files.flatMap(([name, path, file]): Complaint[] => {
    if (file === undefined) return []
    const whole = resolve(file)
    const other = taken.get(whole)
    taken.set(whole, name)
    return other === undefined ? [] : [{ path, message: `is the file of "${other}" too`, fix: 'give it a file of its own' }]
  })
}

const upstreamsAreSafe: Check = ({ servers }) =>
  Object.entries(servers).flatMap(([id, server]) =>
    server.kind === 'stdio' || isSafe(server.url)
      ? []
      : [{ path: ['servers', id, 'url'], message: 'must be https', fix: 'only a server on this machine may be reached by http' }],
  )

const isSafe = (url: string): boolean => url.startsWith('https:') || isLoopback(new URL(url).hostname)

const literalSecret = 'looks like a secret written out'

/** Where no reference is followed there can be no secret: an argument can be read by every user of the machine. */
function noSecret(path: Path, value: string, fix: string): Complaint[] {
  if (looksLikeToken(value)) return [{ path, message: literalSecret, fix }]
  return isStrayReference(value) ? [{ path, message: 'has a reference, which is followed in "env" only', fix }] : []
}

const secretsAreReferences: Check = ({ servers }) =>
  Object.entries(servers).flatMap(([id, server]): Complaint[] => {
    if (server.kind === 'http')
      return noSecret(['servers', id, 'url'], server.url, 'put it under "credential": a secret in a URL is not supported')
    const args = server.command.flatMap((argument, at) =>
      noSecret(
        ['servers', id, 'command', at],
        argument,
        'put it in "env", as env:NAME or file:PATH, if the server can read it there',
      ),
    )
    const variables = Object.entries(server.env).flatMap(([name, value]): Complaint[] => {
      const path = ['servers', id, 'env', name]
      if (typeof value !== 'string') return []
      if (isBrokenReference(value))
        return [{ path, message: 'is not a reference that can be followed', fix: 'write env:NAME or file:PATH' }]
      const isLiteral = looksLikeToken(value) || (!isReference(value) && looksLikeSecret(name, value))
      return isLiteral ? [{ path, message: literalSecret, fix: 'keep it elsewhere and refer to it: env:NAME or file:PATH' }] : []
    })
    return [...args, ...variables]
  })

const rolesExist: Check = ({ bindings, roles }) =>
  bindings.flatMap(({ role }, at) =>
    role in roles
      ? []
      : [
          {
            path: ['bindings', at, 'role'],
            message: `names the role "${role}", which does not exist`,
            fix: suggest(role, Object.keys(roles)),
          },
        ],
  )

const keyIdsAreUnique: Check = ({ identity }) => {
  if (identity.mode !== 'api-keys') return []
  const ids = identity.keys.map((key) => key.id)
  return ids.flatMap((id, at) =>
    ids.indexOf(id) === at
      ? []
      : [{ path: ['identity', 'keys', at, 'id'], message: `"${id}" is there twice`, fix: 'give each key an id of its own' }],
  )
}

/** A pattern may match nothing yet; a plain name that is no server is a typing mistake, and in a deny rule a hole. */
const serversExist: Check = ({ servers, roles, guards, components }) => {
  const named = [
    ...Object.entries(roles).flatMap(([role, rules]) =>
      rules.map((rule, at) => ({ path: ['roles', role, at, 'server'], name: rule.server })),
    ),
    ...guards.flatMap((entry, at) => entry.servers.map((name, index) => ({ path: ['guards', at, 'servers', index], name }))),
    ...components.flatMap((one, at) => one.usedBy.map((name, index) => ({ path: ['components', at, 'usedBy', index], name }))),
  ]
  return named.flatMap(({ path, name }) =>
    /[*?]/.test(name) || name in servers
      ? []
      : [{ path, message: `names the server "${name}", which does not exist`, fix: suggest(name, Object.keys(servers)) }],
  )
}

/** A misspelt one would protect nothing. */
const manifestsAreOfServers: Check = ({ pins, servers }) =>
  Object.keys(pins.manifests).flatMap((id): Complaint[] =>
    Object.hasOwn(servers, id)
      ? []
      : [
          {
            path: ['pins', 'manifests', id],
            message: `names the server "${id}", which does not exist`,
            fix: suggest(id, Object.keys(servers)),
            at: 'key',
          },
        ],
  )

const methodsAreOwn: Check = ({ methods }) =>
  Object.keys(methods).flatMap((name): Complaint[] => {
    const path = ['methods', name]
    if (builtInMethods(name) !== undefined)
      return [{ path, message: 'is built in, and cannot be replaced', fix: 'remove it', at: 'key' }]
    const twin = builtInMethodNames.find((known) => known.toLowerCase() === name.toLowerCase())
    if (twin !== undefined) return [{ path, message: `is "${twin}" in other letters`, fix: 'choose another name', at: 'key' }]
    if (/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(name) && name.length <= 128) return []
    return [{ path, message: 'is not the name of a method', fix: 'write for example acme/search', at: 'key' }]
  })

const keyProvidersDiffer: Check = ({ vault }) =>
  vault.previousKeyProviders.flatMap((provider, at): Complaint[] => {
    const before = [vault.keyProvider, ...vault.previousKeyProviders.slice(0, at)]
    return before.some((other) => isSameKey(other, provider))
      ? [{ path: ['vault', 'previousKeyProviders', at], message: 'is there already', fix: 'remove it' }]
      : []
  })

type KeyProviderOf = Draft['vault']['keyProvider']
/** Under two credentials it is still one key. */
const isSameKey = (one: KeyProviderOf, other: KeyProviderOf): boolean =>
  one.kind === 'key-vault' && other.kind === 'key-vault' ? one.key === other.key : isDeepStrictEqual(one, other)

/** Whoever has the key of the vault and a copy of the store has what is in it; a server needs neither. */
const vaultKeyIsOurs: Check = ({ vault, servers }) => {
  const providers = [vault.keyProvider, ...vault.previousKeyProviders]
  const keys = providers.flatMap((provider) =>
    provider.kind === 'environment' ? [provider.secret] : provider.kind === 'passphrase' ? [provider.passphrase] : [],
  )
  /** What gets us at the key; at an authorization server it is where it belongs. */
  const ways = providers.flatMap((provider) =>
    provider.kind === 'key-vault' && provider.credential
      ? secretsIn(provider.credential).map(({ secret }) => secret.reference)
      : [],
  )
  const handedOn = (path: Path, reference: string, ours = [...keys, ...ways]): Complaint[] =>
    ours.includes(reference) ? [{ path, message: 'hands the key of the vault to the server', fix: 'remove it' }] : []
  return Object.entries(servers).flatMap(([id, server]) =>
    server.kind === 'http'
      ? secretsIn(server.credential).flatMap(({ path, secret }) =>
          handedOn(
            ['servers', id, 'credential', ...path],
            secret.reference,
            server.credential.kind === 'static' ? [...keys, ...ways] : keys,
          ),
        )
      : [
          ...server.inheritEnv.flatMap((name, at) => handedOn(['servers', id, 'inheritEnv', at], `env:${name}`)),
          ...Object.entries(server.env).flatMap(([name, value]) => handedOn(['servers', id, 'env', name], String(value))),
        ],
  )
}

/** A rule about what nobody uses would deny nothing, and look as if it did. */
const componentsExist: Check = ({ roles, components }) => {
  const used = components.filter(({ usedBy }) => usedBy.length > 0).map(({ kind, name }) => `${kind}:${name}`)
  return Object.entries(roles).flatMap(([role, rules]) =>
    rules.flatMap(({ uses = [] }, at) =>
      uses
        .map((pattern, which) => ({ pattern, which }))
        .filter(({ pattern }) => !used.some(glob(pattern)))
        .map(({ pattern, which }) => ({
          path: ['roles', role, at, 'uses', which],
          message: `"${pattern}" is no component that a server uses`,
          fix: 'declare it under "components", with the servers under "usedBy"',
        })),
    ),
  )
}

export const crossChecks: readonly Check[] = [
  anonymousIsLocal,
  plainHttpIsLocal,
  publicUrlIsSafe,
  addressIsKnown,
  adminIsLocal,
  listenersDiffer,
  filesDiffer,
  keyProvidersDiffer,
  vaultKeyIsOurs,
  upstreamsAreSafe,
  secretsAreReferences,
  rolesExist,
  keyIdsAreUnique,
  serversExist,
  componentsExist,
  manifestsAreOfServers,
  methodsAreOwn,
]
