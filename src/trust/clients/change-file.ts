/**
 * Carrying a plan out: first what is needed to undo it, then the file. Whatever ends us in between leaves the file as it was or
 * as it was to become, and a record that fits either.
 */
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ConfigFile } from './config-file.ts'
import { dialectName } from './dialects.ts'
import type { ClientFile } from './discover.ts'
import type { Launcher } from './guarded.ts'
import { type Kept, type KeptFiles, sha256, temporaryName } from './kept.ts'
import { type Plan, planUnwrap } from './plan.ts'
import { replaceFile, type Seam } from './replace-file.ts'
import type { Tree } from './tree.ts'

export type Source = ConfigFile & { readonly tree: Tree }

/** Writes what {@link planWrap} planned. Throws `FileRefused`. */
export function carryOutWrap(
  file: ClientFile,
  source: Source,
  plan: Plan,
  keptFiles: KeptFiles,
  launcher: Launcher,
  seam?: Seam,
): void {
  if (plan.entries.length === 0) return
  const { real } = source
  const known = keptFiles.read(real)
  if (known !== undefined) clearTemporary(known)
  const bytes = bytesOf(source, plan)
  const { before, entries, after } = withoutUs(file, source, known, keptFiles, launcher)
  const kept: Kept = {
    ...{ version: 1, client: file.client, file: file.file, real, format: source.tree.format, dialect: dialectName(file.dialect) },
    before: sha256(before),
    after: [...after, sha256(bytes)].slice(-afterMax),
    entries: [
      ...entries.filter((entry) => !plan.entries.some(({ path }) => isDeepStrictEqual(path, entry.path))),
      ...plan.entries,
    ],
    temporary: temporaryName(real),
  }
  keptFiles.write(kept, before)
  seam?.('kept')
  replaceFile(source, bytes, kept.temporary, seam)
}
const afterMax = 8

/** The file as it was, or would be, without us: what unwrapping everything has to give. */
function withoutUs(
  file: ClientFile,
  source: Source,
  known: Kept | undefined,
  keptFiles: KeptFiles,
  launcher: Launcher,
): { readonly before: Buffer } & Pick<Kept, 'entries' | 'after'> {
  const now = sha256(source.bytes)
  if (known === undefined || known.before === now) return { before: source.bytes, entries: [], after: [] }
  const kept = known.after.includes(now) ? keptFiles.before(known) : undefined
  if (kept !== undefined) return { before: kept, entries: known.entries, after: [now] }
  const plan = planUnwrap(source.tree, file.dialect, () => true, known, launcher)
  const still = planUnwrap(source.tree, file.dialect, () => false, known, launcher)
  return { before: bytesOf(source, plan), entries: still.entries, after: [now] }
}

/** Writes what {@link planUnwrap} planned, or the bytes as they were where they are known. Throws `FileRefused`. */
export function carryOutUnwrap(
  file: ClientFile,
  source: Source,
  plan: Plan,
  keptFiles: KeptFiles,
  launcher: Launcher,
  seam?: Seam,
): { readonly isExact: boolean } {
  const { real } = source
  const kept = keptFiles.read(real)
  const bytes = unwrappedBytes(source, plan, kept, keptFiles)
  const temporary = temporaryName(real)
  if (kept === undefined) {
    if (!bytes.equals(source.bytes)) replaceFile(source, bytes, temporary, seam)
    return { isExact: false }
  }
  clearTemporary(kept)
  // What others have changed since is theirs: from now on it belongs to how the file was before us.
  const { before, after } = withoutUs(file, source, kept, keptFiles, launcher)
  const next = { ...kept, before: sha256(before), after: [...after, sha256(bytes)].slice(-afterMax), temporary }
  keptFiles.write(next, before)
  seam?.('kept')
  if (!bytes.equals(source.bytes)) replaceFile(source, bytes, temporary, seam)
  if (plan.entries.length === 0) keptFiles.forget(real)
  else keptFiles.write({ ...next, entries: plan.entries }, before)
  return { isExact: sha256(bytes) === kept.before }
}

/** What the file becomes: its bytes from before us, where it is still as we left it and nothing of us stays in it. */
export function unwrappedBytes(source: Source, plan: Plan, kept: Kept | undefined, keptFiles: KeptFiles): Buffer {
  const isOurs = kept?.after.includes(sha256(source.bytes)) === true && plan.entries.length === 0
  const isAll = plan.outcomes.every(({ kind }) => kind !== 'left')
  return (isOurs && isAll && kept !== undefined ? keptFiles.before(kept) : undefined) ?? bytesOf(source, plan)
}

const bytesOf = ({ mark }: Source, { tree }: Plan): Buffer => Buffer.from(mark + tree.text, 'utf8')

/** What a process that was ended in the middle has left beside the file. */
const clearTemporary = ({ real, temporary }: Kept): void => {
  if (/^\..*\.sekisho-[0-9a-f]{12}$/.test(temporary)) rmSync(join(dirname(real), temporary), { force: true })
}
