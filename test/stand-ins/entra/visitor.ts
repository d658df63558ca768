/**
 * A browser in little, for tests that are not about browsers: keeps cookies, fills in the forms of the stand-in, and stops
 * where it is sent to somebody else. Says which pages it was shown, because what matters is often that there was none.
 */
export interface Arrival {
  /** Titles of the pages shown, in order. */
  readonly pages: readonly string[]
  /** Where it was sent, without what follows; undefined when it is still on a page. */
  readonly to: string | undefined
  /** What came with it: query, fragment or form. */
  readonly answer: URLSearchParams
  /** The page it is still on. */
  readonly html: string
}
export interface Person {
  readonly username: string
  /** What is answered when more proof or consent is asked for; yes unless said otherwise. */
  readonly approve?: 'yes' | 'no'
  readonly consent?: 'accept' | 'cancel'
}
export interface Visitor {
  readonly cookies: ReadonlyMap<string, string>
  /** Undefined: nobody is there to click, so the first page is where it ends. */
  visit(url: string, person?: Person): Promise<Arrival>
}

const stepsMax = 10

export function visitor(fetchIt: typeof fetch = fetch): Visitor {
  const cookies = new Map<string, string>()

  async function load(url: string, form?: URLSearchParams): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const posted = form === undefined ? {} : { method: 'POST', body: form }
    const response = await fetchIt(url, { redirect: 'manual', headers: { cookie }, ...posted })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string]
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }

  async function visit(url: string, person?: Person): Promise<Arrival> {
    const { origin } = new URL(url)
    const pages: string[] = []
    let response = await load(url)
    for (let step = 0; step < stepsMax; step++) {
      const html = await response.text()
      const location = response.headers.get('location')
      if (location !== null) {
        const to = new URL(location, url)
        const answer = to.hash === '' ? to.searchParams : new URLSearchParams(to.hash.slice(1))
        if (to.origin !== origin) return { pages, to: `${to.origin}${to.pathname}`, answer, html: '' }
        response = await load(to.href)
        continue
      }
      const title = between(html, '<title>', '</title>')
      const fields = hiddenFields(html)
      const action = between(html, 'action="', '"')
      if (title === 'Working…') return { pages, to: action, answer: fields, html: '' }
      pages.push(title)
      if (person === undefined || action === '' || html.includes('role="alert"'))
        return { pages, to: undefined, answer: new URLSearchParams(), html }
      const { username, approve = 'yes', consent = 'accept' } = person
      for (const [name, value] of Object.entries({ username, approve, consent }))
        if (html.includes(`name="${name}"`)) fields.set(name, value)
      response = await load(new URL(action, origin).href, fields)
    }
    throw new Error(`still not there after ${stepsMax} steps: ${pages.join(', ')}`)
  }
  return { cookies, visit }
}

function between(html: string, before: string, after: string): string {
  const start = html.indexOf(before)
  return start === -1 ? '' : plain(html.slice(start + before.length, html.indexOf(after, start + before.length)))
}

const plain = (html: string): string =>
  html.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] as string,
  )

function hiddenFields(html: string): URLSearchParams {
  const fields = new URLSearchParams()
  const [first = ''] = html.split('</form>')
  for (const [, name = '', value = ''] of first.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g))
    fields.append(plain(name), plain(value))
  return fields
}
