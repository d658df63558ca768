/** What people have looked at and found harmless: a YAML file beside the code, each entry with a reason and a last day. */
import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Suppression } from '../../admin/operations/scan.ts'
import { ruleIds } from '../../admin/reports/sarif.ts'
import { nearest } from '../../config/nearest.ts'

const schema = z.strictObject({
  suppressions: z.array(
    z.strictObject({
      rule: z.string({ error: 'is not there; name the rule' }).refine((rule) => ruleIds.includes(rule), { error: unknownRule }),
      server: z.string().optional(),
      name: z.string().optional(),
      reason: z.string({ error: 'is not there; say why it is harmless' }).min(1, { error: 'is empty; say why it is harmless' }),
      expires: z.iso.date({ error: 'is not a day; write for example 2027-06-30' }),
    }),
  ),
})

function unknownRule({ input }: { readonly input?: unknown }): string {
  const near = nearest(String(input), ruleIds)
  return `is not the id of a rule; ${near === undefined ? 'write for example trust/secrecy' : `did you mean ${near}?`}`
}

/** None where `file` is undefined and the usual one is not there. Throws an Error that says where and what. */
export function readSuppressions(file: string | undefined): readonly Suppression[] {
  const path = file ?? 'sekisho-scan.yaml'
  if (file === undefined && !existsSync(path)) return []
  const read = schema.safeParse(documentOf(path))
  if (read.success) return read.data.suppressions
  const [issue] = read.error.issues
  throw new Error(`${path}: ${issue?.path.join('.')} ${issue?.message}`)
}

function documentOf(path: string): unknown {
  const text = readFileSync(path, 'utf8')
  try {
    return parse(text)
  } catch (error) {
    throw new Error(`${path}: it is not YAML: ${(error as Error).message.split('\n', 1)[0]}`)
  }
}
