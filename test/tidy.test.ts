/**
 * Checks of the code itself: who may import whom, which words belong to which room, how long a file may be.
 * The map in ARCHITECTURE.md is this table in words; the test keeps both honest.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'node:test'

const root = resolve(import.meta.dirname, '..', 'src')
const rooms = [
  'lib',
  'protocol',
  'pipeline',
  'identity',
  'limits',
  'trust',
  'policy',
  'audit',
  'vault',
  'storage',
  'inbound',
  'outbound',
  'config',
  'admin',
  'cli',
] as const
type Room = (typeof rooms)[number]

/** Each room may import the rooms listed, and itself. gateway.ts and index.ts may import them all. */
const common = ['lib', 'protocol', 'pipeline'] as const
const mayImport: Readonly<Record<Room, readonly string[]>> = {
  lib: [],
  protocol: ['lib'],
  pipeline: ['lib', 'protocol'],
  identity: common,
  limits: common,
  trust: common,
  policy: common,
  audit: common,
  vault: common,
  inbound: common,
  outbound: common,
  storage: ['lib', 'identity', 'limits', 'policy', 'audit', 'vault', 'outbound', 'inbound'],
  config: [...common, 'identity', 'limits', 'trust', 'policy', 'audit', 'vault', 'storage', 'inbound', 'outbound'],
  admin: rooms.filter((room) => room !== 'cli'),
  cli: ['admin', 'config', 'lib', 'protocol', 'gateway.ts'],
}

/** A word that has a home. Found elsewhere, it is in the wrong room. */
const homes: readonly (readonly [RegExp, readonly string[], string])[] = [
  [/\bprocess\.env\b/, ['config'], 'settings are read once, in config/'],
  [/\bconsole\.|process\.stdout/, ['cli'], 'only the command line talks to a terminal'],
  [/node:child_process/, ['outbound'], 'servers are started in outbound/stdio/'],
  [/node:sqlite|\bINSERT INTO\b/, ['storage', 'audit'], 'only storage/, and audit/ for its own file, speak SQL'],
  [/\bDate\.now\(|\bnew Date\(\)/, ['lib'], 'take the clock you are given'],
  [/\bMath\.random\(/, [], 'never: node:crypto, through lib/random.ts'],
  [
    /(?<![.\w])fetch\(/,
    ['outbound'],
    'calls of servers leave through outbound/http/transport.ts, all others through lib/safe-fetch.ts',
  ],
  [
    /from 'undici'/,
    ['outbound', 'lib'],
    'calls of servers leave through outbound/http/transport.ts, all others through lib/safe-fetch.ts',
  ],
  [/\bas Cleared\b/, ['pipeline', 'outbound'], 'only judge() clears a parcel; outbound/ labels calls of its own making'],
  [/rejectUnauthorized: false|NODE_TLS_REJECT/, [], 'certificate errors always refuse'],
  [/shell: true/, [], 'no shell, ever'],
]

/** A file that is longer has two subjects. */
const linesMax = 400

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const sources = files
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => ({ file, room: file.split('/')[0] as string, text: readFileSync(join(root, file), 'utf8') }))

/** The command line may speak of the types of any room; it may not call into one. */
const code = (text: string, room: string): string => (room === 'cli' ? text.replace(/^import type .*$/gm, '') : text)

test('import arrows point one way', () => {
  const wrong = sources.flatMap(({ file, room, text }) =>
    [...code(text, room).matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)]
      .map(([, one, two]) => relative(root, resolve(dirname(join(root, file)), (one ?? two) as string)).split('/')[0] as string)
      .filter((target) => file.includes('/') && target !== room && !mayImport[room as Room]?.includes(target))
      .map((target) => `${file}: ${room}/ may not import ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('every folder of src/ is a room on the map', () => {
  assert.deepEqual(
    [...new Set(sources.filter(({ file }) => file.includes('/')).map(({ room }) => room))].filter(
      (room) => !rooms.includes(room as Room),
    ),
    [],
  )
})

test('words are found where they live', () => {
  const wrong = sources.flatMap(({ file, room, text }) => {
    const bare = text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '')
    return homes
      .filter(([word, at]) => word.test(bare) && !at.includes(room) && file.includes('/'))
      .map(([word, , why]) => `${file}: ${word.source}: ${why}`)
  })
  assert.deepEqual(wrong, [])
})

test(`no source file has more than ${linesMax} lines`, () => {
  assert.deepEqual(
    sources.filter(({ text }) => text.split('\n').length > linesMax).map(({ file }) => file),
    [],
  )
})

test('a revision is named nowhere but in protocol/revisions/ and where a client is answered by its own words', () => {
  const literal = /'20\d\d-\d\d-\d\d'/
  const allowed = ['protocol', 'inbound', 'outbound']
  assert.deepEqual(
    sources.filter(({ room, text }) => literal.test(text) && !allowed.includes(room)).map(({ file }) => file),
    [],
  )
})
