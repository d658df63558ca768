/** What a text may say in another writing: base64, hexadecimal digits, ROT13, backwards, leetspeak, spaced letters. */

export interface Decoding {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly how: 'base64' | 'hexadecimal digits' | 'ROT13' | 'reversed letters' | 'digits for letters' | 'spaced letters'
}

const base64 = /[A-Za-z0-9+/_-]{20,}={0,2}/g
const hexadecimal = /(?:[0-9a-fA-F]{2}[ :,]?){12,}/g

/** `inner`: of what has been decoded already, where only blobs are looked for. */
export function* decodingsOf(text: string, inner = false): Generator<Decoding> {
  if (text.length < 20) return
  yield* blobs(text, base64, 'base64', (blob) => Buffer.from(blob, 'base64'))
  yield* blobs(text, hexadecimal, 'hexadecimal digits', (blob) => Buffer.from(blob.replace(/[ :,]/g, ''), 'hex'))
  if (!inner) yield* whole(text)
}

function* blobs(text: string, pattern: RegExp, how: Decoding['how'], decode: (blob: string) => Buffer): Generator<Decoding> {
  for (const { index, 0: blob } of text.matchAll(pattern)) {
    const said = sentence(decode(blob))
    if (said !== undefined) yield { start: index, end: index + blob.length, text: said, how }
  }
}

/** Text, and not a key or a picture: nearly all of it is printable, and there are words with blanks between them. */
function sentence(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8')
  const strange = text.replace(/[\p{L}\p{N}\p{P}\p{Zs}\n\t=+<>|~$^]/gu, '').length
  if (text.length < 12 || strange > 0.03 * text.length) return undefined
  return /\p{L}{2}\s\p{L}{2}/u.test(text) || nested.test(text) ? text : undefined
}
/** A blob within a blob. */
const nested = /^[A-Za-z0-9+/_-]{20,}={0,2}\s?$/

/** A few words that show that the whole text is written otherwise, for each writing. */
const rotated =
  /\b(?:vtaber|vafgehpgvbaf?|cerivbhf|hfref?|flfgrz|nffvfgnag|frperg|cnffjbeq|fraq|ernq|cnff|gryy|orsber|nyjnlf|pbagragf?|hfvat)\b/gi
const reversed = /\b(?:erongi|snoitcurtsni|noitcurtsni|suoiverp|resu|metsys|tnatsissa|terces|drowssap|llet|reven)\b/gi
/** A digit with a letter behind it, within a word: `1gn0re`, and not `sha1`, `v1` or `3`. */
const leet = /\b(?=[a-z013457@$]{4,24}\b)[a-z]{0,12}[013457@$]{1,2}[a-z][a-z@$013457]{1,20}\b/gi
/** Where there are such words, whatever may be one: `n0t`, `u$er`, `id_r54`. */
const figured = /\b(?=[013457@$]{0,40}[a-z_])[a-z013457@$_]{2,40}\b/gi
const spaced = /(?:(?<![A-Za-z])[A-Za-z][ .\-_]{1,3}){9,}[A-Za-z](?![A-Za-z])/g

function* whole(text: string): Generator<Decoding> {
  const all = { start: 0, end: text.length }
  if (countOf(text, rotated) >= 2) yield { ...all, text: text.replace(/[a-z]/gi, turned), how: 'ROT13' }
  if (countOf(text, reversed) >= 2) yield { ...all, text: [...text].reverse().join(''), how: 'reversed letters' }
  if (countOf(text, leet) >= 3) yield { ...all, text: text.replace(figured, unleet), how: 'digits for letters' }
  for (const { index, 0: run } of text.matchAll(spaced)) {
    const words = run.replace(/([A-Za-z])[ .\-_](?=[A-Za-z])/g, '$1').replace(/[ .\-_]{2,3}/g, ' ')
    yield { start: index, end: index + run.length, text: words, how: 'spaced letters' }
  }
}

function countOf(text: string, pattern: RegExp): number {
  let count = 0
  pattern.lastIndex = 0
  while (count < 3 && pattern.exec(text) !== null) count++
  return count
}

const turned = (letter: string): string => {
  const base = letter <= 'Z' ? 65 : 97
  return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base)
}

const letters: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's' }
const unleet = (word: string): string => word.replace(/[013457@$]/g, (digit) => letters[digit] ?? digit)
