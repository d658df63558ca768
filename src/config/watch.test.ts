import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { checkConfig } from './load.ts'
import { type Problem, RestartNeeded } from './problem.ts'
import type { Config } from './schema.ts'
import { watchConfig } from './watch.ts'

function watched(text: string, changed: (config: Config) => void = () => undefined, named: readonly string[] = []) {
  const file = join(mkdtempSync(join(tmpdir(), 'sekisho-watch-')), 'sekisho.yaml')
  writeFileSync(file, text)
  const taken: number[] = []
  const refused: (readonly Problem[])[] = []
  const watch = watchConfig(file, {
    variables: {},
    pollMs: 50,
    named: () => named,
    changed: (config) => {
      changed(config)
      taken.push(config.listen.port)
    },
    refused: (problems) => refused.push(problems),
  })
  const until = async (isDone: () => boolean) => {
    for (let look = 0; look < 100 && !isDone(); look++) await wait(50)
    assert.ok(isDone(), JSON.stringify({ taken, refused }))
  }
  return { file, taken, refused, watch, until }
}

test('a mistake is reported and nothing is taken over; what follows is', async () => {
  const { file, taken, refused, watch, until } = watched('listen: 127.0.0.1:1')
  writeFileSync(file, 'lisen: 127.0.0.1:2')
  await until(() => refused.length === 1)
  assert.equal(refused[0]?.[0]?.path, 'lisen')
  assert.deepEqual(taken, [])
  // as editors do it: written beside, then moved over
  writeFileSync(`${file}.new`, 'listen: 127.0.0.1:3')
  renameSync(`${file}.new`, file)
  await until(() => taken.length === 1)
  assert.deepEqual(taken, [3])
  watch.close()
})

test('on demand, and the answer says whether it was taken over', async () => {
  const { file, taken, refused, watch } = watched('listen: 127.0.0.1:1')
  assert.equal(await watch.reload(), true)
  writeFileSync(file, '- nonsense')
  assert.equal(await watch.reload(), false)
  assert.deepEqual(taken, [1])
  assert.ok(refused.length >= 1)
  watch.close()
})

test('a check that throws is a problem like any other, and the next change is looked at again', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sekisho-watch-')), 'sekisho.yaml')
  writeFileSync(file, 'listen: 127.0.0.1:1')
  const refused: (readonly Problem[])[] = []
  const taken: number[] = []
  let isBroken = true
  const watch = watchConfig(file, {
    variables: {},
    check: (...given) => (isBroken ? Promise.reject(new TypeError('reading tenants of undefined')) : checkConfig(...given)),
    changed: ({ listen }) => void taken.push(listen.port),
    refused: (problems) => refused.push(problems),
  })
  assert.equal(await watch.reload(), false)
  assert.deepEqual(
    refused.map(([problem]) => problem?.message),
    ['could not be taken over: reading tenants of undefined'],
  )
  isBroken = false
  assert.equal(await watch.reload(), true)
  assert.deepEqual(taken, [1])
  watch.close()
})

test('a takeover that fails is a problem like any other', async () => {
  const { refused, watch } = watched('listen: 127.0.0.1:1', () => {
    throw new Error('port in use')
  })
  assert.equal(await watch.reload(), false)
  assert.match(refused[0]?.[0]?.message ?? '', /could not be taken over: port in use/)
  watch.close()
})

test('what needs a restart is pointed at, and so is the restart', async () => {
  const { refused, watch } = watched('servers: {}\nlimits:\n  depthMax: 5\n', () => {
    throw new RestartNeeded(['limits', 'depthMax'])
  })
  assert.equal(await watch.reload(), false)
  assert.deepEqual(refused, [
    [
      {
        path: 'limits.depthMax',
        line: 3,
        column: 3,
        message: 'cannot change while the gateway runs',
        fix: 'restart the gateway',
      },
    ],
  ])
  watch.close()
})

test('a file that is being written is not read before it rests: half of it may be valid, without its deny rules', async () => {
  const { file, taken, watch, until } = watched('listen: 127.0.0.1:1')
  const reloaded = watch.reload()
  for (const port of [5, 6, 7]) {
    writeFileSync(file, `listen: 127.0.0.1:${port}`)
    await wait(60)
  }
  await reloaded
  await until(() => taken.length > 0)
  assert.equal(taken[0], 7)
  watch.close()
})

test('a file that it names counts like the document itself', async () => {
  const manifest = join(mkdtempSync(join(tmpdir(), 'sekisho-watch-')), 'crm.json')
  const { taken, watch, until } = watched('listen: 127.0.0.1:1', undefined, [manifest])
  writeFileSync(manifest, 'one')
  await until(() => taken.length === 1)
  rmSync(manifest)
  await until(() => taken.length === 2)
  watch.close()
})
