import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { inspect } from 'node:util'
import { plainEnvironment, type StdioServer } from '../outbound/schema.ts'
import { checkConfig, loadConfig, parseConfig } from './load.ts'
import { ConfigRefused, type Problem } from './problem.ts'

const token = `ghp_${'a'.repeat(36)}`
const keys = `identity: { mode: api-keys, keys: [ { id: ci, sha256: ${'ab'.repeat(32)} } ] }`
const others = 'listen: "0.0.0.0:4180", trustedProxies: [10.0.0.1]'
const issued = (rest: string) => `identity: { ${rest}, provider: { kind: oidc, issuer: "https://login.example", clientId: x } }`
const roles = 'roles: { reader: [ { effect: allow, server: "*", tools: ["*"] } ] }'
const stdio = (rest: string) => `servers: { files: { command: [x], ${rest} } }`
const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const entra = (rest: string) => `identity: { provider: { kind: entra, tenant: ${tenant}, clientId: a }, ${rest} }`
const behalf = (rest: string) =>
  `servers: { x: { url: "https://x.example/", credential: { kind: on-behalf-of, tenant: t, clientId: c, clientSecret: env:S${rest} } } }`
const http = (rest: string) => `servers: { crm: { url: "https://crm.example.com/mcp", ${rest} } }`

