/**
 * A browser in little for tables of requests: cookies for each host, redirects, `refresh`, forms. It stops where it is sent to
 * a client, and shows every answer on the way. Where it matters what a browser makes of a page, the tests use a real one.
 */
import assert from 'node:assert/strict'
import type { Fetch } from './front-house.ts'

export interface Page {
  readonly url: URL
  /** 0: an address of a client, which was not asked. */
  readonly status: number
  readonly html: string
  readonly headers: Headers
}

const stepsMax = 20
const clientHost = /\.client\.test$|^attacker\.test$/
const clientPort = /^(127\.0\.0\.1|localhost|\[::1\]):(1|9\d{3})$/

export class Surfer {
  /** For each host by name, and by name and path where they are for a part of it. */
  readonly cookies = new Map<string, Map<string, string>>()
  /** Every address that it has been to. */
  readonly trail: string[] = []
  readonly headers: Record<string, string> = { accept: 'text/html,*/*;q=0.8', 'accept-language': 'en' }
  readonly #fetch: Fetch
  constructor(fetchIt: Fetch) {
    this.#fetch = fetchIt
  }

  jar(url: string | URL): Map<string, string> {
    const { hostname } = new URL(url)
    const jar = this.cookies.get(hostname) ?? new Map<string, string>()
    this.cookies.set(hostname, jar)
    return jar
  }

  /** One request, with cookies and without following anything. */
  async ask(
    url: string | URL,
    init: { method?: string; headers?: Record<string, string>; body?: URLSearchParams } = {},
  ): Promise<Page> {
    const at = new URL(url)
    if (clientHost.test(at.hostname) || clientPort.test(at.host)) return { url: at, status: 0, html: '', headers: new Headers() }
    const jar = this.jar(at)
    const isFor = (key: string): boolean => at.pathname.startsWith(key.split(' ')[1] ?? '/')
    const pairs = [...jar].filter(([key]) => isFor(key)).map(([key, value]) => `${key.split(' ')[0]}=${value}`)
    const cookie = pairs.join('; ')
    const { body, ...rest } = init
    const form = body && { body: body.toString() }
    const type: Record<string, string> = body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
    const headers = { ...this.headers, ...(cookie && { cookie }), ...type, ...init.headers }
    const response = await this.#fetch(at, { redirect: 'manual', ...rest, ...form, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const path = /; path=(\/[^;]+)/i.exec(line)?.[1]
      const key = path === undefined ? name : `${name} ${path}`
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(key)
      else jar.set(key, value)
    }
    this.trail.push(`${init.method ?? 'GET'} ${at.pathname}`)
    return { url: at, status: response.status, html: await response.text(), headers: response.headers as unknown as Headers }
  }

  /** Goes on from an answer for as long as it leads on by itself. */
  async follow(page: Page): Promise<Page> {
    let at = page
    for (let step = 0; step < stepsMax; step++) {
      const location = at.headers.get('location')
      const refresh = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(at.html)?.[1]
      const next = at.status >= 300 && at.status < 400 ? location : refresh && plain(refresh)
      if (!next) return at
      at = await this.ask(new URL(next, at.url))
    }
    throw new Error(`still not there after ${stepsMax} steps: ${this.trail.join(', ')}`)
  }

  async visit(url: string | URL): Promise<Page> {
    return this.follow(await this.ask(url))
  }

  /** Sends the first form of a page with these fields on top of its hidden ones. */
  async send(page: Page, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    return this.follow(await this.post(page, fields, headers))
  }

  post(page: Page, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    const action = plain(/action="([^"]*)"/.exec(page.html)?.[1] ?? '')
    assert.notEqual(action, '', `there is no form on ${page.url}: ${page.html.slice(0, 300)}`)
    const body = new URLSearchParams()
    const [form = ''] = page.html.split('</form>')
    for (const [, name = '', value = ''] of form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g))
      body.set(plain(name), plain(value))
    for (const [name, value] of Object.entries(fields)) body.set(name, value)
    const origin = page.url.origin
    return this.ask(new URL(action, page.url), { method: 'POST', body, headers: { origin, ...headers } })
  }

  /** Allows, and signs in as whoever is named where the provider asks. */
  async agree(url: string | URL, username = 'ada@contoso.test'): Promise<Page> {
    let page = await this.visit(url)
    for (let step = 0; step < stepsMax && page.status === 200; step++) {
      if (isConsent(page)) page = await this.send(page, { decision: 'allow' })
      else if (page.html.includes('name="username"')) page = await this.send(page, { username })
      else if (page.html.includes('name="consent"')) page = await this.send(page, { consent: 'accept' })
      else break
    }
    return page
  }
}

export const isConsent = ({ html }: Page): boolean => html.includes('name="decision" value="allow"')

export const plain = (html: string): string =>
  html.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] as string,
  )
