import { rotatedAt } from '../../lib/secret-patterns-rotation.ts'
import { gitIn } from '../../outbound/git/git.ts'
import { type SecretsReport, supplySecrets } from './supply-secrets.ts'
import { pushedSecrets, type SecretAdded, stagedSecrets } from './supply-secrets-git.ts'

/** Where to look for secrets: in files, in what is to be committed, or in what is to be pushed. */
export type Where =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  | { readonly kind: 'staged' }
  /** `lines`: what git tells its hook pre-push. */
  | { readonly kind: 'pushed'; readonly lines: string; readonly remote: string | undefined }

export interface SecretsReported extends Omit<SecretsReport, 'found'> {
  readonly found: readonly (SecretAdded & { readonly rotatedAt: string })[]
}

/** Secrets with where each is made anew. `certain`: only what is told by its form. */
export async function supplySecretsFound(
  where: Where,
  folder: string,
  { allowed, certain }: { readonly allowed: ReadonlySet<string>; readonly certain: boolean },
): Promise<SecretsReported> {
  const report = await reportOf(where, folder, allowed)
  const counted = certain ? report.found.filter(({ certainty }) => certainty === 'certain') : report.found
  return { ...report, found: counted.map((one) => ({ ...one, rotatedAt: rotatedAt(one.rule) ?? 'whoever issued it' })) }
}

function reportOf(where: Where, folder: string, allowed: ReadonlySet<string>) {
  switch (where.kind) {
    case 'paths':
      return supplySecrets(where.paths, allowed)
    case 'staged':
      return stagedSecrets(gitIn(folder), allowed)
    case 'pushed':
      return pushedSecrets(gitIn(folder), where.lines, where.remote, allowed)
  }
}
