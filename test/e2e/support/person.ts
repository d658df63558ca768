/**
 * A person with a browser, in little: follows redirects, keeps cookies for each host (not for each port, as browsers do), and
 * clicks through the pages of the gateway, of the Entra stand-in and of oidc-provider. Says what it was shown, because often that is the point.
 */
export interface Shown {
  readonly origin: string
  readonly title: string
  /** What can be read on it. */
  readonly text: string
  readonly html: string
}
export interface Landing {
  /** Where it was sent that is neither the gateway nor the provider; undefined when it ended on a page. */
  readonly url: URL | undefined
  readonly pages: readonly Shown[]
  /** Of the page on which it ended. */
  readonly status: number
}
export interface Clicks {
  readonly decision?: 'allow' | 'deny'
  readonly approve?: 'yes' | 'no'
  /** On the page of what was allowed: from whom to take it back. */
  readonly client?: string
}

const stepsMax = 25

export class Person {
  readonly username: string
  /** Origins on whose pages it clicks. */
  readonly #known: readonly string[]
  readonly language: string
  readonly #cookies = new Map<string, Map<string, string>>()

  constructor(username: string, known: readonly string[], language = 'en') {
    this.username = username
    this.#known = known
    this.language = language
  }

  /** One page, and nothing clicked. */
  async look(from: string | URL): Promise<{ readonly status: number; readonly html: string; readonly location: string | null }> {
    const response = await this.#load(new URL(from), undefined)
    return { status: response.status, html: await response.text(), location: response.headers.get('location') }
  }

  async visit(from: string | URL, { decision = 'allow', approve = 'yes', client = '' }: Clicks = {}): Promise<Landing> {
    const pages: Shown[] = []
    const answers = {
      ...{ username: this.username, login: this.username, password: 'any' },
      ...{ decision, approve, client, consent: approve === 'yes' ? 'accept' : 'cancel' },
    }
    let url = new URL(from)
    let form: URLSearchParams | undefined
    for (let step = 0; step < stepsMax; step++) {
      if (!this.#known.includes(url.origin)) return { url, pages, status: 0 }
      const response = await this.#load(url, form)
      const html = await response.text()
      form = undefined
      const location = response.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]+)"/.exec(html)?.[1]
      if (location !== undefined) {
        url = new URL(plain(location), url)
        continue
      }
      pages.push({ origin: url.origin, title: /<title>([^<]*)/.exec(html)?.[1] ?? '', text: readable(html), html })
      const filled = /<form[^>]* action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(html)
      const isDone = client !== '' && html.includes('name="client"') && !html.includes(`value="${client}"`)
      if (filled === null || isDone || response.status >= 400 || html.includes('role="alert"'))
        return { url: undefined, pages, status: response.status }
      form = new URLSearchParams()
      for (const [, name = '', value = ''] of (filled[2] ?? '').matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g))
        form.set(plain(name), plain(value))
      for (const [name, value] of Object.entries(answers)) if (html.includes(`name="${name}"`)) form.set(name, value)
      url = new URL(plain(filled[1] ?? ''), url)
    }
    throw new Error(`still not there after ${stepsMax} steps: ${pages.map(({ title }) => title).join(', ')}`)
  }

  async #load(url: URL, form: URLSearchParams | undefined): Promise<Response> {
    const jar = this.#cookies.get(url.hostname) ?? new Map<string, string>()
    this.#cookies.set(url.hostname, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const posted = form && { method: 'POST', body: form }
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, 'accept-language': this.language, ...(form && { origin: url.origin }) },
      ...posted,
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const plain = (html: string): string => html.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] as string)
const readable = (html: string): string =>
  plain(
    html
      .replace(/<style.*?<\/style>/s, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' '),
  )
