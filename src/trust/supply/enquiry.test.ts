import assert from 'node:assert/strict'
import { createHash, hash, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openSigstore, provenanceOf, type SigstoreStandIn } from '../../../test/stand-ins/sigstore.ts'
import { tarball } from '../../../test/stand-ins/tarball.ts'
import { FetchRefused } from '../../lib/fetch-refused.ts'
import { checkTarball } from './check-tarball.ts'
import { type Asked, type EnquiryOptions, enquiry } from './enquiry.ts'
import type { FileLine } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { npmRegistry } from './registry.ts'

const name = '@acme/server'
const version = '1.2.3'
const manifest = JSON.stringify({
  name,
  version,
  license: 'MIT',
  repository: 'github:acme/server',
  scripts: { postinstall: 'x' },
})
const bytes = tarball({ path: 'package/package.json', content: manifest }, { path: 'package/main.js', content: 'main' })
const digest = createHash('sha512').update(bytes).digest()
const integrity = `sha512-${digest.toString('base64')}`
const line = (path: string, content: string): FileLine => ({
  path,
  program: false,
  bytes: content.length,
  digest: hash('sha256', content, 'hex'),
})
const files = [line('main.js', 'main'), line('package.json', manifest)]
const asked: Asked = {
  name,
  version,
  repository: 'git+https://github.com/acme/server.git',
  installScripts: true,
  recorded: { version, integrity, resolved: undefined },
  files,
}

let sigstore: SigstoreStandIn
let cache: string
let bundle: object
before(async () => {
  sigstore = await openSigstore()
  bundle = await sigstore.bundle(provenanceOf('pkg:npm/%40acme/server@1.2.3', digest.toString('hex')))
  cache = mkdtempSync(join(tmpdir(), 'sekisho-cache-'))
  const hex = digest.toString('hex')
  const path = join(cache, 'content-v2/sha512', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
})
after(() => rmSync(cache, { recursive: true }))

const signatureOver = (message: string): object => ({
  keyid: sigstore.registryKey.id,
  sig: sign('sha256', Buffer.from(message), sigstore.registryKey.key).toString('base64'),
})
const dist = (changes: object = {}): object => ({
  integrity,
  signatures: [signatureOver(`${name}@${version}:${integrity}`)],
  attestations: { url: 'https://registry.test/-/npm/v1/attestations/@acme%2fserver@1.2.3' },
  ...changes,
})

/** A registry with these answers, by the end of the path; everything else is 404. */
function registry(answers: Readonly<Record<string, unknown>>): NonNullable<EnquiryOptions['registry']> {
  return npmRegistry({
    url: 'https://registry.test/',
    reach: async (url) => {
      const path = String(url).slice('https://registry.test/'.length)
      const answer = answers[path]
      if (answer instanceof Error) throw answer
      if (answer instanceof Buffer) return new Response(new Uint8Array(answer))
      if (typeof answer === 'number') return new Response('', { status: answer })
      return answer === undefined ? new Response('', { status: 404 }) : Response.json(answer)
    },
  })
}
const whole = (changes: object = {}, more: object = {}): Record<string, unknown> => ({
  '@acme%2fserver/1.2.3': { name, version, dist: dist(changes) },
  '@acme%2fserver': { time: { [version]: '2026-01-01T00:00:00.000Z' } },
  '-/npm/v1/attestations/@acme%2fserver@1.2.3': { attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle }] },
  '@acme/server/-/server-1.2.3.tgz': bytes,
  ...more,
})
const enquire = (answers: Readonly<Record<string, unknown>> | undefined, changes: Partial<EnquiryOptions> = {}) =>
  enquiry({ registry: answers && registry(answers), cache, trust: () => sigstore.trust, ...changes })

const statuses = ({ contents, signature, provenance }: Awaited<ReturnType<ReturnType<typeof enquiry>>>): string[] => [
  typeof contents === 'string' ? contents : `failed: ${contents?.why}`,
  ...[signature, provenance].map((one) => ('why' in one ? `${one.status}: ${one.why}` : one.status)),
]

