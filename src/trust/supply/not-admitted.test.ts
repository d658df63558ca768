import assert from 'node:assert/strict'
import { it } from 'node:test'
import { NotAdmitted, refusalOf } from './not-admitted.ts'

it('SUP-C2 a caller is told package, file and what to do, and not where that is on the machine', () => {
  const fault = new NotAdmitted({
    package: '@acme/server@1.2.3',
    file: 'dist/main.js',
    why: 'has changed since it was locked',
    fix: 'remove /home/ada/work/.sekisho/store/abc (chmod -R u+w first); see https://docs.example.com/a/b',
  })
  const refusal = refusalOf('files', fault)
  assert.equal(refusal.code, 'SERVER_NOT_ADMITTED')
  assert.match(
    refusal.message,
    /"files" is not started.*: @acme\/server@1\.2\.3: dist\/main\.js: has changed since it was locked\.$/,
  )
  assert.equal(refusal.facts['fix'], 'remove …/abc (chmod -R u+w first); see https://docs.example.com/a/b')
  assert.deepEqual(
    refusal.findings.map(({ rule, requirement }) => [rule, requirement]),
    [['trust/not-admitted', 'SUP-C2']],
  )
  const lock = refusalOf('files', new NotAdmitted({ file: '/srv/gateway/sekisho.lock', why: 'is not there', fix: 'make it' }))
  assert.match(lock.message, /: …\/sekisho\.lock: is not there/)
  assert.doesNotMatch(lock.message, /srv/)
})
