/**
 * The whole configuration, composed of the parts that the rooms own. A key enters here only together with the code that
 * enforces it; until then it is an unknown key, which is an error.
 */
import { z } from 'zod'
import { auditSchema } from '../audit/schema.ts'
import { identitySchema } from '../identity/schema.ts'
import { inboundShape } from '../inbound/schema.ts'
import { limitsSchema } from '../limits/schema.ts'
import { type MachineCredential, machineCredentialSchema } from '../outbound/credentials/schema.ts'
import { serverIdSchema, serverSchema } from '../outbound/schema.ts'
import { policyShape } from '../policy/schema.ts'
import { storeSchema } from '../storage/schema.ts'
import { pinsSchema } from '../trust/schema.ts'
import { supplyPolicyShape } from '../trust/supply/inventory-policy.ts'
import { componentsSchema } from '../trust/supply/inventory-schema.ts'
import { admissionShape } from '../trust/supply/schema.ts'
import { type VaultConfig, vaultSchema } from '../vault/schema.ts'
import type { ProxySettings } from './environment.ts'
import { guardModeSchema } from './guard-modes.ts'
import { methodRowSchema } from './method-rows.ts'

/** A record without a prototype: a stranger may ask it for `constructor` and finds nothing. */
const named = <Value>(record: Record<string, Value>): Readonly<Record<string, Value>> =>
  Object.assign(Object.create(null), record)

export const configSchema = z.strictObject({
  ...inboundShape,
  store: storeSchema.describe('Where state is kept'),
  vault: vaultSchema(machineCredentialSchema),
  identity: identitySchema.prefault({ mode: 'anonymous' }).describe('How callers prove who they are'),
  servers: z.record(serverIdSchema, serverSchema).default({}).transform(named).describe('What stands behind the gateway'),
  supply: z
    .strictObject({ ...admissionShape, ...supplyPolicyShape })
    .prefault({})
    .describe('What components have to be like, and which servers may be started'),
  roles: policyShape.roles.transform(named),
  bindings: policyShape.bindings,
  limits: limitsSchema,
  pins: pinsSchema.describe('What becomes of definitions of tools, prompts and resources that nobody has approved yet'),
  guards: z.array(guardModeSchema).default([]).readonly().describe('Modes of guards; later entries win'),
  methods: z.record(z.string(), methodRowSchema).default({}).transform(named).describe('Extension methods of your own'),
  audit: auditSchema,
  components: componentsSchema,
})

/** Complete, frozen through and through; every path absolute. */
export type Config = Readonly<Omit<z.output<typeof configSchema>, 'vault'>> & {
  readonly vault: VaultConfig<MachineCredential>
  /** Of the environment, not of the document. */
  readonly proxy: ProxySettings
}
/** What the schema gives, before paths are resolved and the environment is known. */
export type Draft = z.output<typeof configSchema>
