/** What people have looked at and found harmless: a YAML file beside the code, each entry with a reason and a last day. */
import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Suppression } from '../../admin/operations/scan.ts'

const schema = z.strictObject({
  suppressions: z.array(
    z.strictObject({
      rule: z.string().regex(/^[a-z]+\/[a-z-]+$/, { error: 'is not the id of a rule; write for example trust/secrecy' }),
      server: z.string().optional(),
      name: z.string().optional(),
      reason: z.string().min(1, { error: 'is empty; say why it is harmless' }),
      expires: z.iso.date({ error: 'is not a day; write for example 2027-06-30' }),
    }),
  ),
})

/** None where `file` is undefined and the usual one is not there. Throws an Error that says where and what. */
export function readSuppressions(file: string | undefined): readonly Suppression[] {
  const path = file ?? 'sekisho-scan.yaml'
  if (file === undefined && !existsSync(path)) return []
  const read = schema.safeParse(parse(readFileSync(path, 'utf8')))
  if (read.success) return read.data.suppressions
  const [issue] = read.error.issues
  throw new Error(`${path}: ${issue?.path.join('.')} ${issue?.message}`)
}
