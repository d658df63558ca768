import assert from 'node:assert/strict'
import test from 'node:test'
import { compareVersions, type Ecosystem, readVersion } from './advisories-versions.ts'

/** Each list from the earliest to the latest: of the specifications, and of practice. */
const orders: readonly [Ecosystem, readonly string[]][] = [
  [
    'npm',
    ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0'],
  ],
  ['npm', ['0.0.0', '0.0.9', '0.0.10', '0.1.0', '1.0.0', '2.0.0', '2.1.0', '2.1.1', '10.0.0', '9007199254740993.0.0']],
  ['npm', ['1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-a']],
  [
    'pypi',
    ['1.dev0', '1.0.dev456', '1.0a1', '1.0a2.dev456', '1.0a12.dev456', '1.0a12', '1.0b1.dev456', '1.0b2', '1.0b2.post345.dev456'],
  ],
  [
    'pypi',
    [
      '1.0b2.post345',
      '1.0rc1.dev456',
      '1.0rc1',
      '1.0',
      '1.0+abc.5',
      '1.0+abc.7',
      '1.0+5',
      '1.0.post456.dev34',
      '1.0.post456',
      '1.0.15',
      '1.1.dev1',
    ],
  ],
  ['pypi', ['1.9', '1.10', '2.0', '2013.10', '1!0.1', '1!1.0', '2!0']],
]
for (const [ecosystem, versions] of orders)
  test(`${ecosystem}: ${versions.join(' < ')}`, () => {
    const read = versions.map((text) => readVersion(ecosystem, text))
    for (const [at, one] of read.entries())
      for (const [other, two] of read.entries()) {
        assert.ok(one && two, versions[at])
        assert.equal(Math.sign(compareVersions(one, two)), Math.sign(at - other), `${versions[at]} and ${versions[other]}`)
      }
  })

const same: readonly [Ecosystem, string, string][] = [
  ['npm', '1.2.3', 'v1.2.3'],
  ['npm', '1.2.3+build.1', '1.2.3+build.2'],
  ['pypi', '1.0', '1'],
  ['pypi', '1.0.0', 'v1.0'],
  ['pypi', '1.0alpha1', '1.0.A-1'],
  ['pypi', '1.0-1', '1.0.post1'],
  ['pypi', '1.0c1', '1.0-preview.1'],
  ['pypi', '1.0+ubuntu-1', '1.0+UBUNTU.1'],
]
for (const [ecosystem, one, two] of same)
  test(`${ecosystem}: ${one} is ${two}`, () => {
    const [a, b] = [readVersion(ecosystem, one), readVersion(ecosystem, two)]
    assert.ok(a && b)
    assert.equal(compareVersions(a, b), 0)
  })

const none: readonly [Ecosystem, string][] = [
  ['npm', ''],
  ['npm', '1'],
  ['npm', '1.2'],
  ['npm', '^1.2.3'],
  ['npm', 'latest'],
  ['npm', '1.2.3.4'],
  ['pypi', ''],
  ['pypi', '>=1'],
  ['pypi', 'one'],
  ['pypi', '1.0+'],
  ['pypi', `1${'.0'.repeat(1000)}`],
]
for (const [ecosystem, text] of none)
  test(`${ecosystem}: "${text.slice(0, 20)}" is no version`, () => assert.equal(readVersion(ecosystem, text), undefined))
