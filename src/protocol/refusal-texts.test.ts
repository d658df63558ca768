import assert from 'node:assert/strict'
import test from 'node:test'
import { errors, explain, type RefusalCode } from './refusal-texts.ts'

test('facts are filled in, and one that is missing is said to be', () => {
  assert.equal(explain('RATE_LIMITED', { detail: 'x', retryAfterS: 3 }).fix.slice(0, 8), 'Wait 3 s')
  assert.equal(explain('SERVER_UNKNOWN', {}).says, 'There is no server "unknown" here.')
})

test('a path is advised as the documentation writes it', () =>
  assert.equal(explain('NOT_FOUND', {}).fix, 'Use /{server}/mcp, or /mcp for all servers.'))

test('what whoever refuses advises is a sentence, as it stands after another', () =>
  assert.equal(explain('SERVER_NOT_ADMITTED', { fix: 'put it back' }).fix, 'Put it back'))

test('with its facts no sentence has a hole', () => {
  for (const code of Object.keys(errors) as RefusalCode[]) {
    const own = errors[code].fix === '{fix}' && { fix: 'F' } // said by whoever refuses
    const { says, fix } = explain(code, { detail: 'D', exchange: 'E', retryAfterS: 1, connect: 'C', cause: 'W', ...own })
    assert.doesNotMatch(`${says} ${fix}`.replace('/{server}/mcp', ''), /[{}]|unknown/, code)
  }
})

test('nothing sends an operator to a log that does not say it', () =>
  assert.equal(explain('UPSTREAM_UNAVAILABLE', { detail: 'files' }).fix, "An operator sees why in the gateway's output."))
