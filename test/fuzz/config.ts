/** YAML → parseConfig: a frozen configuration, or ConfigRefused with places and advice; and nothing slips past its rules. */
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigRefused } from '../../src/config/problem.ts'
import type { Config } from '../../src/config/schema.ts'
import { starterConfig } from '../../src/config/starter.ts'
import { type Fuzzer, must, type Target } from './fuzzer.ts'
import { mutated, numberForms, type Vocabulary } from './mutate.ts'
import type { Random } from './random.ts'

/** Shaped like somebody's token. No accepted configuration may hold it. */
const token = `ghp_${'0123456789abcdefghij'.repeat(2)}`
const digest = '0123456789abcdef'.repeat(4)

const seeds: readonly string[] = [
  starterConfig({
    servers: [
      { id: 'files', command: ['mcp-files', './x y'] },
      { id: 'crm', url: 'https://crm.example.com/mcp' },
    ],
    callers: 'anonymous',
    access: 'read',
  }),
  starterConfig({ servers: [{ id: 'a', command: ['a'] }], callers: [{ id: 'ci', sha256: digest }], access: 'everything' }),
  `listen: 0.0.0.0:4180
publicUrl: https://mcp.example.com
trustedProxies: [10.0.0.0/8]
allowedHosts: [mcp.example.com]
allowedOrigins: ["https://app.example.com"]
identity: { mode: api-keys, keys: [{ id: ci, sha256: "${digest}" }] }
servers:
  files: { command: [node, server.js], env: { MODE: fast, TOKEN: "env:FILES_TOKEN" }, inheritEnv: [LANG], tools: { read: ["read_*"] } }
  crm: { url: "https://crm.example.com/mcp", trust: trusted, era: modern, requestTimeoutMs: 1000 }
roles:
  reader: [{ effect: allow, server: files, tools: ["*"], class: [read] }, { effect: deny, server: "*", tools: ["delete_*"] }]
bindings: [{ role: reader, apiKey: ci }]
`,
  `audit:
  path: ./a.db
  anchor: ./b.anchor
  excerpts: { bytesMax: 100 }
  sinks:
    - { kind: syslog, host: 127.0.0.1, port: 514 }
    - kind: syslog
      host: siem.example.com
      port: 6514
      tls: { ca: ca.pem }
limits: { bodyBytesMax: 4096, principal: { perMinute: unlimited, concurrent: 4 }, tool: { perMinute: 60, burst: 5 } }
guards: [{ guard: limits, mode: monitor, servers: ["*"] }]
methods: { acme/search: { leg: call, reply: result, class: read } }
tls: { cert: c.pem, key: k.pem }
`,
  '{"servers":{"s":{"command":["x"],"env":{"A":"1"}}},"roles":{"r":[{"effect":"deny","server":"s","resources":["*"]}]},"bindings":[{"role":"r","anonymous":true}]}',
  '# nothing\n',
  'base: &b { effect: allow, server: "*", tools: ["*"] }\nroles: { r: [*b] }\n',
]

const vocabulary: Vocabulary = {
  seeds,
  token: /\n *|"(?:[^"\\]|\\.)*"|[\w.*/-]+|[^\w\s]|\s/g,
  words: [
    ...[
      'listen: 0.0.0.0:1\n',
      'identity: { mode: anonymous }\n',
      'effect: deny',
      'effect: allow',
      'anonymous: true',
      'tls:',
      'trustedProxies: []\n',
      'Servers:\n',
      'role\u017f: {}\n',
    ],
    ...[
      '&a ',
      '*a',
      '*b',
      '!!str ',
      '!!binary ',
      '!x ',
      '<<: *b',
      '? ',
      ': ',
      '- ',
      '| ',
      '> ',
      '---\n',
      '...\n',
      '%YAML 1.1\n',
      '#',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '\t',
      '\n',
      '\n  ',
      '\r\n',
    ],
    ...[
      `"${token}"`,
      `env: { A: ${token} }`,
      '__proto__',
      'constructor',
      'toString',
      '"*"',
      '127.0.0.1',
      '0.0.0.0',
      '"[::1]:1"',
      'http://evil.example/',
      'null',
      '~',
      'true',
      'yes',
      'off',
      '.inf',
      '.nan',
      '0o17',
      '2026-01-01',
    ],
    ...numberForms,
  ],
}

