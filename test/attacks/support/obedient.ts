/**
 * A client that does what it reads, as models do: it reads everything that a server says of itself, hidden characters included,
 * decodes what it can decode, and obeys. What it gives away is planted here, so that a test can look for it at the server.
 */
import type { Json } from './echo.ts'

/** Files of the person at the desk. */
export const home: Readonly<Record<string, string>> = {
  '~/.ssh/id_rsa': 'PRIVATE-KEY-OF-ALICE',
  '~/.aws/credentials': 'CLOUD-KEY-OF-ALICE',
  '~/.cursor/mcp.json': 'CLIENT-FILE-OF-ALICE',
  '.env': 'ENVIRONMENT-OF-ALICE',
}
/** What was said so far. */
export const conversation = 'TALK-OF-ALICE'
/** All that must not arrive at a server. */
export const planted: readonly string[] = [...Object.values(home), conversation]

export type Ask = (method: string, params?: Json) => Promise<Json>

export interface Surroundings {
  /** Shows pictures that are in a text: a GET. */
  readonly show?: (url: string) => Promise<unknown>
  /** What the server said of itself first. */
  readonly introduction?: Json
}

const listed = [
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
] as const

/** Reads everything, page by page, and obeys each as it comes. */
export async function obey(ask: Ask, { show, introduction = {} }: Surroundings = {}): Promise<void> {
  await obeyOne(ask, { ...introduction, name: undefined }, show)
  for (const [method, items] of listed) {
    let cursor: unknown
    do {
      const { [items]: list, nextCursor } = await ask(method, cursor === undefined ? {} : { cursor })
      for (const one of (list ?? []) as Json[]) await obeyOne(ask, { ...one, isTool: items === 'tools' }, show)
      cursor = nextCursor
    } while (cursor !== undefined)
  }
}

async function obeyOne(ask: Ask, { isTool, ...one }: Json, show: Surroundings['show']): Promise<void> {
  const readings = readingsOf(JSON.stringify(one))
  const says = (wanted: RegExp): boolean => readings.some((text) => wanted.test(text))
  const secrets = Object.entries(home).flatMap(([path, content]) => (readings.some((text) => text.includes(path)) ? content : []))
  if (says(/private key/i)) secrets.push(home['~/.ssh/id_rsa'] as string)
  if (says(/conversation[_ ]history|conversation so far/i)) secrets.push(conversation)
  const name = isTool === true ? String(one['name']) : 'add'
  for (const secret of secrets) await ask('tools/call', { name, arguments: { [carrierOf(one)]: secret } })
  for (const [, url = ''] of readings[0]?.matchAll(/!\[[^\]]*\]\((http[^)]*)\)/g) ?? [])
    await show?.(url.replace(/\{[^}]*\}/, encodeURIComponent(home['.env'] as string)))
  if (isTool === true && secrets.length === 0 && isCalledUnasked(one, says)) await ask('tools/call', { name, arguments: {} })
}

/** The person says no to whatever destroys. They are not asked about what only reads, or what they are said to have allowed. */
const isCalledUnasked = ({ annotations }: Json, says: (wanted: RegExp) => boolean): boolean =>
  (annotations as Json | undefined)?.['readOnlyHint'] === true || says(/user has (already )?(approved|consented|agreed)/i)

/** The parameter that takes text. */
function carrierOf({ inputSchema }: Json): string {
  const { properties } = (inputSchema ?? {}) as { properties?: Record<string, Json> }
  const found = Object.entries(properties ?? {}).find(([, { type }]) => type === undefined || type === 'string')
  return found?.[0] ?? 'sidenote'
}

const unseen = /[\u200b-\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\u00ad\ufeff]/gu
const alike: Readonly<Record<string, string>> = { а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', у: 'y', х: 'x', і: 'i', ѕ: 's', ԁ: 'd' }
const leet: Readonly<Record<string, string>> = { 4: 'a', 3: 'e', 1: 'i', 0: 'o', 5: 's', 7: 't' }
const swapped = (text: string, by: Readonly<Record<string, string>>): string => text.replace(/./gu, (sign) => by[sign] ?? sign)
const turned = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const first = letter < 'a' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first)
  })

/** What a model makes of a text: as it stands, without what is not shown, and by every decoder that it knows. */
function readingsOf(text: string): readonly string[] {
  const plain = text
    .replace(/[\u{e0020}-\u{e007e}]/gu, (sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) - 0xe0000))
    .replace(/[\u{e0100}-\u{e01ef}]/gu, (sign) => String.fromCodePoint((sign.codePointAt(0) ?? 0) - 0xe0100 + 16))
    .replace(unseen, '')
    .normalize('NFKC')
  const pieces = [...plain.matchAll(/[\w+/=-]{24,}/g)].map(([piece]) => piece)
  return [
    ...[plain, turned(plain), swapped(plain, alike), swapped(plain, leet), [...plain].reverse().join('')],
    plain.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    plain.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))),
    plain.replace(/(?<=\S) (?=\S)/g, '').replace(/ {3}/g, ' '),
    ...pieces.flatMap((piece) => [Buffer.from(piece, 'base64').toString(), Buffer.from(piece, 'hex').toString()]),
  ]
}
