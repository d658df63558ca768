/** What a new configuration replaces as a whole: rules, identity, modes and methods, compiled together or not at all. */
import { isDeepStrictEqual } from 'node:util'
import { type Identity, type IdentityOptions, identityOf } from '../identity/identity.ts'
import type { Bench } from '../pipeline/judge.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { compilePolicy, type Policy } from '../policy/policy.ts'
import { type ToolClasses, toolClasses } from '../policy/tool-class.ts'
import { type MethodTable, methodTable } from '../protocol/methods.ts'
import { guardModes } from './guard-modes.ts'
import type { Config } from './schema.ts'

export interface RuleBook {
  readonly config: Config
  readonly classes: ToolClasses
  /** Who was let in by this identity; another one believes nobody yet. */
  readonly believed: WeakSet<Principal>
  readonly policy: Policy
  readonly identity: Identity
  readonly mode: Bench['mode']
  readonly methods: MethodTable
}

/** `before`: what servers that stay as they are have said of their tools is kept. */
export function ruleBook(
  config: Config,
  ports: Omit<IdentityOptions, 'config' | 'believed'>,
  before?: Pick<RuleBook, 'config' | 'classes' | 'believed'>,
): RuleBook {
  const isSame = (id: string): boolean => isDeepStrictEqual(before?.config.servers[id], config.servers[id])
  const isSameIdentity = isDeepStrictEqual(before?.config.identity, config.identity)
  const believed = (isSameIdentity && before?.believed) || new WeakSet<Principal>()
  return {
    config,
    believed,
    classes: toolClasses(config.servers, (id) => (isSame(id) ? before?.classes.claimsOf(id) : undefined)),
    policy: compilePolicy(config),
    identity: identityOf({ ...ports, config: config.identity, believed }),
    mode: guardModes(config.guards),
    methods: methodTable(config.methods),
  }
}
