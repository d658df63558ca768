import { isIP } from 'node:net'

/** NO_PROXY as curl reads it: `*`, host names with or without a leading dot (subdomains included), addresses, optional port. */
export function bypassesProxy(url: URL, list: string | undefined): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return (list ?? '')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [host, wantedPort] = hostAndPort(entry.toLowerCase().replace(/^\./, ''))
      if (wantedPort !== undefined && wantedPort !== port) return false
      return entry === '*' || url.hostname === host || url.hostname.endsWith(`.${host}`)
    })
}

/** The host as a URL spells it. */
function hostAndPort(entry: string): readonly [host: string, port: string | undefined] {
  if (isIP(entry) === 6) return [`[${entry}]`, undefined]
  const [, host = '', port] = /^(\[.*\]|.*?)(?::(\d+))?$/.exec(entry) ?? []
  return [host, port]
}
