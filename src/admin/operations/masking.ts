/** Words and URLs of other people's configurations, as they may be shown: what is or may be a secret is replaced. */
import { looksLikeSecret, looksLikeToken, withoutSecrets } from '../../config/secrets.ts'
import { isPlaceholder } from '../../trust/clients/findings.ts'

const mask = '•••'

/** `Authorization: Bearer …`, as bridges between transports take it for an argument. */
const header = /^((?:proxy-)?authorization|cookie|x-[\w-]+|[\w-]*api-?key)(\s*:\s*)(?=\S)(.+)$/is

/** A command with its secrets replaced, word by word. */
export const maskedWords = (words: readonly string[]): readonly string[] =>
  withoutSecrets(words).map((word, at) => {
    const [, name, sign, value = ''] = header.exec(words[at] as string) ?? []
    if (name !== undefined && !isPlaceholder(value)) return `${name}${sign}${mask}`
    return word.replace(/\b(Bearer|Basic) (?!\$)\S{4,}/g, `$1 ${mask}`)
  })

/** A command as it may be shown. */
export const shownWords = (words: readonly string[]): readonly string[] =>
  maskedWords(words).map((word) => (/^https?:\/\//i.test(word) ? shownUrl(word) : word))

/** A part of a path that nobody can guess: some servers tell their users apart by nothing else. */
const isUnguessable = (part: string): boolean => /^(?=.*\d)(?=.*[a-z])[\w~-]{24,}$/i.test(part) || looksLikeToken(part)

/** Without password, without the values of the query, and without what nobody can guess. */
export function shownUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined) return maskedWords([given])[0] ?? ''
  const user = url.username === '' && url.password === '' ? '' : '…@'
  const path = url.pathname.split('/').map((part) => (isUnguessable(part) ? '…' : part))
  const names = [...url.searchParams.keys()].map((name) => `${name}=…`)
  return `${url.protocol}//${user}${url.host}${path.join('/')}${names.length === 0 ? '' : `?${names.join('&')}`}`
}

/** Whether whoever reads the URL could use it, too. */
export function isSecretUrl(given: string): boolean {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined) return looksLikeToken(given)
  if (url.password !== '' || looksLikeToken(given) || url.pathname.split('/').some(isUnguessable)) return true
  return [...url.searchParams].some(([name, value]) => !isPlaceholder(value) && looksLikeSecret(name, value))
}
