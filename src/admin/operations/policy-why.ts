import { guardModes } from '../../config/guard-modes.ts'
import { suggest } from '../../config/nearest.ts'
import type { Config } from '../../config/schema.ts'
import type { Mode } from '../../pipeline/guard.ts'
import { type Explanation, explain, principalOf } from '../../policy/explain.ts'
import { compilePolicy } from '../../policy/policy.ts'
import { askWords } from '../../policy/schema.ts'
import { toolClass } from '../../policy/tool-class.ts'
import type { Class, Concern } from '../../protocol/methods.ts'
import { serverOf } from '../server-of.ts'

/** What a server may ask a client for, by the word that rules use. */
export const questions: readonly string[] = askWords.filter((word) => word !== '*')

export interface PolicyQuestion {
  /** `anonymous` or `key:ID`. */
  readonly principal: string
  readonly server: string
  /** What it is about; the whole server when nothing is named. */
  readonly concern: Concern
  /** Also with the `id__` of `/mcp` before it. */
  readonly subject?: string | undefined
  /** Of a tool; what the configuration says when it is not given. */
  readonly class?: Class | undefined
}

export interface Answer extends Explanation {
  /** How much the decision counts there: only `enforce` refuses anything. */
  readonly mode: Mode
}

/** Every rule that was considered, the decision, and the next command to type. Rejects unknown principals and servers. */
export async function policyWhy(
  config: Config,
  { principal, server, concern, subject, class: given }: PolicyQuestion,
): Promise<Answer> {
  const who = principalOf(principal)
  if (who === undefined) throw new Error(`"${principal}" is not a principal: write anonymous or key:ID`)
  const keys = config.identity.mode === 'api-keys' ? config.identity.keys.map(({ id }) => `key:${id}`) : []
  const known = config.identity.mode === 'anonymous' ? ['anonymous'] : keys
  if (!known.includes(who.id))
    throw new Error(`nobody is "${principal}" with identity mode "${config.identity.mode}"; ${suggest(principal, known)}`)
  const source = serverOf(config, server)
  const own = subject?.startsWith(`${server}__`) && concern !== 'ask' ? subject.slice(server.length + 2) : subject
  const ofTool = concern === 'tool' && own !== undefined ? toolClass(source, own) : 'read'
  const explanation = explain(compilePolicy(config), { principal: who, server, concern, subject: own, class: given ?? ofTool })
  return { ...explanation, mode: guardModes(config.guards)('policy', server, concern === 'ask' ? 'ask' : 'call') }
}
