/**
 * Secrets in what is about to be committed, or pushed: in the lines that are added, and in the messages. What stood there before is
 * not looked at, so that a hook is quick and says only what its reader has just written.
 */
import type { Git } from '../../outbound/git/git.ts'
import { addedIn, commitFormat, type Hunk, patchFlags } from '../git/added-lines.ts'
import { type SecretPlace, type SecretsReport, secretsInText } from './supply-secrets.ts'

export interface SecretAdded extends SecretPlace {
  /** Undefined for what is not committed yet. */
  readonly commit?: string
}
export interface SecretsAdded extends Omit<SecretsReport, 'found'> {
  readonly found: readonly SecretAdded[]
}

/** What the next commit would add. */
export async function stagedSecrets(git: Git, allowed: ReadonlySet<string>): Promise<SecretsAdded> {
  return report(addedIn(text(await git(['diff', '--cached', ...patchFlags]))), [], allowed)
}

/**
 * `lines`: what git writes to the hook `pre-push` (githooks(5)), one line for each reference. What the remote is known to have is
 * left out.
 */
export async function pushedSecrets(
  git: Git,
  lines: string,
  remote: string | undefined,
  allowed: ReadonlySet<string>,
): Promise<SecretsAdded> {
  const hunks: Hunk[] = []
  const messages: Message[] = []
  for (const { ours, theirs } of readPush(lines)) {
    if (isNone(ours)) continue
    const isKnown = !isNone(theirs) && (await has(git, theirs))
    const known = ['--not', ...(isKnown ? [theirs] : []), ...(remote === undefined ? [] : [`--remotes=${remote}`])]
    const range = [ours, ...(known.length > 1 ? known : [])]
    const quiet = ['--no-show-signature', '--no-notes']
    hunks.push(...addedIn(text(await git(['log', ...quiet, commitFormat, ...patchFlags, ...range, '--']))))
    messages.push(
      ...messagesIn(text(await git(['log', ...quiet, '-z', '--no-patch', '--format=tformat:%H%n%B', ...range, '--']))),
    )
  }
  return report(hunks, messages, allowed)
}

interface Message {
  readonly commit: string
  readonly text: string
}

const text = (bytes: Buffer): string => bytes.toString('utf8')
const isNone = (id: string): boolean => /^0+$/.test(id)
const has = (git: Git, id: string): Promise<boolean> =>
  git(['cat-file', '-e', `${id}^{commit}`]).then(
    () => true,
    () => false,
  )

/** Throws for what is no line of the hook: a hook that understood nothing would let everything pass. */
function readPush(lines: string): readonly { readonly ours: string; readonly theirs: string }[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, ours, theirs] = /^\S+ ([0-9a-f]{40,64}) \S+ ([0-9a-f]{40,64})$/.exec(line) ?? []
      if (ours === undefined || theirs === undefined)
        throw Object.assign(new Error('this is not what git tells the hook pre-push'), {
          fix: 'let git start it: sekisho supply secrets --install-hook',
        })
      return { ours, theirs }
    })
}

const messagesIn = (log: string): readonly Message[] =>
  log
    .split('\0')
    .filter(Boolean)
    .map((entry) => {
      const end = entry.indexOf('\n')
      return { commit: entry.slice(0, end), text: entry.slice(end + 1) }
    })

function report(hunks: readonly Hunk[], messages: readonly Message[], allowed: ReadonlySet<string>): SecretsAdded {
  const found = new Map<string, SecretAdded>()
  const add = (commit: string | undefined, place: SecretPlace): void => {
    const key = `${commit} ${place.file} ${place.line} ${place.column} ${place.sha256}`
    found.set(key, { ...place, ...(commit !== undefined && { commit }) })
  }
  for (const { commit, file, line, lines, added } of hunks) {
    if (lines.some((one) => one.includes('\0'))) continue // no text
    for (const { lastLine, ...place } of secretsInText(lines.join('\n'), file, allowed)) {
      const touched = Array.from({ length: lastLine - place.line + 1 }, (_, at) => place.line - 1 + at)
      if (touched.some((at) => added.has(at))) add(commit, { ...place, line: place.line + line - 1 })
    }
  }
  for (const { commit, text: message } of messages)
    for (const { lastLine: _, ...place } of secretsInText(message, 'commit message', allowed)) add(commit, place)
  return { files: new Set(hunks.map(({ file }) => file)).size, found: [...found.values()], unread: [] }
}
