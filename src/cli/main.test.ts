/** What holds for every command. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'node:test'

const main = new URL('./main.ts', import.meta.url)

for (const args of [['version'], ['check', '--schema'], ['help']])
  test(`${args.join(' ')}: nobody reads what it prints, and it ends quietly`, async () => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main.pathname, ...args])
    child.stdout.destroy()
    let err = ''
    child.stderr.on('data', (chunk) => (err += chunk))
    const code = await new Promise((resolve) => child.on('close', resolve))
    assert.deepEqual([code, err], [0, ''])
  })

test('the Node that it asks for is the one that the package asks for', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    engines: { node: string }
  }
  assert.equal(engines.node, `>=${/nodeMin = (\d+)/.exec(readFileSync(main, 'utf8'))?.[1]}`)
})
