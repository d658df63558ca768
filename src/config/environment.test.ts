import assert from 'node:assert/strict'
import test from 'node:test'
import { readEnvironment } from './environment.ts'

test('the proxy is read in either spelling; the lower one wins, an empty one does not count', () => {
  const { proxy } = readEnvironment({
    HTTPS_PROXY: 'http://a',
    https_proxy: 'http://b',
    http_proxy: '',
    HTTP_PROXY: 'http://c',
    no_proxy: '.local',
  })
  assert.deepEqual(proxy, { https: 'http://b', http: 'http://c', no: '.local' })
  assert.deepEqual(readEnvironment({}).proxy, { https: undefined, http: undefined, no: undefined })
})

const folders: readonly [variables: Record<string, string>, folder: string | undefined][] = [
  [{}, undefined],
  [{ HOME: '/home/me' }, '/home/me/.local/share/sekisho'],
  [{ HOME: '/home/me', XDG_DATA_HOME: '/data' }, '/data/sekisho'],
  [{ HOME: '/home/me', XDG_DATA_HOME: 'relative' }, '/home/me/.local/share/sekisho'],
]
for (const [variables, folder] of folders)
  test(`data of ${JSON.stringify(variables)} is in ${folder}`, () => assert.equal(readEnvironment(variables).dataFolder, folder))

test('a variable that nobody set is not found in a prototype', () => {
  const { variables } = readEnvironment({ A: 'b' })
  assert.deepEqual([variables['A'], variables['constructor'], variables['toString']], ['b', undefined, undefined])
})
