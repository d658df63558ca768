import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noProxy } from '../config/environment.ts'
import { configuredEnquiry } from './configured-enquiry.ts'

const from = (written: string | undefined, registry?: string, offline = false) =>
  configuredEnquiry({
    offline,
    registry,
    proxy: noProxy,
    variables: written === undefined ? {} : { npm_config_registry: written },
  })

const refused: readonly (readonly [what: string, written: string | undefined, registry: string | undefined, says: RegExp])[] = [
  [
    'a name without a scheme',
    'registry.acme.example',
    undefined,
    /^the environment variable npm_config_registry has to be an https/,
  ],
  ['words', 'ask acme', undefined, /^the environment variable npm_config_registry/],
  ['a file', 'file:///srv/registry', undefined, /^the environment variable npm_config_registry/],
  ['plain http to others', 'http://registry.acme.example', undefined, /http only on this machine/],
  ['the option, by its own name', undefined, 'http://registry.acme.example', /^--registry has to be an https URL/],
  ['a password that is not repeated', 'htps://ana:hunter2@registry.acme.example', undefined, /^the environment variable/],
]
for (const [what, written, registry, says] of refused)
  test(`refused, with what to mend: ${what}`, () => {
    assert.throws(
      () => from(written, registry),
      (error: Error & { fix?: string }) => {
        assert.match(error.message, says)
        assert.match(error.fix ?? '', /such as https:\/\/registry\.npmjs\.org, or ask none with --offline/)
        assert.ok(!`${error.message} ${error.fix}`.includes('hunter2'))
        return true
      },
    )
  })

test('accepted: none, an empty one, https with a path, and http on this machine', () => {
  for (const written of [undefined, '', 'https://npm.acme.example/team/', 'http://127.0.0.1:4873', 'http://localhost:4873/'])
    assert.ok(from(written).registry, written)
  assert.ok(from('nonsense', 'https://npm.acme.example').registry)
})

test('who asks nobody may have any of them', () => {
  assert.equal(from('nonsense', undefined, true).registry, undefined)
})
