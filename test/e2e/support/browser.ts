/**
 * A browser as far as OAuth needs one: it follows redirects, keeps cookies, and writes down where it has been. Found in PATH
 * as `xdg-open`, it is what opens when a person would have to consent.
 */
import { appendFileSync } from 'node:fs'

const [address = '', journal = ''] = process.argv.slice(2)
const jar = new Map<string, string>()
for (let url = address, hops = 0; hops < 20; hops++) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
  appendFileSync(journal, `${response.status} ${url}\n`)
  for (const one of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
    jar.set(name, value)
  }
  const location = response.headers.get('location')
  if (location === null) break
  url = new URL(location, url).href
}
