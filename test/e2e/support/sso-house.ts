/**
 * A gateway with its own authorization server in front of the Entra stand-in, in this process: a company, an upstream that
 * knows nothing of logins, and rules by role. Over plain http on this machine; the two have different names, as in life.
 */
import { join } from 'node:path'
import { createGateway, type GatewayEvent, type LibraryGateway } from '../../../src/index.ts'
import { type Echo, type EchoOptions, echo, saying, tool } from '../../attacks/support/echo.ts'
import type { User } from '../../stand-ins/entra/directory.ts'
import { type Entra, type EntraOptions, startEntra } from '../../stand-ins/entra/entra.ts'
import { Person } from './person.ts'
import type { Yard } from './yard.ts'

export const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
export const clientId = '33333333-0000-4000-8000-000000000001'
export const clientSecret = 'gateway-secret~1'
const graphApi = '00000003-0000-0000-c000-000000000000'

export const user = (nth: number, username: string, more: Partial<User> = {}): User => ({
  tenant,
  oid: `44444444-0000-4000-8000-${String(nth).padStart(12, '0')}`,
  name: username,
  username: `${username}@contoso.test`,
  ...more,
})
export const withRole = (nth: number, username: string, ...roles: string[]): User =>
  user(nth, username, { roles: { [clientId]: roles } })
export const manyGroups = Array.from({ length: 201 }, (_, at) => `55555555-0000-4000-9000-${String(at).padStart(12, '0')}`)

export const staff = {
  reader: withRole(1, 'reader', 'Reader'),
  writer: withRole(2, 'writer', 'Writer'),
  /** Whose role a test may change. */
  mover: { ...withRole(6, 'mover', 'Writer') },
  nobody: user(3, 'nobody'),
  /** In a group instead of a role. */
  grouped: user(4, 'grouped', { groups: ['55555555-0000-4000-8000-000000000001'] }),
  /** In more groups than a token has room for; the last one counts. */
  joiner: user(5, 'joiner', { groups: manyGroups }),
} as const

export const classesOfNotes = { read: ['read_note'], write: ['write_note'], destructive: ['delete_note'] }
const rule = (...classes: string[]): object => ({ effect: 'allow', server: '*', tools: ['*'], class: classes, resources: ['*'] })
const rules = {
  roles: { reader: [rule('read')], writer: [rule('read', 'write')] },
  bindings: [
    { role: 'reader', appRole: 'Reader' },
    { role: 'writer', appRole: 'Writer' },
    { role: 'reader', group: '55555555-0000-4000-8000-000000000001' },
    { role: 'writer', group: manyGroups.at(-1) },
  ],
}

export interface HouseOptions {
  /** In place of what `identity` has. */
  readonly identity?: object
  readonly provider?: object
  readonly config?: object
  readonly entra?: Partial<EntraOptions>
  readonly echo?: EchoOptions
  readonly users?: readonly User[]
}
export interface House {
  readonly entra: Entra
  readonly notes: Echo
  readonly folder: string
  readonly events: readonly GatewayEvent[]
  /** Of the gateway: scheme, host and port. */
  readonly url: string
  person(username: string): Person
  /** Closes the gateway, does this, and opens it again at the same address. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

const noteTools = ['read_note', 'write_note', 'delete_note'].map((name) => tool(name))

export async function openHouse(yard: Yard, options: HouseOptions = {}): Promise<House> {
  const entra = await startEntra({
    tenants: [{ id: tenant, name: 'Contoso', domain: 'contoso.test' }],
    apps: [
      {
        clientId,
        tenant,
        name: 'Contoso Gateway',
        redirectUris: { web: ['http://127.0.0.1/oauth/callback'] },
        secrets: [clientSecret],
        groupClaims: 'sources',
        tokenVersion: 2,
        scopes: ['mcp.access'],
        optionalClaims: ['auth_time'],
        permissions: [{ resource: graphApi, scopes: ['User.Read'], roles: ['GroupMember.Read.All'], adminConsent: true }],
      },
    ],
    users: options.users ?? Object.values(staff),
    plainHttpOnLoopback: true,
    host: 'localhost',
    ...options.entra,
  })
  const notes = await echo({
    tools: noteTools,
    answers: { 'tools/call': ({ params }) => saying(`${params['name']} done`) },
    ...options.echo,
  })
  const folder = yard.folder()
  const events: GatewayEvent[] = []
  const era = options.echo?.era ?? 'modern'
  process.env['SSO_HOUSE_SECRET'] = clientSecret
  const config = (listen: string) => ({
    listen,
    admin: { listen: '127.0.0.1:0' },
    store: `sqlite:${join(folder, 'sekisho.db')}`,
    identity: {
      mode: 'authorization-server',
      provider: {
        kind: 'entra',
        tenant,
        authority: entra.url,
        graph: entra.url,
        clientId,
        clientSecret: 'env:SSO_HOUSE_SECRET',
        ...options.provider,
      },
      ...options.identity,
    },
    servers: { notes: { url: notes.url, era, transport: 'streamable-http', tools: classesOfNotes } },
    limits: { principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
    ...rules,
    ...options.config,
  })
  const open = async (listen: string): Promise<LibraryGateway> => {
    const gateway = await createGateway(config(listen) as never, { folder, tell: (event) => events.push(event) })
    return gateway
  }
  let gateway = await open('127.0.0.1:0')
  const { mcp } = await gateway.listen()
  const url = `http://127.0.0.1:${mcp.port}`
  return {
    entra,
    notes,
    folder,
    events,
    url,
    person: (username) => new Person(username, [url, entra.url]),
    restart: async (meanwhile) => {
      await gateway.close()
      await meanwhile?.()
      gateway = await open(`127.0.0.1:${mcp.port}`)
      await gateway.listen()
    },
    close: async () => {
      await gateway.close()
      await Promise.all([entra.close(), notes.close()])
    },
  }
}
