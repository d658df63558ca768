/** What a server that comes in would be allowed: the class of each tool, and which roles reach it. For a person to say yes to. */
import type { Config } from '../../config/schema.ts'
import { glob } from '../../lib/glob.ts'
import { proposedClass } from '../../policy/proposed-class.ts'
import { type Class, classes } from '../../protocol/methods.ts'
import type { Definition } from '../../trust/definition.ts'
import { type Step, stepOf } from './step.ts'

export type ToolNames = Readonly<Record<Class, readonly string[]>>

/** Names with `*` or `?` in them would be patterns of others; they stay what nobody named, which is destructive. */
export function toolNames(definitions: readonly Definition[]): ToolNames {
  const names: Record<Class, string[]> = { read: [], write: [], destructive: [] }
  for (const { kind, name, body } of definitions)
    if (kind === 'tool' && !/[*?]/.test(name)) names[proposedClass(name, body['annotations'])].push(name)
  return names
}

export interface Grant {
  readonly role: string
  readonly classes: readonly Class[]
}

export const ruleOf = (id: string, { classes: some }: Grant): object => ({
  ...{ effect: 'allow', server: id, tools: ['*'] },
  ...(some.length < classes.length && { class: some }),
  ...{ prompts: ['*'], resources: ['*'] },
})

export function permissionsStep(id: string, names: ToolNames, config: Config, grant: Grant | undefined): Step {
  const byClass = classes
    .filter((one) => names[one].length > 0)
    .map((one) => ['passed', `${one}: ${names[one].join(', ')}`] as const)
  const reached = Object.entries(config.roles).flatMap(([role, rules]) => {
    const allowing = rules.filter(({ effect, server, tools }) => effect === 'allow' && glob(server)(id) && tools.length > 0)
    const some = new Set(allowing.flatMap((rule) => rule.class ?? classes))
    return some.size === 0 ? [] : [[role, classes.filter((one) => some.has(one))] as const]
  })
  const roles = reached.map(([role, some]) => ['passed', `the role ${role} may call: ${some.join(', ')}`] as const)
  const given = grant && ([`the role ${grant.role} gets: ${grant.classes.join(', ')}`] as const)
  const nobody = grant !== undefined && !config.bindings.some(({ role }) => role === grant.role)
  return stepOf('permissions', [
    ...byClass,
    ...roles,
    ...(given ? [['passed', given[0]] as const] : []),
    ...(nobody ? [['warned', `nobody has the role ${grant.role}; bind it under "bindings"`] as const] : []),
    ...(roles.length === 0 && !given ? [['warned', 'no role may use it yet; say which: --role NAME'] as const] : []),
  ])
}
