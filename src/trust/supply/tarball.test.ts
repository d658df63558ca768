import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Entry, pax, tarball } from '../../../test/stand-ins/tarball.ts'
import type { FileLine } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { differenceFrom, readTarball } from './tarball.ts'

const good: Entry = { path: 'package/package.json', content: '{}' }
const bad: readonly (readonly [string, Buffer, RegExp])[] = [
  ['up and out', tarball(good, { path: 'package/../../etc/passwd', content: 'x' }), /etc\/passwd: leads out of the package/],
  [
    'up and out by a pax header',
    tarball(good, pax('package/../../../evil'), { path: 'package/fine' }),
    /leads out of the package/,
  ],
  [
    'up and out by a long name',
    tarball(good, { path: '././@LongLink', type: 'L', content: 'package/../../evil\0' }, { path: 'package/fine' }),
    /leads out/,
  ],
  ['an absolute path', tarball(good, { path: '/etc/passwd', content: 'x' }), /leads out of the package/],
  ['a drive of Windows', tarball(good, { path: 'C:/evil', content: 'x' }), /leads out of the package/],
  ['backslashes', tarball(good, { path: 'package\\..\\evil', content: 'x' }), /leads out of the package/],
  ['nothing but the folder that all share', tarball(good, { path: 'evil', content: 'x' }), /leads out of the package/],
  ['a symbolic link', tarball(good, { path: 'package/a', type: '2', link: '/etc' }), /package\/a: is a link or a device/],
  ['a hard link', tarball(good, { path: 'package/a', type: '1', link: 'package/b' }), /is a link or a device/],
  ['a device', tarball(good, { path: 'package/a', type: '3' }), /is a link or a device/],
  ['a wrong checksum', tarball(good, { path: 'package/a', checksum: 1 }), /a checksum of an entry is wrong/],
  ['a length beyond the end', tarball(good, { path: 'package/a', bytes: 1_000_000 }), /is cut off/],
  ['no gzip', Buffer.from('hello'), /is not a gzip file/],
  ['a gzip that is cut off', tarball(good).subarray(0, 20), /is not a gzip file/],
  ['no tar', gzipSync(Buffer.alloc(2048, 7)), /checksum/],
]

describe('SUP-C1 a tarball that no registry should deliver is refused as a whole', () => {
  for (const [what, bytes, says] of bad)
    it(what, () =>
      assert.throws(
        () => readTarball(bytes, 'evil@1.0.0'),
        (error: unknown) => {
          assert.ok(error instanceof NotAdmitted)
          assert.match(error.message, /^evil@1\.0\.0: /)
          assert.match(error.message, says)
          return true
        },
      ),
    )
})

it('files by their path, with long names of both kinds, in whatever folder they share', () => {
  const long = `package/${'long/'.repeat(40)}name.js`
  const read = readTarball(
    tarball(
      good,
      { path: 'package/', type: '5' },
      { path: 'package/empty' },
      pax(long),
      { path: 'cut', content: 'a' },
      { path: '@LongLink', type: 'L', content: `${long}2\0` },
      { path: 'cut', content: 'b' },
      { path: 'other/last.js', content: 'c' },
    ),
    'x',
  )
  assert.deepEqual(
    [...read].map(([path, content]) => [path, content.toString()]),
    [
      ['package.json', '{}'],
      ['empty', ''],
      [long.slice('package/'.length), 'a'],
      [`${long.slice('package/'.length)}2`, 'b'],
      ['last.js', 'c'],
    ],
  )
})

const line = (path: string, content: string): FileLine => ({
  path,
  program: false,
  bytes: content.length,
  digest: hash('sha256', content, 'hex'),
})
const delivered = new Map([
  ['a.js', Buffer.from('a')],
  ['.gitignore', Buffer.from('i')],
  ['node_modules/bundled/index.js', Buffer.from('b')],
])
const differences: readonly (readonly [string, readonly FileLine[], object | undefined])[] = [
  ['nothing', [line('a.js', 'a'), line('.gitignore', 'i')], undefined],
  ['what npm renames', [line('a.js', 'a'), line('.npmignore', 'i')], undefined],
  ['a byte', [line('a.js', 'b'), line('.gitignore', 'i')], { file: 'a.js', why: 'changed' }],
  ['a file less', [line('.gitignore', 'i')], { file: 'a.js', why: 'gone' }],
  ['a file more', [line('a.js', 'a'), line('.gitignore', 'i'), line('b.js', '')], { file: 'b.js', why: 'added' }],
]
describe('what is installed differs from what was delivered by', () => {
  for (const [what, installed, expected] of differences)
    it(what, () => assert.deepEqual(differenceFrom(delivered, installed), expected))
})