const cases: readonly (readonly [
  string,
  () => Record<string, unknown> | undefined,
  readonly (string | RegExp)[],
  Partial<Asked>?,
])[] = [
  ['everything is there', () => whole(), ['as in the tarball', 'verified', 'verified']],
  ['nobody is asked', () => undefined, ['as in the tarball', 'not checked: nobody was asked', 'not checked: nobody was asked']],
  [
    'the registry cannot be reached',
    () => ({ '@acme%2fserver/1.2.3': new FetchRefused('unreachable', 'registry.test cannot be reached', 'x') }),
    ['as in the tarball', /^not checked: source unreachable: registry\.test/, /^not checked: source unreachable: registry\.test/],
  ],
  [
    'the registry is broken',
    () => ({ '@acme%2fserver/1.2.3': 503 }),
    [/./, /^not checked: source unreachable: .*503/, /^not checked: source unreachable/],
  ],
  [
    'the registry answers with nonsense',
    () => ({ '@acme%2fserver/1.2.3': Buffer.from('<html>') }),
    [/./, /^not checked: .*not JSON/, /^not checked/],
  ],
  ['the registry does not know it', () => ({}), [/./, 'not checked: the registry does not know this version', /^not checked/]],
  [
    'a registry without signatures and attestations',
    () => whole({ signatures: undefined, attestations: undefined }),
    [/./, 'absent', 'absent'],
  ],
  ['an empty list of signatures', () => whole({ signatures: [] }), [/./, 'absent', 'verified']],
  [
    'a signature over other bytes',
    () => whole({ signatures: [signatureOver(`${name}@${version}:sha512-other`)] }),
    [/./, /^failed: the signature of the registry is wrong/, 'verified'],
  ],
  [
    'a good signature and a bad one',
    () => whole({ signatures: [signatureOver(`${name}@${version}:${integrity}`), { keyid: 'SHA256:test', sig: 'AAAA' }] }),
    [/./, /^failed/, 'verified'],
  ],
  [
    'a key that nobody knows',
    () => whole({ signatures: [{ keyid: 'SHA256:other', sig: 'AAAA' }] }),
    [/./, /^not checked: .*SHA256:other.*not known/, 'verified'],
  ],
  [
    'other bytes under this name and version: dependency confusion',
    () => whole({ integrity: `sha512-${'A'.repeat(86)}==` }),
    [/^failed: the registry has other bytes/, /^failed/, /^failed/],
  ],
  [
    'attestations that are promised and not there',
    () => whole({}, { '-/npm/v1/attestations/@acme%2fserver@1.2.3': { attestations: [] } }),
    [/./, 'verified', 'absent'],
  ],
  [
    'attestations that cannot be fetched',
    () => whole({}, { '-/npm/v1/attestations/@acme%2fserver@1.2.3': 500 }),
    [/./, 'verified', /^not checked: source unreachable/],
  ],
  [
    'an attestation of another package',
    () =>
      whole(
        {},
        {
          '-/npm/v1/attestations/@acme%2fserver@1.2.3': {
            attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle: {} }],
          },
        },
      ),
    [/./, 'verified', /^failed: it cannot be read/],
  ],
  [
    'a changed file',
    () => whole(),
    [/^failed: main\.js was changed after it was installed/, 'verified', 'verified'],
    { files: [line('main.js', 'evil'), files[1]!] },
  ],
  ['a missing file', () => whole(), [/^failed: main\.js is missing/, 'verified', 'verified'], { files: [files[1]!] }],
  [
    'a file more, where install scripts make some',
    () => whole(),
    ['as in the tarball', 'verified', 'verified'],
    { files: [...files, line('z.node', '')] },
  ],
  [
    'a file more, where none is run',
    () => whole(),
    [/^failed: z\.node was added/, 'verified', 'verified'],
    { files: [...files, line('z.node', '')], installScripts: false },
  ],
  ['an integrity that nobody recorded', () => whole(), ['as in the tarball', 'verified', 'verified'], { recorded: undefined }],
]

describe('SUP-C1 what is found out about a package when', () => {
  for (const [what, answers, expected, changes] of cases)
    it(what, async () => {
      const found = statuses(await enquire(answers())({ ...asked, ...changes }))
      for (const [at, one] of expected.entries())
        if (typeof one === 'string') assert.equal(found[at], one)
        else assert.match(found[at] as string, one)
    })
  it('the tarball is only at the registry, and is another', async () => {
    const evil = tarball({ path: 'package/main.js', content: 'evil' })
    const found = await enquire(whole({}, { '@acme/server/-/server-1.2.3.tgz': evil }), { cache: undefined })(asked)
    assert.match(statuses(found)[0] as string, /^failed: the tarball of the registry is not what its integrity says/)
  })
  it('one registry cannot be reached: it is not asked a hundred times', async () => {
    let times = 0
    const reach = async (): Promise<Response> => {
      times++
      throw new FetchRefused('unreachable', 'no', 'x')
    }
    const one = enquiry({ registry: npmRegistry({ url: 'https://registry.test', reach }), cache, trust: () => sigstore.trust })
    for (let round = 0; round < 5; round++) await one(asked)
    assert.equal(times, 1)
  })
  it('a bundle is at hand, nobody has to be asked', async () => {
    const bundles = async () => [{ predicateType: 'https://slsa.dev/provenance/v1', bundle }]
    const { provenance, signature } = await enquire(undefined, { bundles })(asked)
    assert.deepEqual([signature.status, provenance.status], ['not checked', 'verified'])
  })
})

describe('SUP-C1 a package before it is installed', () => {
  it('says what it is, and what vouches for it', async () => {
    const found = await checkTarball(bytes, { name, version }, enquire(whole()))
    assert.deepEqual(
      { ...found, findings: statuses(found.findings) },
      {
        name: '@acme/server@1.2.3',
        licence: 'MIT',
        installScripts: { postinstall: 'x' },
        native: false,
        bytes: bytes.length,
        files: 2,
        findings: ['as in the tarball', 'verified', 'verified'],
      },
    )
  })
  const refusals: readonly (readonly [string, Buffer, RegExp])[] = [
    ['that says it is another', bytes, /other@1\.0\.0: package\.json: says that it is @acme\/server@1\.2\.3/],
    ['without package.json', tarball({ path: 'package/x', content: '' }), /package\.json: is missing/],
    [
      'with a name that leads elsewhere',
      tarball({ path: 'package/package.json', content: '{"name":"../../x","version":"1"}' }),
      /no name and version/,
    ],
  ]
  for (const [what, given, says] of refusals)
    it(`one ${what} is refused`, async () => {
      await assert.rejects(checkTarball(given, { name: 'other', version: '1.0.0' }, enquire(undefined)), (error: unknown) => {
        assert.ok(error instanceof NotAdmitted)
        assert.match(error.message, says)
        return true
      })
    })
})
