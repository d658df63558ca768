/**
 * What is most likely not what was meant, and lets nobody in who should not be: warned of, and not refused. To refuse it would
 * keep a revoked key in force until its last binding is gone too. One check, one function, one list.
 */
import { needsSubjectToken, type OnBehalfOf } from '../outbound/credentials/schema.ts'
import type { Check } from './cross-checks.ts'
import { suggest } from './nearest.ts'
import type { Complaint } from './problem.ts'
import type { Draft } from './schema.ts'

type Identity = Draft['identity']

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const entraOf = (identity: Identity) =>
  'provider' in identity && identity.provider.kind === 'entra' ? identity.provider : undefined
/** A word of a shell command. */
const quoted = (text: string): string => (/^[\w.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

const somebodyIsBound: Check = ({ bindings, servers }) =>
  bindings.length > 0 || Object.keys(servers).length === 0
    ? []
    : [
        {
          path: ['bindings'],
          message: 'names nobody, so nobody may do anything',
          fix: 'write for example bindings: [{ role: ROLE, group: ID }], or anonymous: true where everyone may come in',
        },
      ]

const keysExist: Check = ({ bindings, identity }) => {
  const ids = identity.mode === 'api-keys' ? identity.keys.map((key) => key.id) : []
  return bindings.flatMap(({ apiKey }, at): Complaint[] => {
    if (apiKey === undefined || ids.includes(apiKey)) return []
    const message = `names the key "${apiKey}", which does not exist, so it grants nothing`
    const fix =
      identity.mode === 'api-keys'
        ? `${suggest(apiKey, ids)}; where the key was revoked, remove this binding too`
        : 'set identity: { mode: api-keys, keys: [...] }'
    return [{ path: ['bindings', at, 'apiKey'], message, fix }]
  })
}

/** Whoever comes with a token is somebody. */
const everyoneIsAnonymous: Check = ({ bindings, identity: { mode } }) =>
  mode === 'anonymous'
    ? []
    : bindings.flatMap(({ anonymous }, at): Complaint[] =>
        anonymous === undefined
          ? []
          : [
              {
                path: ['bindings', at, 'anonymous'],
                message: `binds nobody with identity.mode ${mode}, which lets nobody in who does not say who they are`,
                fix:
                  mode === 'api-keys' ? 'write apiKey: ID' : 'write group, appRole or user; tenant: GUID is everyone of a tenant',
              },
            ],
      )

const usersAreIds: Check = ({ bindings, identity }) =>
  bindings.flatMap(({ user }, at): Complaint[] => {
    if (user === undefined || /^(user|application):[^\s:]+$/.test(user)) return []
    const { tenants: [tenant = 'TENANT'] = [] } = entraOf(identity) ?? {}
    const isAddress = user.includes('@')
    return [
      {
        path: ['bindings', at, 'user'],
        message: `is ${isAddress ? 'an address' : 'not an id'}, and people are known by their ids, so it binds nobody`,
        fix:
          entraOf(identity) === undefined
            ? 'write user:ISSUER.SUBJECT, as the audit log shows it: sekisho audit search --text login'
            : `write user:${tenant}.OBJECT-ID; the object id is what this prints: az ad user show --id ${isAddress ? quoted(user) : 'ADDRESS'} --query id -o tsv`,
      },
    ]
  })

const groupsAreIds: Check = ({ bindings, identity }) =>
  bindings.flatMap(({ group }, at): Complaint[] =>
    group === undefined || guid.test(group) || entraOf(identity) === undefined
      ? []
      : [
          {
            path: ['bindings', at, 'group'],
            message: 'is a name, and tokens of Entra say the object ids of groups, so it most likely binds nobody',
            fix: `write what this prints: az ad group show --group ${quoted(group)} --query id -o tsv`,
          },
        ],
  )

/** `iss` of a token names the tenant it is from, and is compared letter by letter. */
const issuerIsOfOneTenant: Check = ({ identity }) => {
  if (!('provider' in identity) || identity.provider.kind !== 'oidc') return []
  if (!/\/(common|organizations|consumers)(\/v2\.0)?\/?$/.test(identity.provider.issuer)) return []
  return [
    {
      path: ['identity', 'provider', 'issuer'],
      message: 'is the issuer of no token: tokens of Entra name the tenant that they are from, so nobody gets in',
      fix: 'write kind: entra and tenant: GUID, or several under "tenants"',
    },
  ]
}

const audienceIsOfVersion2: Check = ({ identity }) => {
  if (identity.mode !== 'resource-server' || entraOf(identity) === undefined) return []
  return identity.audience.flatMap((one, at): Complaint[] => {
    const id = one.replace(/^api:\/\//, '')
    return id === one || !guid.test(id) || identity.audience.includes(id)
      ? []
      : [
          {
            path: identity.audience.length === 1 ? ['identity', 'audience'] : ['identity', 'audience', at],
            message: 'is the audience of tokens of version 1; in those of version 2 it is the client id alone',
            fix: `write ${id}, or both while clients change over: [${id}, "${one}"]`,
          },
        ]
  })
}

/** Not refused: a gateway opened as a library can bring tokens and pages of its own. */
const credentialsFitIdentity: Check = ({ servers, identity: { mode } }) =>
  Object.entries(servers).flatMap(([id, server]): Complaint[] => {
    if (server.kind !== 'http') return []
    const path = ['servers', id, 'credential', 'kind']
    if (needsSubjectToken(server.credential) && mode !== 'resource-server' && mode !== 'authorization-server') {
      const message = 'exchanges the token of the caller, and callers have none here, so every call is refused'
      return [{ path, message, fix: 'use identity.mode resource-server or authorization-server, or another kind' }]
    }
    if (server.credential.kind !== 'oauth' || mode === 'authorization-server') return []
    const message = 'needs a page on which each user consents, which only our own authorization server has'
    return [{ path, message, fix: 'use identity.mode authorization-server; or "sekisho run -- URL" for one person' }]
  })

/** Entra exchanges a token only for the application that it was issued to, and in the tenant it is from. */
const exchangesFitTheirTokens: Check = ({ servers, identity }) =>
  Object.entries(servers).flatMap(([id, server]) =>
    server.kind === 'http' && server.credential.kind === 'on-behalf-of' ? misfits(id, server.credential, identity) : [],
  )

function misfits(server: string, { tenant, clientId }: OnBehalfOf, identity: Identity): Complaint[] {
  const at = (key: string) => ['servers', server, 'credential', key]
  const found: Complaint[] = []
  const [home = 'GUID'] = entraOf(identity)?.tenants ?? []
  if (/^(common|organizations|consumers)$/i.test(tenant)) {
    const message = `is "${tenant}", which is no tenant: the token of a person is exchanged in the one it is from`
    found.push({ path: at('tenant'), message, fix: `write ${home}` })
  }
  const ours = applicationsOf(identity)
  if (ours.length > 0 && !ours.includes(clientId.toLowerCase())) {
    const message = 'is not the application that the tokens of callers are for, and Entra exchanges those of no other'
    found.push({ path: at('clientId'), message, fix: `write ${ours.join(' or ')}, and its own secret` })
  }
  return found
}

/** Whose tokens callers have; empty where the configuration does not say. */
function applicationsOf(identity: Identity): readonly string[] {
  const provider = entraOf(identity)
  if (provider === undefined) return []
  if (identity.mode === 'authorization-server') return provider.clientId === undefined ? [] : [provider.clientId.toLowerCase()]
  const audiences = identity.mode === 'resource-server' ? identity.audience : []
  const ids = audiences.map((one) => one.replace(/^api:\/\//, '').toLowerCase())
  return ids.every((one) => guid.test(one)) ? [...new Set(ids)] : []
}

export const warningChecks: readonly Check[] = [
  somebodyIsBound,
  keysExist,
  everyoneIsAnonymous,
  usersAreIds,
  groupsAreIds,
  issuerIsOfOneTenant,
  audienceIsOfVersion2,
  credentialsFitIdentity,
  exchangesFitTheirTokens,
]
