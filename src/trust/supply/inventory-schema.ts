/** The part of the configuration that says what cannot be seen from here: models, data, services of others, and who vouches for them. */
import { z } from 'zod'
import { componentKinds } from './inventory-component.ts'

const text = z.string().min(1).max(1000)
const day = z.string().refine((value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(`${value}T00:00:00Z`)), {
  error: 'is not a day; write for example 2027-06-30',
})

const attestationSchema = z.strictObject({
  by: text.describe('Who says so'),
  owner: text.describe('Who answers for it'),
  statement: text.describe('What was looked at, and what was found'),
  expires: day.describe('The last day on which it counts'),
  signature: text.optional().describe('A file with the same, signed: a JWS in compact form (RFC 7515, Ed25519)'),
})

const componentSchema = z.strictObject({
  kind: z.enum(componentKinds),
  name: text,
  version: text.optional(),
  hash: z
    .string()
    .regex(/^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/, {
      error: 'is no digest; write sha256: and 64 hexadecimal digits (or sha384:, sha512:)',
    })
    .optional(),
  commit: z
    .string()
    .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, { error: 'is no whole commit; write all 40 (or 64) hexadecimal digits' })
    .optional(),
  purl: z
    .string()
    .regex(/^pkg:[a-z][a-z0-9.+-]*\/.+/, { error: 'is no package URL; write for example pkg:npm/left-pad@1.3.0' })
    .optional(),
  url: z.url({ protocol: /^https?$/ }).optional(),
  file: text.optional().describe('A model or data file, to be looked into'),
  owner: text.optional(),
  licence: text.optional().describe('SPDX expression'),
  dataRegion: text.optional().describe('Where data is kept'),
  tlsKey: z
    .string()
    .regex(/^sha256\/[A-Za-z0-9+/]{43}=$/, { error: 'is no pin of a key; write sha256/ and the base64 of its digest (RFC 7469)' })
    .optional(),
  usedBy: z.array(text).default([]).readonly().describe('Servers that use it'),
  attestations: z.array(attestationSchema).default([]).readonly(),
})

export const componentsSchema = z
  .array(componentSchema)
  .max(10_000)
  .default([])
  .readonly()
  .describe('What the gateway cannot see of its own supply chain')

export type DeclaredComponent = z.output<typeof componentSchema>
