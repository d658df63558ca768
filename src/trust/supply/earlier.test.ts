import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { weakerThan, withEarlier } from './earlier.ts'
import type { NpmLock, PackageLock } from './lock.ts'

const repository = 'https://github.com/acme/server'
const provenance = { status: 'verified', repository, builder: 'x' } as const
const unasked = { status: 'not checked', why: 'nobody was asked' } as const
const signature = { status: 'verified', key: 'SHA256:x' } as const
const at = (version: string, changes: Partial<PackageLock> = {}): NpmLock =>
  ({
    kind: 'npm',
    packages: {
      'node_modules/a': {
        package: `pkg:npm/a@${version}`,
        integrity: 'sha512-x',
        files: 'sha256:x',
        signature,
        provenance,
        ...changes,
      },
    },
  }) as Partial<NpmLock> as NpmLock

describe('SUP-C3 what another version has lost is told', () => {
  const cases: readonly (readonly [string, NpmLock, NpmLock | undefined, readonly string[]])[] = [
    ['nothing', at('2'), at('1'), []],
    ['the first lock', at('2', { provenance: { status: 'absent' } }), undefined, []],
    ['the same version', at('1', { provenance: { status: 'absent' } }), at('1'), []],
    ['provenance', at('2', { provenance: { status: 'absent' } }), at('1'), ['provenance']],
    ['provenance that nobody could check', at('2', { provenance: unasked }), at('1'), ['provenance']],
    [
      'its repository',
      at('2', { provenance: { ...provenance, repository: 'https://github.com/evil/server' } }),
      at('1'),
      ['repository'],
    ],
    ['its signature', at('2', { signature: { status: 'absent' } }), at('1'), ['signature']],
    ['its innocence', at('2', { installScripts: { postinstall: 'x' } }), at('1'), ['installScripts']],
    ['what it never had', at('2', { provenance: { status: 'absent' } }), at('1', { provenance: { status: 'absent' } }), []],
  ]
  for (const [name, now, before, expected] of cases)
    it(name, () =>
      assert.deepEqual(
        weakerThan(now, before).map(({ what }) => what),
        expected,
      ),
    )
})

it('what was verified of the same bytes stays so when nobody is asked, and of other bytes it does not', () => {
  const now = at('1', { provenance: unasked, signature: unasked })
  assert.deepEqual(withEarlier(now, at('1')).packages, at('1').packages)
  for (const changes of [{ files: 'sha256:y' }, { integrity: 'sha512-y' }])
    assert.deepEqual(withEarlier({ ...now }, at('1', changes)).packages, now.packages)
  assert.deepEqual(withEarlier(now, at('2')).packages, now.packages)
  const gone = at('1', { provenance: { status: 'absent' } })
  assert.deepEqual(withEarlier(gone, at('1')).packages, gone.packages, 'what was asked and is not there is not there')
})
