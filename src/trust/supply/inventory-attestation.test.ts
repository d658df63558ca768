import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { signAttestation, verifyAttestation } from './inventory-attestation.ts'

const ours = generateKeyPairSync('ed25519')
const foreign = generateKeyPairSync('ed25519')
const ref = 'model:embedder@1'
const statement = { by: 'Ann', owner: 'Acme', statement: 'red team set passed', expires: '2027-06-30' }
const before = Date.parse('2027-06-30T23:59:59Z')
const signed = await signAttestation(ref, statement, ours.privateKey)
const keys = [foreign.publicKey, ours.publicKey]

const cases: readonly [
  what: string,
  args: Parameters<typeof verifyAttestation>,
  outcome: Awaited<ReturnType<typeof verifyAttestation>>['outcome'],
][] = [
  ['after its last day', [ref, statement, signed, keys, before + 1000], 'expired'],
  ['after its last day, unsigned', [ref, statement, undefined, keys, before + 1000], 'expired'],
  ['of another component', ['model:embedder@2', statement, signed, keys, before], 'failed'],
  ['of another statement', [ref, { ...statement, statement: 'all is well' }, signed, keys, before], 'failed'],
  ['of another end', [ref, { ...statement, expires: '2030-01-01' }, signed, keys, before], 'failed'],
  ['by a foreign key', [ref, statement, signed, [foreign.publicKey], before], 'failed'],
  ['without keys', [ref, statement, signed, [], before], 'failed'],
  ['torn', [ref, statement, signed.slice(0, -4), keys, before], 'failed'],
  ['no JWS', [ref, statement, 'x', keys, before], 'failed'],
  ['unsigned', [ref, statement, undefined, keys, before], 'unsigned'],
  ['in order', [ref, statement, `${signed}\n`, keys, before], 'verified'],
]
for (const [what, args, outcome] of cases)
  test(`an attestation ${what}: ${outcome}`, async () => assert.equal((await verifyAttestation(...args)).outcome, outcome))