/** Document with ¦ where the problem is, path, message, how to fix. */
const refusals: readonly [marked: string, path: string, message: RegExp, fix: RegExp][] = [
  // unknown words
  ['¦lisen: 127.0.0.1:1', 'lisen', /not a key/, /did you mean "listen"/],
  ['limits: { principal: { ¦perMinutes: 3 } }', 'limits.principal.perMinutes', /not a key/, /"perMinute"/],
  [stdio('¦comand: [y]'), 'servers.files.comand', /not a key/, /"command"/],
  [http('tls: { ¦minVersio: TLSv1.3 }'), 'servers.crm.tls.minVersio', /not a key/, /"minVersion"/],
  ['identity: { mode: api-keys, ¦keyz: [] }', 'identity.keyz', /not a key/, /"keys"/],
  ['¦frobnicate: 1', 'frobnicate', /not a key/, /known here: listen, /],
  [stdio('trust: ¦Trusted'), 'servers.files.trust', /cannot be "Trusted"/, /"trusted"/],
  ['identity: { mode: ¦anonymus }', 'identity.mode', /cannot be "anonymus"/, /"anonymous"/],
  ['supply: { ¦lok: sekisho.lock }', 'supply.lok', /not a key/, /"lock"/],
  [
    `${http('trust: trusted')}\npins: { manifests: { ¦crn: { file: crm.json, keys: [team.pub] } } }`,
    'pins.manifests.crn',
    /names the server "crn", which does not exist/,
    /"crm"/,
  ],
  [
    `${http('trust: trusted')}\npins: { manifests: { crm: { file: crm.json, keys: ¦[] } } }`,
    'pins.manifests.crm.keys',
    /is empty/,
    /./,
  ],
  [`${http('trust: trusted')}\npins: { manifests: { crm: ¦{ file: crm.json } } }`, 'pins.manifests.crm.keys', /is missing/, /./],
  [
    `${http('trust: trusted')}\npins: { manifests: { crm: { file: crm.json, keys: [a], ¦verify: false } } }`,
    'pins.manifests.crm.verify',
    /not a key/,
    /./,
  ],
  ['supply: { require: ¦lockd }', 'supply.require', /cannot be "lockd"/, /"locked"/],
  ['identity: ¦{}', 'identity.mode', /is missing/, /anonymous, api-keys/],
  ['guards: [ { guard: ¦polcy, mode: monitor } ]', 'guards[0].guard', /cannot be "polcy"/, /"policy"/],
  ['guards: [ { guard: policy, mode: ¦enforced } ]', 'guards[0].mode', /cannot be/, /"enforce"/],
  ['roles: { r: [ { effect: ¦alow, server: "*", tools: ["*"] } ] }', 'roles.r[0].effect', /cannot be/, /"allow"/],
  // words of another mode or kind
  [entra('mode: authorization-server, ¦audience: b'), 'identity.audience', /^belongs to mode: resource-server$/, /use mode: res/],
  [entra('mode: resource-server, audience: b, ¦askAtLogin: [read]'), 'identity.askAtLogin', /belongs to mode: auth/, /remove/],
  ['identity: { mode: anonymous, ¦keys: [] }', 'identity.keys', /belongs to mode: api-keys/, /./],
  [
    `identity: { mode: resource-server, audience: a, provider: { kind: entra, tenant: ${tenant}, ¦groupsClaim: g } }`,
    'identity.provider.groupsClaim',
    /^belongs to kind: oidc$/,
    /^remove it, or use kind: oidc$/,
  ],
  [entra('mode: resource-server, audience: a, scopes: { ¦delete: x }'), 'identity.scopes.delete', /not a key/, /destructive$/],
  [entra('mode: resource-server, audience: a, scopes: { ¦reads: x }'), 'identity.scopes.reads', /not a key/, /"read"/],
  // what is missing, or is something else
  [
    'identity: ¦{ mode: resource-server, audience: a }',
    'identity.provider',
    /missing/,
    /kind: entra or kind: oidc.*sekisho idp add/,
  ],
  [
    entra('mode: resource-server').replace('{', '¦{'),
    'identity.audience',
    /is missing/,
    /text or a list \(.*"resource" for the URL/,
  ],
  [entra('mode: resource-server, audience: ¦5'), 'identity.audience', /must be text or a list and is a number/, /"resource"/],
  [
    entra('mode: authorization-server, registration: { metadataDocuments: ¦anny }'),
    'identity.registration.metadataDocuments',
    /"anny"/,
    /"any"/,
  ],
  [
    entra('mode: authorization-server, registration: { metadataDocuments: ¦5 }'),
    'identity.registration.metadataDocuments',
    /must be/,
    /any or none or a list/,
  ],
  [behalf('').replace('credential: {', 'credential: ¦{'), 'servers.x.credential.scope', /is missing/, /api:\/\/\w+\/\.default$/],
  [behalf(', scope: ¦[a]'), 'servers.x.credential.scope', /must be text and is a list/, /for example api:\/\//],
  // tabs
  ['servers:\n¦\ta: 1\n\tb: 1', '', /tab/, /^use spaces$/],
  ['listen: x\n¦\tb: 1', '', /tab/, /spaces/],
  // shapes
  ['¦5', '', /must be a mapping of keys and is a number/, /./],
  ['servers:¦', 'servers', /must be a mapping of keys and is empty/, /./],
  ['listen: ¦4180', 'listen', /must be text and is a number/, /in quotes: "4180"/],
  ['servers: { files: { command: ¦"npx x" } }', 'servers.files.command', /must be a list and is text/, /no shell/],
  ['servers: { files: { command: ¦[] } }', 'servers.files.command', /is empty/, /at least 1/],
  ['servers: { files: { command: [¦""] } }', 'servers.files.command[0]', /is empty/, /program/],
  [stdio('env: { PORT: ¦8080 }'), 'servers.files.env.PORT', /must be text/, /"8080"/],
  [stdio('requestTimeoutMs: ¦0'), 'servers.files.requestTimeoutMs', /at least 1/, /./],
  [stdio('requestTimeoutMs: ¦700000'), 'servers.files.requestTimeoutMs', /more than "requestTimeoutMsMax"/, /./],
  ['limits: { depthMax: ¦1.5 }', 'limits.depthMax', /whole number/, /./],
  ['limits: { tool: { perMinute: ¦many } }', 'limits.tool.perMinute', /or the word unlimited/, /600/],
  ['limits: { tool: { burst: ¦5 } }', 'limits.tool.burst', /without "perMinute"/, /./],
  // servers
  ['servers: { files: ¦{} }', 'servers.files', /either "command" or "url"/, /./],
  ['servers: { files: ¦{ command: [x], url: "https://x.example/" } }', 'servers.files', /either "command" or "url"/, /./],
  [http('env: ¦{ A: b }'), 'servers.crm.env', /means nothing for a server with a url/, /remove "env"/],
  [stdio('transport: ¦auto'), 'servers.files.transport', /means nothing for a server with a command/, /./],
  [http('tls: ¦{ cert: c.pem }'), 'servers.crm.tls', /only one of "cert" and "key"/, /./],
  ['servers: { ¦admin: { command: [x] } }', 'servers.admin', /a path of our own/, /another id/],
  ['servers: { ¦a__b: { command: [x] } }', 'servers.a__b', /1 to 24 of/, /./],
  ['servers: { ¦Files: { command: [x] } }', 'servers.Files', /1 to 24 of/, /./],
  ['servers: { x: { url: ¦"http://crm.example.com/" } }', 'servers.x.url', /must be https/, /./],
  ['servers: { x: { url: ¦"ftp://crm.example.com/" } }', 'servers.x.url', /not an http/, /./],
  ['servers: { x: { url: ¦"https://me@crm.example.com/" } }', 'servers.x.url', /without credentials/, /./],
  // secrets
  [stdio('env: { API_TOKEN: ¦abc }'), 'servers.files.env.API_TOKEN', /secret written out/, /env:NAME/],
  [stdio('env: { DB_PASSWORD: ¦"1234" }'), 'servers.files.env.DB_PASSWORD', /secret written out/, /env:NAME/],
  [stdio(`env: { MODE: ¦${token} }`), 'servers.files.env.MODE', /secret written out/, /./],
  [stdio(`env: { MODE: ¦"env:${token}" }`), 'servers.files.env.MODE', /secret written out/, /./],
  [stdio('env: { DB: ¦"postgres://me:pw@db/x" }'), 'servers.files.env.DB', /secret written out/, /./],
  [stdio('env: { X: ¦"env:MY-TOKEN" }'), 'servers.files.env.X', /not a reference/, /./],
  [stdio('env: { X: ¦"vault:a/b" }'), 'servers.files.env.X', /not a reference/, /./],
  [`servers: { files: { command: [x, ¦${token}] } }`, 'servers.files.command[1]', /secret written out/, /put it in "env"/],
  ['servers: { files: { command: [x, --token, ¦"env:FOO"] } }', 'servers.files.command[2]', /"env" only/, /put it in "env"/],
  ['servers: { files: { command: [x, ¦"--token=file:foo"] } }', 'servers.files.command[1]', /"env" only/, /put it in "env"/],
  [`servers: { x: { url: ¦"https://x.example/?key=${token}" } }`, 'servers.x.url', /secret written out/, /not supported/],
  ['servers: { x: { url: ¦"https://x.example/?a=b&api_key=env:FOO" } }', 'servers.x.url', /"env" only/, /not supported/],
  // who may come in
  ['¦listen: 0.0.0.0:80', 'identity.mode', /start is refused/, /api-keys/],
  [`listen: ¦0.0.0.0:80\n${keys}`, 'listen', /plain HTTP that others can reach, so start is refused/, /"tls"/],
  ['publicUrl: ¦http://mcp.example.com', 'publicUrl', /must be https/, /^write https:\/\/mcp\.example\.com; /],
  [
    `¦{ ${others}, ${issued('mode: resource-server, audience: resource')} }`,
    'publicUrl',
    /is missing: tokens are issued/,
    /publicUrl: https/,
  ],
  [`¦{ ${others}, ${issued('mode: authorization-server')} }`, 'publicUrl', /is missing: tokens are issued/, /publicUrl: https/],
  ['publicUrl: ¦https://mcp.example.com/path', 'publicUrl', /not an origin/, /without a path/],
  ['admin: { listen: ¦127.0.0.1:4180 }', 'admin.listen', /port of "listen"/, /./],
  ['trustedProxies: [ ¦"0.0.0.0/0" ]', 'trustedProxies[0]', /not an address or a network/, /./],
  ['store: ¦mysql://x', 'store', /not a store/, /sqlite:PATH/],
  ['audit: { path: ¦./data/sekisho.db }', 'audit.path', /file of "store" too/, /./],
  // references
  [
    'roles: { r: [ { effect: deny, server: "*", uses: [ ¦"model:x" ], tools: ["*"] } ] }',
    'roles.r[0].uses[0]',
    /no component that a server uses/,
    /"components"/,
  ],
  ['bindings: [ { role: ¦reder, anonymous: true } ]', 'bindings[0].role', /does not exist/, /./],
  [`${roles}\nbindings: [ { role: ¦reder, anonymous: true } ]`, 'bindings[0].role', /"reder"/, /"reader"/],
  [`${roles}\nbindings: [ ¦{ role: reader } ]`, 'bindings[0]', /exactly one of/, /./],
  [`${roles}\nbindings: [ { role: reader, anonymous: ¦false } ]`, 'bindings[0].anonymous', /cannot be false/, /./],
  ['roles: { r: [ { effect: deny, server: ¦fils, tools: ["*"] } ] }', 'roles.r[0].server', /"fils", which does not/, /./],
  ['roles: { r: [ ¦{ effect: deny, server: "*" } ] }', 'roles.r[0]', /names nothing/, /\["\*"\]/],
  ['roles: { r: [ { effect: deny, server: "*", prompts: ["*"], class: ¦[read] } ] }', 'roles.r[0].class', /narrows/, /./],
  ['methods: { ¦tools/call: { leg: call, class: read } }', 'methods["tools/call"]', /built in/, /./],
  ['methods: { ¦Tools/Call: { leg: call, class: read } }', 'methods["Tools/Call"]', /other letters/, /./],
  ['methods: { acme/x: { leg: notice, reply: ¦result, class: read } }', 'methods["acme/x"].reply', /does not fit/, /./],
  ['methods: { acme/x: ¦{ leg: call } }', 'methods["acme/x"].class', /is missing/, /read, write, destructive/],
]

const problemsOf = (text: string): readonly Problem[] => {
  try {
    parseConfig(text)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigRefused, String(error))
    return error.problems
  }
}

for (const [marked, path, message, fix] of refusals)
  test(`refuses ${marked.replaceAll('\n', ' | ')}`, () => {
    const text = marked.replace('¦', '')
    const problems = problemsOf(text)
    const found = problems.find((problem) => problem.path === path)
    assert.ok(found, JSON.stringify(problems))
    const before = text
      .split('\n')
      .slice(0, found.line - 1)
      .map((line) => line.length + 1)
    const offset = before.reduce((sum, length) => sum + length, 0) + found.column - 1
    assert.equal(`${text.slice(0, offset)}¦${text.slice(offset)}`, marked)
    assert.match(found.message, message)
    assert.match(found.fix, fix)
  })

test('of tabs one is reported: what is said after the first makes no sense', () => {
  assert.equal(problemsOf('servers:\n\ta: 1\n\tb: 1\nlisten: [').length, 1)
})

test('every problem is reported, in the order of the document', () => {
  const places = problemsOf('nope: 1\nlisten: x\nservers: { a: { comand: [x] } }').map(({ line, path }) => `${line} ${path}`)
  assert.deepEqual(places, ['1 nope', '2 listen', '3 servers.a.comand'])
})

test('an empty document is a whole configuration', () => {
  const config = parseConfig('', '/etc/sekisho')
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 4180 })
  assert.equal(config.store, 'sqlite:/etc/sekisho/data/sekisho.db')
  assert.equal(config.vault.keyFile, '/etc/sekisho/data/sekisho.key')
  assert.equal(config.audit.path, '/etc/sekisho/data/audit.db')
  assert.deepEqual(config.identity, { mode: 'anonymous' })
  assert.deepEqual(config.limits.principal, { perMinute: 600, burst: 100, concurrent: 32 })
  assert.deepEqual(config.limits.tool, { perMinute: 'unlimited', burst: 1, concurrent: 'unlimited' })
  assert.deepEqual(config.bindings, [])
})

