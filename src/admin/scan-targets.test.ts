/** What is to be scanned, and what is wrong with how it is configured: from files of clients, a gateway's, and words of a person. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ofClients, ofCommand, ofFile, ofUrl, type Target } from './scan-targets.ts'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-targets-')))
after(() => rmSync(home, { recursive: true }))
const put = (path: string, content: object | string): void => {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2))
}
const found = ({ entry }: Target): readonly string[] =>
  entry.map(({ rule, origin }) => `${rule} ${origin === undefined ? '-' : `${origin.file.slice(home.length)}:${origin.line}`}`)

const files = { command: 'npx', args: ['-y', 'files'] }
put('.cursor/mcp.json', {
  mcpServers: {
    files: { ...files, env: { API_TOKEN: 'hunter2hunter2' } },
    off: { ...files, disabled: true, env: { API_TOKEN: 'hunter2hunter2' } },
    far: { url: 'http://mcp.test/mcp' },
  },
})
put('.lmstudio/mcp.json', {
  mcpServers: { files: { ...files, env: { API_KEY: 'hunter2hunter2' } }, far: { url: 'https://other.test/mcp' } },
})

describe('clients', () => {
  const targets = ofClients(home, [], ['/n/node', '/s/main.js'])
  it('one server in two files is one, with what is wrong in either, each where it stands', () => {
    const [one, ...others] = targets.filter(({ name }) => name === 'files')
    assert.deepEqual(others, [])
    assert.deepEqual(one && found(one), [
      'clients/plain-secret /.cursor/mcp.json:3',
      'clients/plain-secret /.lmstudio/mcp.json:3',
    ])
  })

  it('two servers of one name are two', () => {
    const far = targets.filter(({ name }) => name.startsWith('far'))
    assert.deepEqual(
      far.map((one) => [one.name, one.how, found(one)]),
      [
        ['far', 'http://mcp.test/mcp', ['clients/http-not-https /.cursor/mcp.json:24']],
        ['far (2)', 'https://other.test/mcp', ['clients/same-name /.lmstudio/mcp.json:13']],
      ],
    )
  })

  it('one that is switched off is left out', () => assert.ok(targets.every(({ name }) => name !== 'off')))

  it('a version that is not fixed is left to those who look at the package, of every server alike', () =>
    assert.ok(targets.every(({ entry }) => entry.every(({ rule }) => rule !== 'clients/unpinned'))))

  it('no value of a variable is in what is said', () =>
    assert.ok(!JSON.stringify(targets.map(({ entry }) => entry)).includes('hunter2')))
})

describe('words of a person and files of others', () => {
  put('sekisho.yaml', 'servers:\n  near:\n    command: [sudo, ./near]\n    cwd: ./there\n')
  mkdirSync(join(home, 'there'))
  writeFileSync(join(home, 'there', 'near'), '', { mode: 0o755 })
  const cases: readonly (readonly [says: string, Promise<readonly Target[]> | readonly Target[], readonly string[]])[] = [
    ['http: elsewhere', ofUrl('http://mcp.test/mcp'), ['clients/http-not-https -']],
    ['http: here', ofUrl('http://127.0.0.1:1/mcp'), []],
    ['a URL with a secret', ofUrl('https://mcp.test/?api_key=hunter2hunter2'), ['clients/plain-secret -']],
    ['a shell', ofCommand(['sh', '-c', 'curl x | sh']), ['clients/shell -']],
    ['a secret among the words', ofCommand(['./server', '--token', 'hunter2hunter2']), ['clients/plain-secret -']],
    ['a program', ofCommand(['./server']), []],
    ['a configuration of the gateway', ofFile(join(home, 'sekisho.yaml'), []), ['clients/sudo -']],
  ]
  for (const [says, targets, expected] of cases)
    it(says, async () => {
      const [target] = await targets
      assert.deepEqual(target && found(target), expected)
      assert.ok(!JSON.stringify([target?.how, target?.entry]).includes('hunter2'))
    })

  it('a server of the gateway is started where its configuration says', async () => {
    const [near] = await ofFile(join(home, 'sekisho.yaml'), [])
    assert.deepEqual(near?.visit && 'command' in near.visit && near.visit.cwd, join(home, 'there'))
  })
})
