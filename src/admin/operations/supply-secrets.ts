import { createHash } from 'node:crypto'
import { findSecrets, type SecretFound } from '../../lib/secret-patterns.ts'
import { lineColumns, textFiles, type Unread } from '../text-files.ts'

export interface SecretPlace extends Pick<SecretFound, 'rule' | 'name' | 'certainty'> {
  readonly file: string
  readonly line: number
  readonly column: number
  /** SHA-256 of the secret, by which it can be allowed; it says nothing about the secret. */
  readonly sha256: string
}
export interface SecretsReport {
  readonly files: number
  readonly found: readonly SecretPlace[]
  readonly unread: readonly Unread[]
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')
/** On the line of a secret, or on the line before it, for what is none or is meant to be read. */
const allowing = /sekisho:allow-secret/

/** Secrets in files and folders; their text is in no part of the answer. `allowed`: SHA-256 digests of what may stand there. */
export async function supplySecrets(paths: readonly string[], allowed: ReadonlySet<string>): Promise<SecretsReport> {
  const unread: Unread[] = []
  const found: SecretPlace[] = []
  let files = 0
  for await (const { path, text } of textFiles(paths, (file) => unread.push(file))) {
    files++
    for (const { lastLine: _, ...place } of secretsInText(text, path, allowed)) found.push(place)
  }
  return { files, found, unread }
}

/** `lastLine`: where a secret ends that has more than one. */
export function secretsInText(
  text: string,
  file: string,
  allowed: ReadonlySet<string>,
): readonly (SecretPlace & { readonly lastLine: number })[] {
  const secrets = findSecrets(text, { isAllowed: (value) => allowed.size > 0 && allowed.has(digestOf(value)) })
  if (secrets.length === 0) return []
  const lines = allowing.test(text) ? text.split('\n') : undefined
  const places = lineColumns(
    text,
    secrets.map(({ start }) => start),
  )
  return secrets.flatMap(({ rule, name, certainty, start, end }, at) => {
    const { line, column } = places[at] as (typeof places)[number]
    if (lines?.slice(Math.max(0, line - 2), line).some((one) => allowing.test(one))) return []
    const secret = text.slice(start, end)
    const lastLine = line + (secret.match(/\n/g)?.length ?? 0)
    return [{ rule, name, certainty, file, line, column, sha256: digestOf(secret), lastLine }]
  })
}
