/** `sekisho audit` where there is nothing to look at, and where there was. What it finds is in test/e2e/audit-tamper.test.ts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { makeLog, passOne } from '../audit/fixture.test.ts'

const main = new URL('./main.ts', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'sekisho-cli-audit-'))
const at = (name: string): string => join(folder, name)
writeFileSync(at('text'), 'no log'.repeat(1000))
writeFileSync(at('sekisho.yaml'), `audit: { path: ${at('audit.db')}, anchor: ${at('audit.anchor')} }`)

function audit(...args: string[]) {
  const flags = ['--disable-warning=ExperimentalWarning', main, 'audit', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, { cwd: folder, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr.replaceAll(folder, 'FOLDER') }
}

const lacking: readonly (readonly [says: string, args: readonly string[], err: RegExp])[] = [
  ['before the first start', [], /^error there is no log at FOLDER\/audit\.db; has the gateway run\? \(--path FILE\)\n$/],
  ['for a path that is mistyped', ['--path', 'adit.db'], /^error there is no log at adit\.db; has the gateway run/],
  ['for a file that is no log', ['--path', at('text')], /^error FOLDER\/text cannot be read as a log: /],
  ['without a configuration', ['-c', 'none.yaml'], /^none\.yaml:1:1 does not exist\n/],
]
for (const command of ['verify', 'search', 'tail', 'trace'])
  for (const [says, args, err] of lacking)
    test(`audit ${command}: a sentence and exit code 2, ${says}`, () => {
      const given = command === 'trace' ? ['x', ...args] : args
      const found = audit(command, ...given)
      assert.deepEqual([found.code, found.out], [2, ''])
      assert.match(found.err, err)
      const { error } = JSON.parse(audit(command, ...given, '--json').err) as { error: string }
      assert.notEqual(error, '')
    })

test('audit verify: a key that is none is refused in a sentence', () => {
  assert.deepEqual(audit('verify', '--public-key', at('text')), {
    code: 2,
    out: '',
    err: 'error FOLDER/text is not an Ed25519 public key in PEM\n',
  })
})

test('audit verify: a log without a configuration, with the anchor beside it or without one', async (t) => {
  const log = makeLog()
  t.after(() => log.remove())
  const open = await log.open()
  await passOne(open, { exchange: 'one' })
  await open.close()
  const copies = { 'files.audit.db': log.path, 'files.audit.anchor': log.anchor, 'alone.db': log.path }
  for (const [name, from] of Object.entries(copies)) cpSync(from, at(name))
  for (const args of [['-c', 'none.yaml'], []]) {
    const { code, out } = audit('verify', '--path', 'files.audit.db', ...args)
    assert.deepEqual([code, out.split('\n')[0]], [0, 'intact'])
  }
  for (const [path, says] of [
    ['alone.db', 'beside alone.db there is no anchor'],
    ['nowhere.db', 'there is no log at nowhere.db'],
  ] as const)
    assert.deepEqual(audit('verify', '--path', path, '-c', 'none.yaml'), {
      code: 2,
      out: '',
      err: `error ${says}, and no none.yaml\n  fix give both files: --path LOG.db --anchor LOG.anchor\n`,
    })
})

test('audit verify: a log that is gone while its anchor is there was taken away', async (t) => {
  const log = makeLog()
  t.after(() => log.remove())
  const open = await log.open()
  await passOne(open, { exchange: 'one' })
  await open.close()
  assert.equal(audit('verify', '--path', log.path, '--anchor', log.anchor).code, 0)
  const config = `audit: { path: ${log.path}, anchor: ${log.anchor} }`
  writeFileSync(at('own.yaml'), config)
  assert.equal(audit('verify', '-c', 'own.yaml', '--path', 'mistyped.db').code, 2)
  rmSync(log.path)
  for (const args of [
    ['--path', log.path, '--anchor', log.anchor],
    ['-c', 'own.yaml'],
    ['-c', 'own.yaml', '--path', log.path],
  ]) {
    const { code, out } = audit('verify', ...args)
    assert.equal(code, 1)
    assert.match(out, /tampered with[\s\S]*store-missing +entries 1 to 2 +there is no log at/)
  }
})
