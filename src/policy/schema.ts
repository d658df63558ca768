/**
 * The part of the configuration that says who may do what. Nothing is allowed that no rule allows; a deny rule beats
 * every allow rule. A rule that names nothing is refused: a deny of nothing would look like a deny of everything.
 */
import { z } from 'zod'
import { classes } from '../protocol/methods.ts'

export const askWords = ['sampling', 'elicitation', 'roots', '*'] as const
const globs = z.array(z.string().min(1).max(512)).default([]).readonly()

const ruleSchema = z
  .strictObject({
    effect: z.enum(['allow', 'deny']),
    server: z.string().min(1).max(64).describe('Server id, or a pattern of them'),
    uses: z
      .array(z.string().regex(/^[a-z*][a-z-]*:./, { error: 'is no pattern of components; write for example "model:*"' }))
      .min(1)
      .readonly()
      .optional()
      .describe('Only servers that use such a component, as "kind:name"'),
    tools: globs,
    class: z.array(z.enum(classes)).min(1).readonly().optional().describe('Only tools of these classes'),
    prompts: globs,
    resources: globs.describe('Patterns of resource URIs'),
    asks: z.array(z.enum(askWords)).default([]).readonly().describe('What the server may ask of the client'),
  })
  .superRefine((rule, context) => {
    const { tools, prompts, resources, asks } = rule
    const refuse = (path: string[], message: string, fix: string) =>
      context.addIssue({ code: 'custom', path, message, params: { fix } })
    if ([tools, prompts, resources, asks].every((list) => list.length === 0))
      refuse([], 'names nothing, so it would never match', 'name "tools", "prompts", "resources" or "asks"; ["*"] means all')
    else if (rule.class !== undefined && tools.length === 0)
      refuse(['class'], 'narrows tools, and this rule names none', 'add "tools", or remove "class"')
  })
  .readonly()
export type Rule = z.output<typeof ruleSchema>

const roleName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, {
  error: 'must be letters, digits, "-" and "_", beginning with a letter; write for example reader',
})

const claim = z.string().min(1).max(256).optional()
/** What a role can be bound to: each is something that was verified. */
const bound = {
  anonymous: z.literal(true).optional(),
  apiKey: z.string().optional(),
  user: claim.describe('The id of one user, as audit records show it'),
  group: claim.describe('An entry of "groups" in the token'),
  appRole: claim.describe('An entry of "roles" in the token'),
  scope: claim,
  client: claim.describe('The OAuth client id that acts for the user'),
  tenant: claim,
}
export const boundTo = Object.keys(bound) as readonly (keyof typeof bound)[]

const bindingSchema = z
  .strictObject({ role: z.string(), ...bound })
  .superRefine((binding, context) => {
    if (boundTo.filter((one) => binding[one] !== undefined).length === 1) return
    context.addIssue({
      code: 'custom',
      message: `must name exactly one of ${boundTo.map((one) => `"${one}"`).join(', ')}`,
      params: { fix: 'write for example anonymous: true, apiKey: ID, or group: NAME' },
    })
  })
  .readonly()
export type Binding = z.output<typeof bindingSchema>

/** Keys at the top level of the document. */
export const policyShape = {
  roles: z.record(roleName, z.array(ruleSchema).readonly()).default({}).describe('Named lists of rules'),
  bindings: z.array(bindingSchema).default([]).readonly().describe('Who has which role'),
}
export interface PolicyConfig {
  readonly roles: Readonly<Record<string, readonly Rule[]>>
  readonly bindings: readonly Binding[]
  /** What servers are made of and reach: models, services, data. */
  readonly components?: readonly { readonly kind: string; readonly name: string; readonly usedBy: readonly string[] }[]
}
