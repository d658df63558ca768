import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Entry, pax, paxHeader, tarball } from '../../../test/stand-ins/tarball.ts'
import type { FileLine } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { differenceFrom, readTarball } from './tarball.ts'

const good: Entry = { path: 'package/package.json', content: '{}' }
const file: Entry = { path: 'package/file', content: 'x' }
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
  [
    'two names in one pax header',
    tarball(good, paxHeader(['path', 'package/a'], ['path', 'package/b']), file),
    /in more than one way/,
  ],
  [
    'a record within the value of another',
    tarball(good, paxHeader(['comment', `x\n${pax('package/b').content?.trimEnd()}`]), file),
    /in more than one way/,
  ],
  [
    'a pax header that is cut off',
    tarball(good, { path: 'h', type: 'x', content: '99 path=package/b\n' }, file),
    /in more than one/,
  ],
  [
    'a pax header without a length',
    tarball(good, { path: 'h', type: 'x', content: 'path=package/b\n' }, file),
    /in more than one/,
  ],
  [
    'a length in another notation',
    tarball(good, { path: 'h', type: 'x', content: '0x12 path=package/b\n' }, file),
    /in more than/,
  ],
  ['two pax headers of one entry', tarball(good, pax('package/a'), pax('package/b'), file), /two headers that name one entry/],
  [
    'a pax header and a long name',
    tarball(good, pax('package/a'), { path: 'l', type: 'L', content: 'package/b\0' }, file),
    /two headers that name one entry/,
  ],
  ['a name for all entries', tarball(good, { ...pax('package/a'), type: 'g' }, file), /one name or size for all/],
  ['a size for all entries', tarball(good, { ...paxHeader(['size', '1']), type: 'g' }, file), /one name or size for all/],
  ['an entry of two sizes', tarball(good, paxHeader(['size', '0']), file), /an entry of two sizes/],
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
      { ...paxHeader(['comment', 'a commit']), type: 'g' },
      paxHeader(['mtime', '1.5'], ['path', 'package/é=ü'], ['size', '1']),
      { path: 'cut', content: 'd' },
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
      ['é=ü', 'd'],
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
