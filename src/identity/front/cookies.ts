/**
 * Cookies of the authorization server's pages. Over https every name begins with `__Host-`, so that no other host and no
 * plain connection can set one (cookie tossing; RFC 6265bis, 4.1.3.2); on this machine's own http they are named without.
 */
export interface Jar {
  get(name: string): string | undefined
  /** The header value that sets it; `seconds` 0 removes it. */
  set(name: string, value: string, seconds: number): string
}

/** A Cookie header without the cookies of this name, prefixed, signed or plain. */
export function withoutCookie(header: string, name: string): string {
  const isIt = (pair: string): boolean =>
    (pair.split('=', 1)[0] as string)
      .trim()
      .replace(/^__Host-/, '')
      .split('.', 1)[0] === name
  return header
    .split(';')
    .filter((pair) => !isIt(pair))
    .join(';')
}

export function jarOf(header: string | undefined, isSecure: boolean): Jar {
  const named = (name: string): string => (isSecure ? `__Host-${name}` : name)
  return {
    get(name) {
      const wanted = named(name)
      const found = (header ?? '')
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(`${wanted}=`))
      // Two cookies of one name, and one of them is somebody else's: neither counts.
      return found.length === 1 ? found[0]?.slice(wanted.length + 1) : undefined
    },
    set: (name, value, seconds) =>
      `${named(name)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`,
  }
}
