import assert from 'node:assert/strict'
import test from 'node:test'
import { clientPlaces } from './client-places.ts'

test('without a home there is nothing to look in', () => {
  for (const variables of [{}, { HOME: '' }, { HOME: 'relative' }])
    assert.throws(() => clientPlaces(undefined, variables, 'linux'), {
      message: 'there is no home to look for clients in; set HOME',
    })
})

const variables = {
  HOME: '/home/me',
  XDG_CONFIG_HOME: '/cfg',
  APPDATA: '/roaming',
  LOCALAPPDATA: '/local',
  CODEX_HOME: 'relative',
}
const cases: readonly (readonly [says: string, home: string | undefined, system: NodeJS.Platform, expected: object])[] = [
  ['what the environment says', undefined, 'darwin', { platform: 'darwin', home: '/home/me', configHome: '/cfg' }],
  [
    'Windows has two folders more',
    undefined,
    'win32',
    { platform: 'win32', home: '/home/me', configHome: '/cfg', appData: '/roaming', localAppData: '/local' },
  ],
  ['a home that was named, and no variable', '/other', 'linux', { platform: 'linux', home: '/other' }],
  ['a platform that is none of ours', '/other', 'freebsd', { platform: 'linux', home: '/other' }],
]
for (const [says, home, system, expected] of cases)
  test(says, () => {
    const set = Object.entries(clientPlaces(home, variables, system)).filter(([, value]) => value !== undefined)
    assert.deepEqual(Object.fromEntries(set), expected)
  })
