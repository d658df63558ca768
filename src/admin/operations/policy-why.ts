import { guardModes } from '../../config/guard-modes.ts'
import { suggest } from '../../config/nearest.ts'
import type { Config } from '../../config/schema.ts'
import { missingScope } from '../../identity/guard.ts'
import { scopeForClass } from '../../identity/scopes.ts'
import type { Mode } from '../../pipeline/guard.ts'
import type { Principal } from '../../pipeline/parcel.ts'
import { type Explanation, explain, principalOf, type Said } from '../../policy/explain.ts'
import { compilePolicy } from '../../policy/policy.ts'
import { askWords } from '../../policy/schema.ts'
import { toolClass } from '../../policy/tool-class.ts'
import type { Class, Concern } from '../../protocol/methods.ts'
import { serverOf } from '../server-of.ts'

/** What a server may ask a client for, by the word that rules use. */
export const questions: readonly string[] = askWords.filter((word) => word !== '*')

export interface PolicyQuestion {
  /** `anonymous`, `key:ID`, `user:ID` or `application:ID`. */
  readonly principal: string
  /** What the token of a user or an application says. */
  readonly said?: Said | undefined
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
  /** A scope that the token lacks for this, whatever policy says. */
  readonly scopeMissing?: string
}

/** Every rule that was considered, the decision, and the next command to type. Rejects unknown principals and servers. */
export async function policyWhy(
  config: Config,
  { principal, said = {}, server, concern, subject, class: given }: PolicyQuestion,
): Promise<Answer> {
  const who = principalIn(config, principal, said)
  const source = serverOf(config, server)
  const own = subject?.startsWith(`${server}__`) && concern !== 'ask' ? subject.slice(server.length + 2) : subject
  const ofTool = concern === 'tool' && own !== undefined ? toolClass(source, own) : 'read'
  const asked = given ?? ofTool
  const explanation = explain(compilePolicy(config), { principal: who, server, concern, subject: own, class: asked })
  const scopeFor = (one: Class): string | undefined => scopeForClass(config.identity, one)
  const lacking = who.claims && concern !== 'ask' ? missingScope(asked, who.claims.scopes, scopeFor) : undefined
  return {
    ...explanation,
    mode: guardModes(config.guards)('policy', server, concern === 'ask' ? 'ask' : 'call'),
    ...(lacking !== undefined && { scopeMissing: lacking }),
  }
}

function principalIn({ identity }: Config, text: string, said: Said): Principal {
  const who = principalOf(text, { ...tenantIn(identity, text), ...said })
  if (who === undefined)
    throw new Error(`"${text}" is not a principal: write anonymous, key:ID, user:ID or application:ID, as the audit log shows it`)
  if (who.claims === undefined && Object.keys(said).length > 0)
    throw new Error(`"${text}" comes without a token, so nothing can be said of its groups, roles, scopes, client or tenant`)
  const isWithToken = identity.mode === 'resource-server' || identity.mode === 'authorization-server'
  if (isWithToken && who.claims !== undefined) return who
  const keys = identity.mode === 'api-keys' ? identity.keys.map(({ id }) => `key:${id}`) : []
  const known = identity.mode === 'anonymous' ? ['anonymous'] : keys
  if (known.includes(who.id)) return who
  const advice = isWithToken ? 'write user:ID or application:ID, as the audit log shows it' : suggest(text, known)
  throw new Error(`nobody is "${text}" with identity mode "${identity.mode}"; ${advice}`)
}

/** Entra's users have their tenant in their id. */
function tenantIn(identity: Config['identity'], text: string): Said {
  const isEntra = 'provider' in identity && identity.provider.kind === 'entra'
  const [, tenant] = /^(?:user|application):([^.]+)\./.exec(text) ?? []
  return isEntra && tenant !== undefined ? { tenant } : {}
}
