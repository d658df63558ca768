/**
 * The new side of a patch of git, with what was added in it: unified (diff format of git-diff(1)) and combined, which merges have.
 * Hunks are read by the counts in their heads, so that no line of a file can be taken for a head.
 */
export interface Hunk {
  /** Undefined for changes that are not committed yet. */
  readonly commit: string | undefined
  readonly file: string
  /** Of the first line, from 1. */
  readonly line: number
  /** What stands there now: lines that were added, and those around them. */
  readonly lines: readonly string[]
  /** Which of them were added, by place. */
  readonly added: ReadonlySet<number>
}

/** How git has to be asked, whatever anybody has configured. The merges of others are none of our additions. */
export const patchFlags: readonly string[] = [
  ...['--unified=3', '--inter-hunk-context=0', '--find-renames', '--diff-filter=d', '--text', '--cc'],
  ...['--no-color', '--no-ext-diff', '--no-textconv', '--no-relative', '--submodule=short'],
  ...['--src-prefix=a/', '--dst-prefix=b/'],
]
/** Before each commit; nothing of its message, which could look like anything. */
export const commitFormat = '--format=tformat:commit %H'

/** `patch`: what git says with {@link patchFlags}, and for commits {@link commitFormat}. */
export function addedIn(patch: string): readonly Hunk[] {
  const lines = patch.split('\n')
  const hunks: Hunk[] = []
  let commit: string | undefined
  let file: string | undefined
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string
    const head = /^(@@+) ((?:-\d+(?:,\d+)? )+)\+(\d+)(?:,(\d+))? @@+/.exec(line)
    if (head !== null && file !== undefined) {
      const olds = (head[2] as string).trim().split(' ').map(countOf)
      const { hunk, next } = readHunk(lines, at + 1, olds, Number(head[4] ?? 1))
      if (hunk.added.size > 0) hunks.push({ commit, file, line: Number(head[3]), ...hunk })
      at = next - 1
    } else if (line.startsWith('diff --')) file = undefined
    else if (line.startsWith('+++ ')) file = fileOf(line.slice(4))
    else commit = /^commit ([0-9a-f]{40}|[0-9a-f]{64})$/.exec(line)?.[1] ?? commit
  }
  return hunks
}

const countOf = (range: string): number => Number(range.split(',')[1] ?? 1)

/** One column for each parent: `-` where only the parent has the line, `+` where it has not, a space where both do. */
function readHunk(
  lines: readonly string[],
  start: number,
  olds: number[],
  newCount: number,
): { hunk: Pick<Hunk, 'lines' | 'added'>; next: number } {
  const now: string[] = []
  const added = new Set<number>()
  let at = start
  for (; at < lines.length && (now.length < newCount || olds.some((left) => left > 0)); at++) {
    const line = lines[at] as string
    if (line.startsWith('\\')) continue // "\ No newline at end of file"
    const columns = [...line.slice(0, olds.length)]
    const isGone = columns.includes('-')
    for (const [parent, sign] of columns.entries())
      if (isGone ? sign === '-' : sign === ' ') olds[parent] = (olds[parent] as number) - 1
    if (isGone) continue
    if (columns.every((sign) => sign === '+')) added.add(now.length)
    now.push(line.slice(olds.length))
  }
  return { hunk: { lines: now, added }, next: at }
}

/** A name with a space ends with a tab, and one with odd signs is quoted as in C. */
function fileOf(text: string): string | undefined {
  const name = text.replace(/\t$/, '')
  if (name === '/dev/null') return undefined
  return (name.startsWith('"') ? unquoted(name.slice(1, -1)) : name).replace(/^b\//, '')
}

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' }

function unquoted(text: string): string {
  const bytes = text.replace(/\\([0-7]{3}|.)/g, (_, sign: string) =>
    sign.length === 3 ? String.fromCharCode(Number.parseInt(sign, 8)) : (escapes[sign] ?? sign),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
