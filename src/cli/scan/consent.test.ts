import assert from 'node:assert/strict'
import test from 'node:test'
import { type Asked, type Consent, consentTo } from './consent.ts'

const why = 'bubblewrap is not installed'
const unagreed = 'it was not started; agree to it, or say --yes'
const yes = { connect: true, sandbox: true, yes: true } as const
const ask = { connect: true, sandbox: true }

const cases: readonly (readonly [
  says: string,
  asked: Asked,
  machine: { readonly missing?: string; readonly agrees?: boolean },
  consent: Consent,
  question?: string | undefined,
])[] = [
  ['--no-connect', { ...yes, connect: false }, {}, { starts: false, why: 'nothing was asked of it, as --no-connect says' }],
  [
    '--yes, where there is no sandbox',
    yes,
    { missing: why },
    { starts: false, why: `it was not started: ${why}; to start it with all that you may do: --no-sandbox` },
  ],
  ['nobody agrees', ask, {}, { starts: false, why: unagreed }, 'in a sandbox'],
  ['nobody agrees to no sandbox', ask, { missing: why }, { starts: false, why: unagreed }, why],
  ['--yes', yes, {}, { starts: true }],
  ['--yes --no-sandbox', { ...yes, sandbox: false }, { missing: why }, { starts: true, unconfined: '--no-sandbox was said' }],
  ['somebody agrees', ask, { agrees: true }, { starts: true }, 'in a sandbox'],
  ['somebody agrees to no sandbox', ask, { agrees: true, missing: why }, { starts: true, unconfined: why }, why],
]
for (const [says, asked, { missing, agrees = false }, consent, question] of cases)
  test(says, async () => {
    const questions: string[] = []
    const agreed = async (unconfined: string | undefined): Promise<boolean> => {
      questions.push(unconfined ?? 'in a sandbox')
      return agrees
    }
    assert.deepEqual(await consentTo(asked, { noSandbox: async () => missing, agreed }), consent)
    assert.deepEqual(questions, question === undefined ? [] : [question])
  })
