/** `npm start -- --sso` as people meet it: three of them log in, each may do what their role allows, and it ends cleanly. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { people } from '../../scripts/sso/company.ts'
import { ROOT } from '../conformance/launch.ts'
import { Person } from './support/person.ts'
import { SignedIn } from './support/signed-in.ts'
import { until } from './support/until.ts'
import { alive, children, type Running, Yard } from './support/yard.ts'

const yard = new Yard()
const folder = yard.folder()
let running: Running
let gateway = ''
let provider = ''
before(async () => {
  running = yard.start([
    join(ROOT, 'scripts/run.mjs'),
    'src/cli/main.ts',
    'start',
    '--example',
    '--sso',
    '--port',
    '0',
    '--folder',
    folder,
  ])
  const found = (pattern: RegExp) => () => running.out.map((line) => pattern.exec(line)?.[1]).find((one) => one !== undefined)
  gateway = await until('it says where the gateway is', found(/all servers\s+(\S+)\/mcp/), 30_000)
  provider = await until('it says where people log in', found(/Who can log in\s+at ([^,]+),/))
})
after(() => yard.close())

const memory = '/memory/mcp'
const hakone = { entities: [{ name: 'Hakone', entityType: 'checkpoint', observations: [] }] }
const may: Readonly<Record<string, readonly boolean[]>> = {
  Reader: [true, false, false],
  Writer: [true, true, false],
  Administrator: [true, true, true],
}

describe('GEN-6 the example behind a login', { concurrency: false }, () => {
  it('says who can log in, and where to paste what', () => {
    const all = running.out.join('\n')
    for (const { name, username } of people) assert.match(all, new RegExp(`${name} +${username} +may `))
    assert.match(all, /claude mcp add --transport http sekisho/)
    assert.doesNotMatch(all, /KEY/)
  })

  for (const { username, role } of people)
    for (const era of ['legacy', 'modern'] as const)
      it(`${role}, ${era}: consents, logs in, and may do what the role allows`, { timeout: 60_000 }, async () => {
        const client = await SignedIn.open(`${gateway}${memory}`, new Person(username, [gateway, provider]), era)
        try {
          const titles = client.landings[0]?.pages.map(({ origin, title }) => [origin, title])
          assert.deepEqual(titles, [
            [gateway, 'Allow access?'],
            [provider, 'Sign in to your account'],
          ])
          const calls = [
            ['read_graph', {}],
            ['create_entities', hakone],
            ['delete_entities', { entityNames: ['Hakone'] }],
          ] as const
          for (const [at, [tool, given]] of calls.entries()) {
            const { text, isError } = await client.call(tool, given)
            assert.equal(!isError, may[role]?.[at], `${role} ${tool}: ${text}`)
            if (isError) assert.match(text, /Policy does not allow the tool/)
          }
          assert.equal(client.landings.length, 1, 'nobody is asked to log in again for what policy refuses')
        } finally {
          await client.close()
        }
      })

  it('ends with Ctrl-C, which reaches every process of it at once, and leaves nothing behind', async () => {
    const [sso = 0] = children(running.pid)
    const [cli = 0] = children(sso)
    const all = [running.pid, sso, cli, ...children(cli)]
    assert.ok(all.length >= 4, `the gateway and at least one server run: ${all}`)
    for (const pid of [running.pid, sso, cli]) process.kill(pid, 'SIGINT')
    const { code } = await running.ended
    assert.equal(code, 0)
    await until('all processes are gone', () => !all.some(alive))
  })
})
