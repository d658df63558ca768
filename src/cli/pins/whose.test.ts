import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { localKeyFile } from '../../admin/with-pins.ts'
import { whoseOf } from './whose.ts'

const usual = './sekisho.yaml'

test('where no configuration is here, but servers were guarded, the flag that was meant is named', (context) => {
  const [folder, before, home] = [mkdtempSync(join(tmpdir(), 'sekisho-whose-')), process.cwd(), process.env['XDG_DATA_HOME']]
  context.after(() => {
    process.chdir(before)
    if (home === undefined) delete process.env['XDG_DATA_HOME']
    else process.env['XDG_DATA_HOME'] = home
  })
  process.chdir(folder)
  process.env['XDG_DATA_HOME'] = folder
  const data = join(folder, 'sekisho')
  assert.deepEqual(whoseOf({ config: usual }), { config: usual }, 'nobody was ever guarded here')

  mkdirSync(data)
  writeFileSync(localKeyFile(data), '')
  assert.throws(() => whoseOf({ config: usual }), { message: /there is no \.\/sekisho\.yaml here/, fix: /say --local/ })
  assert.deepEqual(whoseOf({ config: usual, local: true }), { data })
  assert.deepEqual(whoseOf({ config: '/nowhere/sekisho.yaml' }), { config: '/nowhere/sekisho.yaml' }, 'taken at its word')

  writeFileSync(join(folder, 'sekisho.yaml'), '')
  assert.deepEqual(whoseOf({ config: usual }), { config: usual })
})
