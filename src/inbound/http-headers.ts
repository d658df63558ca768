/** What is said in headers about the message and the page it came from: media types and CORS. */

/** For a web page that may call us (Fetch, CORS protocol); nothing for everybody else. */
export const noCors: Readonly<Record<string, string>> = Object.freeze({})

export const corsFor = (origin: string | undefined): Readonly<Record<string, string>> =>
  origin === undefined
    ? noCors
    : { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'mcp-session-id, retry-after', vary: 'origin' }

const allowed = ['authorization', 'content-type', 'accept', 'last-event-id']

/** The answer to a preflight: our methods, and of the headers asked for the ones this protocol has. */
export function preflight(requested: string | undefined): Readonly<Record<string, string>> {
  const names = (requested ?? '').split(',').map((name) => name.trim().toLowerCase())
  return {
    'access-control-allow-methods': 'POST, GET, DELETE',
    'access-control-allow-headers': names
      .filter((name) => allowed.includes(name) || /^mcp-[a-z0-9-]{1,64}$/.test(name))
      .join(', '),
    'access-control-max-age': '600',
  }
}

export const isJson = (header: string): boolean =>
  header === 'application/json' || header.split(';')[0]?.trim().toLowerCase() === 'application/json'

/** Clients send the same header with every request; what was read once is kept. */
const acceptKnown = new Map<string, boolean>()
const acceptKnownMax = 256

export function accepts(header: string, ...types: readonly string[]): boolean {
  const key = `${types.length}${types[0]} ${header}`
  let answer = acceptKnown.get(key)
  if (answer !== undefined) return answer
  answer = types.every((type) => header.split(',').some((range) => covers(range, type)))
  if (acceptKnown.size < acceptKnownMax) acceptKnown.set(key, answer)
  return answer
}

function covers(range: string, type: string): boolean {
  const [name, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
  return Number(quality) > 0 && (name === type || name === '*/*' || name === `${type.split('/')[0]}/*`)
}
