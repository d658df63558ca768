/**
 * One thing, spelt in several ways. A rule is about the thing: a pattern for `file:///workspace/*` does not mean
 * `file:///workspace/../etc/passwd`, and one that denies `delete*` means `DELETE_ALL` too, because the server behind us may
 * resolve the first and fold the second. Nothing here is sent on; it is only what is decided about besides the name itself.
 */

const decodedMax = 3

/** No URI has them (RFC 3986, 2), and URL parsers drop them: `.\t.` is `..` to a server. */
export const hasStrayCharacters = (uri: string): boolean => /[\p{Cc}]|^\s|\s$/u.test(uri)

/** A URI in all the ways a server may come to read it: as it stands, as a URL, and as a path in which `?` and `#` mean nothing. */
export function readingsOf(uri: string): readonly string[] {
  const [, scheme = '', authority = '', path = '', rest = ''] =
    /^([a-z][a-z0-9+.-]*:)?(\/\/[^/\\?#]*)?([^?#]*)(.*)$/is.exec(uri) ?? []
  const start = scheme + authority
  return [...new Set([uri, `${start}${resolved(path)}${rest}`, start + resolved(path + rest)])]
}

/** `file:/etc`, `file://localhost/etc` and `FILE:///etc` are one file (RFC 8089). */
export const fileUri = (uri: string): string => uri.replace(/^file:(?:\/\/(?:localhost)?(?=\/)|(?=\/(?!\/)))/i, 'file://')

/** Percent-encoding undone, backslashes turned, dot segments and double slashes taken out. */
function resolved(path: string): string {
  let plain = path
  for (let round = 0; round < decodedMax && plain.includes('%'); round++) plain = plain.replace(/%([2-7][0-9a-f])/gi, decoded)
  const isRooted = /^[/\\]/.test(plain)
  const segments: string[] = []
  for (const segment of plain.split(/[/\\]/)) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const isFolder = segments.length > 0 && /[/\\]$/.test(plain)
  return `${isRooted ? '/' : ''}${segments.join('/')}${isFolder ? '/' : ''}`
}

const decoded = (_: string, hexadecimal: string): string => String.fromCharCode(Number.parseInt(hexadecimal, 16))

/** A name as a server that is lenient about letters may read it: one case, one width, nothing invisible. */
export const folded = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .toLowerCase()
