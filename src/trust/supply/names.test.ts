import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'node:test'
import { readPackageLock } from './inventory-npm.ts'
import { lookalikeOf } from './names.ts'
import { knownNpm, knownPyPi } from './names-known.ts'

const imitations: readonly ['npm' | 'pypi', string, of: string][] = [
  ['npm', '@modelcontextprotcol/server-filesystem', '@modelcontextprotocol'],
  ['npm', '@model-context-protocol/sdk', '@modelcontextprotocol'],
  ['npm', '@modelcontextprotocoI/sdk', '@modelcontextprotocol'],
  ['npm', 'modelcontextprotocol-sdk', '@modelcontextprotocol/sdk'],
  ['npm', 'server-filesystem', '@modelcontextprotocol/server-filesystem'],
  ['npm', '@evil/server-filesystem', '@modelcontextprotocol/server-filesystem'],
  ['npm', '@someone/notion-mcp-server', '@notionhq/notion-mcp-server'],
  ['npm', 'mcp-rernote', 'mcp-remote'],
  ['npm', 'mcp-rem0te', 'mcp-remote'],
  ['npm', 'mcp-remtoe', 'mcp-remote'],
  ['npm', 'mcp_remote', 'mcp-remote'],
  ['npm', 'remote-mcp', 'mcp-remote'],
  ['npm', 'firecrawi-mcp', 'firecrawl-mcp'],
  ['npm', 'supergatway', 'supergateway'],
  ['pypi', 'mcp-server-gitt', 'mcp-server-git'],
  ['pypi', 'mcp-sever-fetch', 'mcp-server-fetch'],
  ['pypi', 'fastmcpp', 'fastmcp'],
]
for (const [ecosystem, name, of] of imitations)
  test(`${name} may be taken for ${of}`, () => assert.equal(lookalikeOf(ecosystem, name)?.of, of))

const honest: readonly ['npm' | 'pypi', string][] = [
  ['npm', 'zod'],
  ['npm', 'mcp'],
  ['npm', '@acme/mcp'],
  ['npm', '@acme/cli'],
  ['npm', '@acme/mcp-server'],
  ['npm', 'mcp-server'],
  ['npm', '@modelcontextprotocol/server-of-tomorrow'],
  ['npm', 'my-company-mcp-server'],
  ['npm', `${'a'.repeat(10_000)}`],
  ['pypi', 'requests'],
  ['pypi', 'my-mcp-server'],
]
for (const [ecosystem, name] of [
  ...honest,
  ...knownNpm.map((one) => ['npm', one] as const),
  ...knownPyPi.map((one) => ['pypi', one] as const),
])
  test(`${name.slice(0, 40)} is like none`, () => assert.equal(lookalikeOf(ecosystem, name), undefined))

test('none of the packages of this project is taken for another', () => {
  const lock = readFileSync(resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8')
  const taken = readPackageLock(lock).flatMap(({ name }) => (lookalikeOf('npm', name) === undefined ? [] : [name]))
  assert.deepEqual(taken, [])
})
