/**
 * What a client shows to the gateway stays with the gateway (TPT-R6, TPT-C3; cves.md: Obot 1daa1eef4, where the gateway's token
 * went upstream, and GHSA-g53w-w6mj-hrpp, where an internal header reached any backend). A marker stands in everything that a
 * client can send beside the message, and is then looked for in everything that every kind of server receives.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/load.ts'
import { cli } from '../e2e/support/yard.ts'
import { Legacy, modern, modernParts, send } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, keyed, node, open, passed, refused, until, yard } from './support/house.ts'
import { naive } from './support/naive.ts'
import { type OldSse, oldSse } from './support/old-sse.ts'

const house = yard()
const marker = 'TaInT7f3a'
const { identity, bindings, tokens } = keyed(['ci'])
const token = tokens['ci'] as string
const secrets = [marker, token, token.slice(6, 30), Buffer.from(token).toString('base64').slice(0, 40)]
const childFile = join(house.folder(), 'child.jsonl')
const child = node(join(import.meta.dirname, 'support/child.ts'), childFile)
let newer: Echo
let older: Echo
let oldest: OldSse
let url: string
let folder: string
let out: readonly string[]

before(async () => {
  newer = await echo({ era: 'modern' })
  older = await echo({ era: 'legacy' })
  oldest = await oldSse()
  const servers = {
    newer: httpServer(newer, 'modern'),
    older: httpServer(older, 'legacy'),
    oldest: { url: oldest.url, era: 'legacy', transport: 'http+sse' },
    local: { command: child, env: { GIVEN: 'given' } },
  }
  const config = open(servers, { identity, bindings, allowedOrigins: [`https://${marker}.example`.toLowerCase()] })
  folder = house.folder()
  writeFileSync(join(folder, 'sekisho.yaml'), JSON.stringify(config))
  const env = { ...process.env, SECRET_OF_OURS: marker, NODE_EXTRA: marker, AWS_SECRET_ACCESS_KEY: marker, NODE_OPTIONS: '' }
  const running = house.start([cli, 'start', '--config', join(folder, 'sekisho.yaml'), '--json'], { cwd: folder, env })
  out = running.out
  const ready = await until('the gateway is ready', () => running.out.find((line) => line.startsWith('{"event":"ready"')))
  url = (JSON.parse(ready) as { listen: string }).listen
})
after(async () => {
  await house.close()
  await Promise.all([newer.close(), older.close(), oldest.close()])
})

/** Everything that a client may send beside the message itself. */
const stray: Record<string, string> = {
  cookie: `session=${marker}`,
  dpop: marker,
  'proxy-authorization': `Basic ${marker}`,
  'proxy-connection': marker,
  'x-forwarded-for': marker,
  'x-forwarded-host': marker,
  'x-forwarded-proto': marker,
  'x-forwarded-user': marker,
  'x-real-ip': marker,
  forwarded: `for=${marker}`,
  via: marker,
  referer: `https://${marker}.example/`,
  origin: `https://${marker}.example`.toLowerCase(),
  'user-agent': marker,
  'x-api-key': marker,
  'x-amz-security-token': marker,
  'x-ms-token-aad-access-token': marker,
  'ocp-apim-subscription-key': marker,
  'sekisho-principal': marker,
  'x-sekisho-principal': marker,
  traceparent: marker,
  'last-event-id': marker,
  'accept-language': marker,
  'content-type': `application/json; charset=utf-8; x=${marker}`,
  'x-http-method-override': marker,
  te: marker,
  'if-none-match': marker,
}
const heard = (): string =>
  [
    newer.everything(),
    older.everything(),
    oldest.everything(),
    existsSync(childFile) ? readFileSync(childFile, 'utf8') : '',
  ].join('\n')
const untainted = (where: string, text: string): void => {
  for (const secret of secrets) assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `${secret} in ${where}`)
}

it('the exploit (TPT-R1, TPT-R4): a relay that copies headers gives the server the client’s token', async () => {
  const victim = await echo()
  const relay = await naive(victim.url)
  const { body, headers } = modernParts('tools/list', {})
  await send(relay.url, { body, headers: { ...headers, ...stray, authorization: `Bearer ${token}` } })
  for (const secret of [token, marker]) assert.ok(victim.everything().includes(secret))
  await Promise.all([relay.close(), victim.close()])
})

