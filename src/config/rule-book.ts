/** What a new configuration replaces as a whole: rules, identity, modes and methods, compiled together or not at all. */
import { isDeepStrictEqual } from 'node:util'
import { type Identity, type IdentityOptions, identityOf } from '../identity/identity.ts'
import type { Bench } from '../pipeline/judge.ts'
import { compilePolicy, type Policy } from '../policy/policy.ts'
import { type ToolClasses, toolClasses } from '../policy/tool-class.ts'
import { type MethodTable, methodTable } from '../protocol/methods.ts'
import { guardModes } from './guard-modes.ts'
import type { Config } from './schema.ts'

export interface RuleBook {
  readonly config: Config
  readonly classes: ToolClasses
  readonly policy: Policy
  readonly identity: Identity
  readonly mode: Bench['mode']
  readonly methods: MethodTable
}

/** `before`: what servers that stay as they are have said of their tools is kept. */
export function ruleBook(
  config: Config,
  ports: Omit<IdentityOptions, 'config'>,
  before?: Pick<RuleBook, 'config' | 'classes'>,
): RuleBook {
  const isSame = (id: string): boolean => isDeepStrictEqual(before?.config.servers[id], config.servers[id])
  return {
    config,
    classes: toolClasses(config.servers, (id) => (isSame(id) ? before?.classes.claimsOf(id) : undefined)),
    policy: compilePolicy(config),
    identity: identityOf({ ...ports, config: config.identity }),
    mode: guardModes(config.guards),
    methods: methodTable(config.methods),
  }
}