test('what only looks like a reference may be an argument', () => {
  const command = ['x', 'file:///srv/data', '--root=file:///srv', '-v', '/srv/file:/mnt', 'environment:x', 'profile:y']
  assert.deepEqual((parseConfig(JSON.stringify({ servers: { a: { command } } })).servers['a'] as StdioServer).command, command)
})

test('paths are absolute, and what is not a path is left alone', () => {
  const config = parseConfig('servers: { a: { command: [./bin/x, ./y] }, b: { command: [npx, ./y], cwd: work } }', '/etc/sekisho')
  const commands = Object.values(config.servers).map((server) => [(server as StdioServer).command, (server as StdioServer).cwd])
  assert.deepEqual(commands, [
    [['/etc/sekisho/bin/x', './y'], '/etc/sekisho'],
    [['npx', './y'], '/etc/sekisho/work'],
  ])
})

test('a configuration cannot be changed', () => {
  const config = parseConfig(`${stdio('env: { A: b }')}\n${roles}`)
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    assert.ok(Object.isFrozen(value), path)
    for (const [key, member] of Object.entries(value)) visit(member, `${path}.${key}`)
  }
  visit(config, 'config')
})

test('a server that is not there is not there, whatever it is called', () => {
  const { servers, roles: none } = parseConfig('')
  for (const name of ['constructor', '__proto__', 'toString']) assert.equal(servers[name] ?? none[name], undefined)
})

