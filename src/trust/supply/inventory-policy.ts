/** The part of the configuration that says what components have to be like. */
import { z } from 'zod'
import { severities } from './advisories-records.ts'
import { isSpdxExpression } from './licences.ts'

const licence = z.string().refine(isSpdxExpression, {
  error: 'is no licence of the SPDX list',
  params: { fix: 'write an identifier such as MIT or Apache-2.0' },
})
const file = z.string().min(1)

const licencesSchema = z.strictObject({
  allow: z.array(licence).default([]).readonly().describe('Empty: every licence that is not denied'),
  deny: z.array(licence).default([]).readonly(),
  unknown: z
    .enum(['allow', 'refuse'])
    .default('allow')
    .describe('A component without a licence, or with one that is no SPDX expression'),
})

const advisoriesSchema = z.strictObject({
  path: file.describe('A folder, or a zip, of records of OSV or of GitHub'),
  ageDaysMax: z.int().min(1).max(3650).default(7).describe('An older copy does not say that anything is well'),
  everyMinutes: z.int().min(1).max(44_640).default(360).describe('How often `supply watch` looks'),
  quarantine: z
    .enum(['never', 'low', 'medium', 'high', 'critical'])
    .default('never')
    .describe('From which severity on a server that uses what is affected is disabled'),
})

export const supplyPolicyShape = {
  licences: licencesSchema.prefault({}).describe('Which licences components may have'),
  dataRegions: z.array(z.string().min(1)).default([]).readonly().describe('Where data may be kept; empty: anywhere'),
  attestationKeys: z.array(file).default([]).readonly().describe('PEM files of Ed25519 public keys that may sign attestations'),
  attestations: z.enum(['signed', 'stated']).default('stated').describe('Whether an attestation without a signature counts'),
  advisories: advisoriesSchema.optional().describe('A local copy of known vulnerabilities'),
}

const schema = z.strictObject(supplyPolicyShape)
export type SupplyPolicy = z.output<typeof schema>
/** Where nobody configured anything, but for a copy of the advisories. */
export const policyWith = (path?: string): SupplyPolicy => schema.parse(path === undefined ? {} : { advisories: { path } })
export type AdvisoriesPolicy = NonNullable<SupplyPolicy['advisories']>
export type Quarantine = AdvisoriesPolicy['quarantine']

/** `unknown` is never enough: nobody said that it is harmful. */
export const isAtLeast = (severity: (typeof severities)[number], least: Quarantine): boolean =>
  least !== 'never' && severities.indexOf(severity) >= severities.indexOf(least)
