/** NO_PROXY as curl reads it: `*`, host names with or without a leading dot (subdomains included), optional port. */
export function noProxy(url: URL, list: string | undefined): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return (list ?? '')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, host = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase().replace(/^\./, '')) ?? []
      if (wantedPort !== undefined && wantedPort !== port) return false
      return entry === '*' || url.hostname === host || url.hostname.endsWith(`.${host}`)
    })
}
