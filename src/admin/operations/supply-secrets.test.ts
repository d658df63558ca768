import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { supplySecrets } from './supply-secrets.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-secrets-'))
after(() => rmSync(folder, { recursive: true }))
const token = `gh${'p_'}x1Y2z3A4b5C6d7E8f9G0h1J2k3L4m5N6o7P8`
mkdirSync(join(folder, 'deep', 'node_modules'), { recursive: true })
writeFileSync(join(folder, 'a.env'), `# keys\n\nTOKEN=${token}\n`)
writeFileSync(join(folder, 'deep', 'b.txt'), `${token} # sekisho:allow-secret, of a test\nnext\n${token}\n`)
writeFileSync(join(folder, 'deep', 'node_modules', 'c.txt'), token)
writeFileSync(join(folder, 'binary'), Buffer.concat([Buffer.from([0, 1, 2]), Buffer.from(token)]))
writeFileSync(join(folder, 'large.txt'), Buffer.alloc(6_000_000, 'a'))
symlinkSync(join(folder, 'a.env'), join(folder, 'link'))

test('every place, with its line and column, and never the secret itself', async () => {
  const report = await supplySecrets([folder, join(folder, 'nowhere')], new Set())
  assert.deepEqual(
    report.found.map(({ file, line, column, rule }) => [file.slice(folder.length), line, column, rule]),
    [
      ['/a.env', 3, 7, 'secret/github-token'],
      ['/deep/b.txt', 3, 1, 'secret/github-token'],
    ],
  )
  assert.deepEqual(
    report.unread.map(({ path, why }) => [path.slice(folder.length), why]),
    [
      ['/large.txt', 'it has more than 5242880 bytes'],
      ['/nowhere', 'is not there'],
    ],
  )
  assert.ok(!JSON.stringify(report).includes(token.slice(4)))
  const allowed = new Set([report.found[0]?.sha256 ?? ''])
  assert.deepEqual((await supplySecrets([folder], allowed)).found, [])
})
