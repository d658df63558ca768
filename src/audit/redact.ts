/**
 * Takes secrets out of what the log quotes. The log keeps digests of bodies; only an excerpt, a subject, a detail and a
 * piece of evidence are text that came from strangers. Every pattern is linear and none was chosen by a stranger.
 */
import { canonicalJson } from '../lib/canonical-json.ts'
import { isRawNumber } from '../lib/strict-json.ts'

const removed = '[redacted]'

/** Shapes that are secrets wherever they stand. */
const known = new RegExp(
  [
    String.raw`\b(?:Bearer|Basic|Digest|DPoP)\s+[A-Za-z0-9+/_\-.~=]{8,}`,
    String.raw`\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}`,
    String.raw`\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{12,}`,
    String.raw`\bgh[pousr]_[A-Za-z0-9]{16,}`,
    String.raw`\bgithub_pat_[A-Za-z0-9_]{16,}`,
    String.raw`\bxox[a-z]-[A-Za-z0-9-]{8,}`,
    String.raw`\b(?:glpat|npm|dop|shpat|hf)[-_][A-Za-z0-9_-]{16,}`,
    String.raw`\b(?:AKIA|ASIA)[A-Z0-9]{12,}`,
    String.raw`\bAIza[A-Za-z0-9_-]{20,}`,
    String.raw`\bya29\.[A-Za-z0-9_-]{16,}`,
    '-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?',
  ].join('|'),
  'g',
)
/** `https://user:password@host` keeps the scheme and the host; `?access_token=…` keeps the name. */
const userInfo = /(:\/\/)[^\s/?#@]{1,256}@/g
const queried =
  /([?&;](?:[A-Za-z0-9_.-]{0,32}(?:token|secret|password|passwd|apikey|api[_-]key|signature|credential)|key|sig|code)=)[^&\s#"]+/gi
/** A run that no sentence has: base64, hex, a key of some kind. */
const long = /[A-Za-z0-9+/_-]{32,}={0,2}/g
const secretName =
  /(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization|cookie|credentials?|signature)$|^(?:pass|pwd|pin|otp)$/i

/** Text that should stay readable, such as a name or a sentence: only what is surely a secret goes. */
export function redactKnown(text: string): string {
  if (text.length < 12) return text
  return text.replace(known, removed).replace(userInfo, `$1${removed}@`).replace(queried, `$1${removed}`)
}

/** Text out of a body: what might be a secret goes too. */
export const redact = (text: string): string => redactKnown(text).replace(long, removed)

/** Room beyond a limit in which a secret that begins before it can still be recognised. */
const overlookChars = 4096

/** A stranger's text, redacted, in at most `charsMax` characters. */
export const quoted = (text: string, charsMax: number): string => clip(redactKnown(cut(text, charsMax + overlookChars)), charsMax)

const clip = (text: string, charsMax: number): string => (text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`)

/** A cut text loses the unfinished word at its end: it may be the beginning of a secret. */
function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  let end = charsMax
  while (end > 0 && /[A-Za-z0-9+/_\-.~=]/.test(text[end - 1] as string)) end--
  return text.slice(0, end)
}

/**
 * The first `bytesMax` bytes of the canonical JSON of `body`, redacted leaf by leaf, so that no cut can hide half a secret
 * from a pattern. Not always JSON any more.
 */
export function excerptOf(body: unknown, bytesMax: number): string {
  const text = write(body, bytesMax)
  if (Buffer.byteLength(text) <= bytesMax) return text
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(text).subarray(0, bytesMax)).replace(/\uFFFD+$/, '')
}

/** Stops, a little late, once the text is longer than `room`. */
function write(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(redact(cut(value, Math.max(room, 0) + overlookChars)))
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return canonicalJson(value)
  let text = ''
  if (Array.isArray(value)) {
    for (const item of value) {
      text += `${text === '' ? '' : ','}${write(item, room - text.length)}`
      if (text.length > room) break
    }
    return `[${text}]`
  }
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key]
    if (member === undefined) continue
    const written = secretName.test(key) ? `"${removed}"` : write(member, room - text.length)
    text += `${text === '' ? '' : ','}${JSON.stringify(redact(cut(key, overlookChars)))}:${written}`
    if (text.length > room) break
  }
  return `{${text}}`
}
