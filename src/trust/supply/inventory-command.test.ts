import assert from 'node:assert/strict'
import test from 'node:test'
import { startedBy } from './inventory-command.ts'

const digest = 'a'.repeat(64)
const commit = 'b'.repeat(40)

const pinned: readonly [command: string, name: string, version: string | undefined, purl: string | undefined][] = [
  ['npx -y @scope/server@1.2.3 --flag', '@scope/server', '1.2.3', 'pkg:npm/%40scope/server@1.2.3'],
  ['/usr/bin/npx server@0.1.0-beta.2', 'server', '0.1.0-beta.2', 'pkg:npm/server@0.1.0-beta.2'],
  ['npx.cmd --package=tool@2.0.0 -- run', 'tool', '2.0.0', 'pkg:npm/tool@2.0.0'],
  ['npm exec -p tool@2.0.0 run', 'tool', '2.0.0', 'pkg:npm/tool@2.0.0'],
  ['bunx tool@2.0.0', 'tool', '2.0.0', 'pkg:npm/tool@2.0.0'],
  ['npx other@npm:tool@2.0.0', 'tool', '2.0.0', 'pkg:npm/tool@2.0.0'],
  ['env A=1 B=2 npx tool@2.0.0', 'tool', '2.0.0', 'pkg:npm/tool@2.0.0'],
  ['uvx mcp-server-git==2025.1.14', 'mcp-server-git', '2025.1.14', 'pkg:pypi/mcp-server-git@2025.1.14'],
  ['uvx --from Mcp_Server.Git==1.0 run', 'mcp-server-git', '1.0', 'pkg:pypi/mcp-server-git@1.0'],
  ['uv tool run tool@1.0', 'tool', '1.0', 'pkg:pypi/tool@1.0'],
  ['pipx run tool[extra]==1.0rc1', 'tool', '1.0rc1', 'pkg:pypi/tool@1.0rc1'],
]
for (const [command, name, version, purl] of pinned)
  test(`pinned: ${command}`, () => {
    const started = startedBy(command.split(' '))
    assert.deepEqual([started?.name, started?.version, started?.purl, started?.gaps], [name, version, purl, []])
  })

test('an image is pinned by its digest, and by nothing else', () => {
  const started = startedBy(`docker run -i --rm -e KEY -v /a:/b ghcr.io/acme/server:1@sha256:${digest} --stdio`.split(' '))
  assert.equal(started?.name, 'ghcr.io/acme/server')
  assert.equal(started?.hash, `sha256:${digest}`)
  assert.deepEqual(started?.gaps, [])
})

const open: readonly [command: string, name: string, gap: RegExp][] = [
  ['npx -y server', 'server', /no version/],
  ['npx server@latest', 'server', /"latest" is a range or a tag/],
  ['npx server@^1.2.0', 'server', /range/],
  ['npx server@1', 'server', /range/],
  ['npx --registry https://npm.example.com server@1.0.0', 'server', /private registry/],
  ['npx ./server', './server', /local path/],
  ['npx github:acme/server', 'server', /without a whole commit/],
  ['npx acme/server#v1', 'server', /without a whole commit/],
  [`npx git+https://github.com/acme/server.git#${commit}`, 'server', /^a git repository$/],
  ['npx https://example.com/server.tgz', 'https://example.com/server.tgz', /tarball/],
  ['npx', 'unknown', /no package/],
  ['uvx server', 'server', /no version/],
  ['uvx server>=1', 'server', /range/],
  ['uvx server==1.*', 'server', /range/],
  ['uvx --from git+https://github.com/acme/server run', 'server', /without a whole commit/],
  ['uvx --index-url https://pypi.example.com server==1.0', 'server', /private registry/],
  ['uv run --directory /opt/server main.py', 'main.py', /local path/],
  ['docker run -i acme/server', 'acme/server', /no tag/],
  ['docker run --pull always acme/server:latest', 'acme/server', /"latest" moves/],
  ['docker ps', 'unknown', /no image/],
  ['python -m server', 'server', /module/],
  ['node --import ./x.mjs dist/index.js', 'index.js', /without a version/],
  ['C:\\tools\\server.exe', 'server', /without a version/],
]
for (const [command, name, gap] of open)
  test(`not pinned: ${command}`, () => {
    const started = startedBy(command.split(' '))
    assert.equal(started?.name, name)
    assert.match(started?.gaps.join('; ') ?? '', gap)
  })

test('an empty command starts nothing', () => assert.equal(startedBy([]), undefined))