describe('TPT-C3: nothing of it reaches any kind of server, in headers, body, argv or environment', () => {
  for (const server of ['newer', 'older', 'oldest', 'local'])
    for (const era of ['modern', 'legacy'] as const)
      it(`${era} client, ${server} server`, async () => {
        const at = `${url}/${server}/mcp?x=${marker}`
        const sent = { ...stray, authorization: `Bearer ${token}` }
        const name = server === 'local' ? 'echo' : 'read_note'
        if (era === 'modern')
          passed(await modern(at, 'tools/call', { name, arguments: {} }, { headers: { ...sent, 'mcp-session-id': marker } }))
        else {
          const session = await Legacy.open(`${url}/${server}/mcp`, { token })
          passed(await session.raw({ id: 1, method: 'tools/call', params: { name, arguments: {} } }, sent))
          await session.raw({ method: 'notifications/roots/list_changed' }, sent)
          await send(session.url, { method: 'DELETE', headers: { ...session.headers(), ...sent } })
        }
        const text = heard()
        assert.ok(text.includes(name))
        untainted(server, text)
      })

  it('a token in the URL is refused, with a right one in the header or without', async () => {
    for (const name of ['access_token', 'api_key', 'token', 'Access_Token'])
      refused(
        await modern(`${url}/newer/mcp?x=1&${name}=${token}`, 'tools/list', {}, { token }),
        400,
        'INVALID_REQUEST',
        /never in the URL/,
      )
  })

  it('only the headers of the protocol reach an HTTP server', () => {
    const ours =
      /^(host|connection|accept|content-type|content-length|transfer-encoding|mcp-(protocol-version|method|name|session-id|param-[\w-]+))$/
    const others = [...newer.heard, ...older.heard, ...oldest.heard]
      .flatMap(({ headers }) => Object.keys(headers))
      .filter((name) => !ours.test(name))
    assert.deepEqual([...new Set(others)], [])
  })

  it('an Mcp-Param-* that no schema declares is relayed, as the specification asks, and no other header with it', async () => {
    passed(
      await modern(
        `${url}/newer/mcp`,
        'tools/call',
        { name: 'read_note', arguments: {} },
        { token, headers: { 'mcp-param-hint': 'h', 'mcp-params': marker, 'x-mcp-param': marker } },
      ),
    )
    const { headers } = newer.heard.at(-1) as Echo['heard'][number]
    assert.deepEqual([headers['mcp-param-hint'], headers['mcp-params'], headers['x-mcp-param']], ['h', undefined, undefined])
  })
})

describe('what a child gets', () => {
  it('is the command, the configured variables and the allow-list; no variable of ours', async () => {
    const start = JSON.parse(readFileSync(childFile, 'utf8').split('\n')[0] as string) as {
      argv: string[]
      env: Record<string, string>
    }
    assert.deepEqual(start.argv.slice(1), child.slice(-2))
    const allowed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'GIVEN']
    assert.deepEqual(
      Object.keys(start.env).filter((name) => !allowed.includes(name)),
      [],
    )
    assert.equal(start.env['GIVEN'], 'given')
  })

  it('shell words in tool names and arguments stay words', async () => {
    const bait = join(folder, 'pwned')
    const words = [
      `$(touch ${bait})`,
      `; touch ${bait}`,
      `\`touch ${bait}\``,
      `| touch ${bait} #`,
      `&& touch ${bait}`,
      `'; touch ${bait}; '`,
      `\n touch ${bait}\n`,
      '--eval=1',
      '$IFS',
    ]
    for (const word of words) {
      const got = await modern(`${url}/local/mcp`, 'tools/call', { name: 'echo', arguments: { word } }, { token })
      assert.ok(got.text.includes(JSON.stringify(JSON.stringify({ word })).slice(3, -3)), got.text)
      await modern(`${url}/local/mcp`, 'tools/call', { name: word, arguments: {} }, { token })
    }
    assert.ok(!existsSync(bait))
  })
})

describe('what we keep and print', () => {
  it('has neither the token nor the marker, in no event and in no file', async () => {
    untainted('the events', out.join('\n'))
    for (const file of ['audit.db', 'audit.db-wal', 'audit.anchor', 'sekisho.db', 'sekisho.db-wal'])
      if (existsSync(join(folder, 'data', file))) untainted(file, readFileSync(join(folder, 'data', file), 'latin1'))
  })
})

describe('TPT-R6: there is no setting that would let a token through', () => {
  const attempts: readonly (readonly [path: string, server: object])[] = [
    ['passthrough', { passthrough: true }],
    ['forwardHeaders', { forwardHeaders: ['authorization'] }],
    ['headers', { headers: { authorization: 'Bearer x' } }],
    ['passHeaders', { passHeaders: true }],
    ['credential', { credential: { kind: 'passthrough' } }],
    ['forwardAuthorization', { forwardAuthorization: true }],
  ]
  for (const [key, server] of attempts)
    it(`servers.x.${key} is refused`, () => {
      const text = JSON.stringify({ servers: { x: { url: 'https://example.com/mcp', ...server } } })
      assert.throws(
        () => parseConfig(text),
        (error: { problems: { path: string }[] }) => error.problems.some(({ path }) => path.startsWith('servers.x')),
      )
    })

  it('and no key of the configuration is called anything like it', () => {
    const keys: string[] = []
    JSON.stringify(configJsonSchema(), (key, value: unknown) => {
      if (key === 'properties' && typeof value === 'object' && value !== null) keys.push(...Object.keys(value))
      return value
    })
    assert.ok(keys.includes('inheritEnv'))
    assert.deepEqual(
      keys.filter((key) => /pass.?(through|on|headers)|forward|relay|authorization|cookie|impersonat/i.test(key)),
      [],
    )
  })
})