export type ParseConfig = (text: string) => Config

/** `parsing` is replaced only to show that the fuzzer finds what it looks for. */
export const configFuzzer = (parsing: ParseConfig = (text) => parseConfig(text, '/fuzz')): Fuzzer => ({
  name: 'config',
  share: { cases: 2, seconds: 10 },
  open: (): Target<string> => ({
    lanes: 1,
    make: (random: Random) => mutated(random, vocabulary, 3),
    check: (text) => accepts(text, parsing),
    show: (text) => text,
    close: () => undefined,
  }),
})

function accepts(text: string, parsing: ParseConfig): boolean {
  let config: Config
  try {
    config = parsing(text)
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error
    must(error.problems.length > 0, () => 'refused without a problem')
    for (const { line, column, message, fix } of error.problems)
      must(
        line >= 1 && column >= 1 && message !== '' && fix !== '',
        () => `a problem without a place or advice: ${line}:${column} ${message}; ${fix}`,
      )
    return false
  }
  must(isFrozen(config), () => 'the configuration can be changed')
  must(isDeepStrictEqual(parsing(text), config), () => 'the second reading differs from the first')
  keepsItsRules(config)
  saysAllOf(text, config)
  return true
}

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))

/** What no accepted configuration does, whatever else it says. */
function keepsItsRules({ listen, identity, tls, trustedProxies, servers, audit }: Config): void {
  const local = /^(localhost|::1|127\.\d+\.\d+\.\d+)$/i.test(listen.host)
  must(local || identity.mode !== 'anonymous', () => `everyone may come in from the network (${listen.host})`)
  must(local || tls !== undefined || trustedProxies.length > 0, () => `plain HTTP on the network (${listen.host})`)
  for (const [id, server] of Object.entries(servers)) {
    const texts = server.kind === 'http' ? [server.url] : [...server.command, ...Object.values(server.env)]
    must(!texts.some((one) => String(one).includes(token)), () => `a secret is written out in servers.${id}`)
    if (server.kind === 'http')
      must(/^(https:|http:\/\/(localhost|127\.|\[::1\]))/i.test(server.url), () => `plain HTTP to ${server.url}`)
  }
  for (const sink of audit.sinks)
    must(sink.tls !== undefined || /^(localhost|::1|127\.)/.test(sink.host), () => `plain syslog to ${sink.host}`)
}

const known = [
  'listen',
  'publicUrl',
  'allowedHosts',
  'allowedOrigins',
  'trustedProxies',
  'tls',
  'admin',
  'store',
  'vault',
  'identity',
  'servers',
  'roles',
  'bindings',
  'limits',
  'guards',
  'methods',
  'audit',
]

/** No key is passed over, and no rule is lost on the way from the document. */
function saysAllOf(text: string, config: Config): void {
  const document = parse(text, { logLevel: 'error' }) as Record<string, unknown> | null
  const strange = Object.keys(document ?? {}).filter((key) => !known.includes(key))
  must(strange.length === 0, () => `accepted with the unknown key ${strange[0]}`)
  const rules = Object.entries((document?.['roles'] ?? {}) as Record<string, { effect: string }[]>)
  for (const [role, list] of rules) {
    const effects = config.roles[role]?.map(({ effect }) => effect)
    must(
      isDeepStrictEqual(
        effects,
        list.map(({ effect }) => effect),
      ),
      () => `the rules of "${role}" are ${effects}`,
    )
  }
}
