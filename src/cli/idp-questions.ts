/** What `sekisho idp add` has not been told by flags, asked on the terminal. */
import { cancel, intro, isCancel, select, text } from '@clack/prompts'
import { answerFaults, type IdpAnswers } from '../admin/operations/idp-add.ts'
import type { IdpFlags } from './idp.ts'

/** Undefined when it was broken off. Rejects, naming the flags, where nobody can be asked. */
export async function askIdp(given: IdpFlags, mayAsk: boolean): Promise<IdpAnswers | undefined> {
  const { kind = 'entra', name = 'Sekisho' } = given
  const whose = kind === 'entra' ? 'tenant' : 'issuer'
  if (!mayAsk) {
    const flags = {
      mode: '--mode MODE',
      publicUrl: '--public-url URL',
      [whose]: kind === 'entra' ? '--tenant GUID' : '--issuer URL',
    }
    const missing = Object.entries(flags).flatMap(([key, flag]) => (given[key as keyof IdpFlags] === undefined ? [flag] : []))
    throw new Error(`there is no terminal to ask on; give ${missing.join(' ')}`)
  }
  try {
    intro('An identity provider for the gateway')
    const mode = given.mode ?? answered(await askMode())
    const publicUrl =
      given.publicUrl ?? answered(await ask('How do clients reach the gateway?', 'https://mcp.example.com', 'publicUrl'))
    const where =
      given[whose] ??
      answered(
        kind === 'entra'
          ? await ask('The Directory (tenant) ID', '00000000-0000-0000-0000-000000000000', 'tenant')
          : await ask('The issuer', 'https://login.example.com', 'issuer'),
      )
    return { ...given, kind, name, mode, publicUrl, [whose]: where }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    cancel('Nothing was changed anywhere.')
    return undefined
  }
}

const askMode = () =>
  select<IdpAnswers['mode']>({
    message: 'Where do clients get their tokens?',
    options: [
      {
        value: 'authorization-server',
        label: 'From the gateway',
        hint: 'people log in at the provider through it; works with every MCP client',
      },
      { value: 'resource-server', label: 'From the provider', hint: 'clients have to be registered there' },
    ],
  })

const ask = (message: string, placeholder: string, name: keyof typeof answerFaults) =>
  text({ message, placeholder, validate: (value = '') => answerFaults[name](value) })

class Stopped extends Error {}
const answered = <Answer>(answer: Answer): Exclude<Answer, symbol> => {
  if (isCancel(answer)) throw new Stopped()
  return answer as Exclude<Answer, symbol>
}