const folder = mkdtempSync(join(tmpdir(), 'sekisho-load-'))
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('a secret is fetched, reaches the child, and shows nowhere else', async () => {
  write('token', 'from-a-file\n')
  const file = write('secret.yaml', stdio('inheritEnv: [EXTRA], env: { API_TOKEN: "env:MINE", OTHER: "file:token", MODE: fast }'))
  const config = await loadConfig(file, { MINE: 'hunter2', EXTRA: 'hunter3', PATH: '/bin', UNASKED: 'hunter4' })
  const server = config.servers['files'] as StdioServer
  assert.deepEqual(plainEnvironment(server), {
    PATH: '/bin',
    EXTRA: 'hunter3',
    API_TOKEN: 'hunter2',
    OTHER: 'from-a-file',
    MODE: 'fast',
  })
  for (const shown of [JSON.stringify(config), inspect(config, { depth: 9 }), String(server.env['API_TOKEN'])])
    assert.doesNotMatch(shown, /hunter|from-a-file/)
})

test('a secret that is not there refuses the start, and nothing else', async () => {
  const file = write('missing.yaml', stdio('env: { API_TOKEN: "env:NOT_SET", OTHER: "file:nowhere" }'))
  const { problems } = await checkConfig(file, {})
  assert.deepEqual(
    problems.map(({ path, message }) => `${path} ${message}`),
    [
      'servers.files.env.API_TOKEN refers to the variable NOT_SET, which is not set',
      `servers.files.env.OTHER refers to ${join(folder, 'nowhere')}, which cannot be read (ENOENT)`,
    ],
  )
  const config = await loadConfig(file, {}, { secrets: 'leave' })
  assert.throws(() => plainEnvironment(config.servers['files'] as StdioServer), /env:API_TOKEN|has not been resolved/)
})

test('a file that is not there, or is not UTF-8, is a problem and not a crash', async () => {
  await assert.rejects(loadConfig(join(folder, 'none.yaml'), {}), (error: unknown) => {
    assert.ok(error instanceof ConfigRefused)
    assert.match(error.problems[0]?.message ?? '', /does not exist/)
    return true
  })
  writeFileSync(join(folder, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe9]))
  assert.match((await checkConfig(join(folder, 'latin.yaml'), {})).problems[0]?.message ?? '', /cannot be read/)
})

test('a lock is asked for where one is named, and without one none is', () => {
  assert.equal(parseConfig('supply: {}', '/srv').supply.lock, undefined)
  const { lock, require, keys, store } = parseConfig(
    'supply: { lock: x.lock, require: any, keys: [team.pem], store: s }',
    '/srv',
  ).supply
  assert.deepEqual([lock, require, keys, store], ['/srv/x.lock', 'any', ['/srv/team.pem'], '/srv/s'])
  assert.deepEqual(
    [parseConfig('', '/srv').supply.require, parseConfig('', '/srv').supply.store],
    ['locked', '/srv/.sekisho/store'],
  )
})
