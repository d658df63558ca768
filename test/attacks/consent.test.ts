/**
 * CD-C1: the consent itself. Who can give it in somebody else's name (CSRF), for what it holds and when it is asked for again,
 * and what a stranger's words can do to the page. What a real browser makes of the page is in consent-page.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { certificateAuthority } from '../stand-ins/certificates.ts'
import { ada } from '../stand-ins/entra/contoso.ts'
import { bob, type FrontHouse, openFrontHouse } from './support/front-house.ts'
import { authorization, Client, website } from './support/oauth-client.ts'
import { startSites } from './support/sites.ts'
import { isConsent, type Page, plain, Surfer } from './support/surfer.ts'

let house: FrontHouse
let editor: Client
before(async () => {
  house = await openFrontHouse()
  editor = await Client.register(house, {}, website)
})
after(async () => {
  await house.close()
  assert.deepEqual(house.errors, [])
})

const allow = { decision: 'allow' }
const codeIn = ({ url }: Page): string | null => url.searchParams.get('code')
const given = (): number => house.notes.filter((note) => note.startsWith('consent.given')).length
const csrfOf = ({ html }: Page): string => /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? ''
const surfer = (): Surfer => new Surfer(house.fetch)
const ask = (one: Surfer, changes: Record<string, string> = {}): Promise<Page> => one.visit(editor.authorization(changes).url)

describe('CSRF: a decision counts only from our own page, in this browser, for this request', () => {
  type Wrong = (page: Page) => Promise<readonly [fields: Record<string, string>, headers: Record<string, string>]>
  const wrong: readonly (readonly [says: string, status: number, make: Wrong])[] = [
    ['no csrf', 403, async () => [{ csrf: '' }, {}]],
    ['a csrf that was made up', 403, async () => [{ csrf: 'x'.repeat(43) }, {}]],
    ['the csrf with one letter more', 403, async (page) => [{ csrf: `${csrfOf(page)}x` }, {}]],
    ['the csrf of another browser', 403, async () => [{ csrf: csrfOf(await ask(surfer())) }, {}]],
    ['a foreign Origin', 403, async () => [{}, { origin: 'https://attacker.test' }]],
    ['the Origin of a sibling', 403, async () => [{}, { origin: 'https://x.gateway.test' }]],
    ['Origin null', 403, async () => [{}, { origin: 'null' }]],
    ['our Origin, from a page of another site', 403, async () => [{}, { 'sec-fetch-site': 'cross-site' }]],
    ['our Origin, from a page of a sibling', 403, async () => [{}, { 'sec-fetch-site': 'same-site' }]],
    ['a form as text', 403, async () => [{}, { 'content-type': 'text/plain' }]],
    ['a form in parts', 403, async () => [{}, { 'content-type': 'multipart/form-data; boundary=x' }]],
    ['a form of 20 kB', 403, async () => [{ more: 'x'.repeat(20_000) }, {}]],
    ['a Cookie header without our cookie', 400, async () => [{}, { cookie: 'x=1' }]],
  ]
  for (const [says, status, make] of wrong)
    it(`${says}: ${status}, nothing is given, and the page still works afterwards`, async () => {
      const one = surfer()
      const page = await ask(one)
      const before = given()
      const [fields, headers] = await make(page)
      const answer = await one.post(page, { ...allow, ...fields }, headers)
      assert.deepEqual([answer.status, answer.headers.get('location'), given()], [status, null, before])
      assert.match((await one.post(page, allow)).html, /http-equiv="refresh"/)
    })

  it('the csrf of another request in the same browser', async () => {
    const one = surfer()
    const [first, second] = [await ask(one), await ask(one)]
    const answer = await one.post(first, { ...allow, csrf: csrfOf(second) })
    assert.ok([400, 403].includes(answer.status))
  })

  it('another browser cannot decide, whatever it knows of the page', async () => {
    const page = await ask(surfer())
    const answer = await surfer().post(page, allow)
    assert.equal(answer.status, 400)
  })

  it('a decision by GET is a question', async () => {
    const one = surfer()
    const page = await ask(one)
    const url = new URL(page.url)
    url.search = new URLSearchParams({ ...allow, csrf: csrfOf(page) }).toString()
    assert.ok(isConsent(await one.visit(url)))
  })

  it('what is neither yes nor no is no', async () => {
    for (const decision of ['', 'ALLOW', 'allow ', 'yes', '1']) {
      const one = surfer()
      const page = await one.send(await ask(one), { decision })
      assert.equal(page.url.searchParams.get('error'), 'access_denied', decision)
    }
  })

  it('nobody takes back a consent in another’s name, or has them log in', async () => {
    const one = surfer()
    await editor.login(one)
    const page = await one.visit(`${house.base}/oauth/consents`)
    for (const [fields, headers] of [
      [{ csrf: 'x' }, {}],
      [{}, { origin: 'https://attacker.test' }],
      [{}, { 'sec-fetch-site': 'cross-site' }],
    ] as const)
      assert.equal((await one.post(page, { client: editor.id, ...fields }, headers)).status, 403)
    assert.ok(!isConsent(await ask(one)), 'it still holds')
    const stranger = surfer()
    const signIn = await stranger.visit(`${house.base}/oauth/consents`)
    assert.equal((await stranger.post(signIn, { csrf: 'x' })).status, 403)
  })
})

describe('a consent holds for exactly what was shown', () => {
  it('the same again is not asked', async () => {
    const one = surfer()
    await editor.login(one)
    const page = await ask(one)
    assert.notEqual(codeIn(page), null)
  })

  const more: readonly (readonly [says: string, changes: () => Record<string, string>])[] = [
    ['one scope more', () => ({ scope: 'mcp:read mcp:write' })],
    ['another scope', () => ({ scope: 'mcp:destructive' })],
    ['another server', () => ({ resource: `${house.base}/y/mcp` })],
    ['all servers', () => ({ resource: `${house.base}/mcp` })],
    ['another address of the client', () => ({ redirect_uri: 'https://app.client.test/other' })],
  ]
  for (const [says, changes] of more)
    it(`${says} is asked for, and afterwards both hold`, async () => {
      const client = await Client.register(house, { redirect_uris: [website, 'https://app.client.test/other'] }, website)
      const one = surfer()
      await client.login(one)
      const { url } = client.authorization(changes())
      const page = await one.visit(url)
      assert.ok(isConsent(page))
      assert.notEqual(codeIn(await one.agree(url)), null)
      assert.notEqual(codeIn(await one.visit(url)), null)
    })

  it('another client of the same name is asked about', async () => {
    const one = surfer()
    await editor.login(one)
    const other = await Client.register(house, {}, website)
    assert.ok(isConsent(await one.visit(other.authorization().url)))
  })

  it('in another browser it is asked again: nobody is known there', async () => {
    await editor.login()
    assert.ok(isConsent(await ask(surfer())))
  })

  it('somebody else who logs in is asked anew, is told why, and a no is a no', async () => {
    const one = surfer()
    await editor.login(one)
    one.jar(house.entra.url).clear()
    let page = await ask(one)
    page = await one.send(page, { username: bob.username })
    if (page.html.includes('name="consent"')) page = await one.send(page, { consent: 'accept' })
    assert.ok(isConsent(page))
    assert.match(page.html, /signed in as somebody else/)
    const answer = await one.send(page, { decision: 'deny' })
    assert.deepEqual([codeIn(answer), answer.url.searchParams.get('error')], [null, 'access_denied'])
    const { code, verifier } = { ...(await editor.login(one, {}, bob.username)) }
    const { body } = await editor.redeem({ code, verifier })
    assert.equal(await house.whoIs(String(body['access_token'])), `user:${bob.tenant}.${bob.oid}`)
  })

  it('after half a year it is asked again', async () => {
    const slow = await openFrontHouse({ registration: { unusedDays: 365 } })
    try {
      const client = await Client.register(slow, {}, website)
      const one = new Surfer(slow.fetch)
      await client.login(one)
      slow.clock.advance(181 * 86_400_000)
      const signIn = await one.visit(`${slow.base}/oauth/consents`)
      let page = await one.send(signIn, {})
      if (page.html.includes('name="username"')) page = await one.send(page, { username: ada.username })
      assert.match(page.html, /You have not allowed anything/)
      assert.ok(isConsent(await one.visit(client.authorization().url)))
    } finally {
      await slow.close()
    }
  })

  it('a document that changes is asked about again: another name, another address', async (test) => {
    const certificates = certificateAuthority()
    const sites = await startSites(certificates)
    const own = await openFrontHouse({ certificates, documents: [`localhost:${sites.port}`] })
    try {
      const id = `https://localhost:${sites.port}/client.json`
      const describe = (changes: object): void =>
        sites.put(
          'localhost',
          '/client.json',
          JSON.stringify({
            client_id: id,
            client_name: 'Notes',
            redirect_uris: [website],
            token_endpoint_auth_method: 'none',
            ...changes,
          }),
          { 'content-type': 'application/json' },
        )
      test.mock.timers.enable({ apis: ['Date'], now: Date.now() })
      const one = new Surfer(own.fetch)
      const visit = (): Promise<Page> => {
        test.mock.timers.tick(61_000)
        return one.visit(authorization(own.base, id, website).url)
      }
      describe({})
      assert.match((await visit()).html, new RegExp(`localhost:${sites.port}`))
      assert.notEqual(codeIn(await one.agree(authorization(own.base, id, website).url)), null)
      assert.ok(!isConsent(await visit()))
      for (const changes of [
        { client_name: 'Notes of your bank' },
        { redirect_uris: [website, 'https://attacker.test/cb'] },
        { logo_uri: 'https://attacker.test/x' },
      ]) {
        describe(changes)
        assert.ok(isConsent(await visit()), JSON.stringify(changes))
      }
      describe({ client_id: 'https://localhost/somebody-else' })
      assert.equal((await visit()).status, 400)
      describe({ redirect_uris: ['javascript:alert(1)'] })
      assert.equal((await visit()).status, 400)
      describe({ redirect_uris: ['http://attacker.test/cb'] })
      assert.equal((await visit()).status, 400)
      describe({ client_secret: 'x', token_endpoint_auth_method: 'client_secret_post' })
      assert.equal((await visit()).status, 400)
    } finally {
      await Promise.all([own.close(), sites.close()])
    }
  })
})

describe('more than one at a time', () => {
  it('two tabs: both are asked, both end well, in either order', async () => {
    const one = surfer()
    const [first, second] = [await ask(one), await ask(one, { resource: `${house.base}/y/mcp` })]
    const going = [await one.post(first, allow), await one.post(second, allow)] as const
    let page = await one.follow(going[1])
    page = await one.send(page, { username: ada.username })
    if (page.html.includes('name="consent"')) page = await one.send(page, { consent: 'accept' })
    assert.notEqual(codeIn(page), null)
    assert.notEqual(codeIn(await one.follow(going[0])), null)
  })

  it('a page that was open while another tab logged in still works', async () => {
    const one = surfer()
    const page = await ask(one)
    await editor.login(one, { resource: `${house.base}/z/mcp` })
    assert.notEqual(codeIn(await one.follow(await one.post(page, allow))), null)
  })

  it('a decision that is sent again after the end says that the page has expired', async () => {
    const one = surfer()
    const page = await ask(one)
    await one.send(page, { decision: 'deny' })
    for (const again of [await one.post(page, allow), await one.visit(page.url)]) {
      assert.equal(again.status, 400)
      assert.match(again.html, /has expired/)
    }
  })

  it('ten minutes later the page has expired', async () => {
    const slow = await openFrontHouse()
    try {
      const client = await Client.register(slow)
      const one = new Surfer(slow.fetch)
      const page = await one.visit(client.authorization().url)
      slow.clock.advance(601_000)
      assert.equal((await one.post(page, allow)).status, 400)
    } finally {
      await slow.close()
    }
  })
})

describe('a stranger’s words are text, short, and on one line', () => {
  const names: readonly (readonly [says: string, name: string, shown: string])[] = [
    ['markup', '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['markup that leaves an attribute', '"><img src=x onerror=alert(1)>', '"><img src=x onerror=alert(1)>'],
    ['an end of the style', '</style><style>*{display:none}', '</style><style>*{display:none}'],
    ['entities', '&lt;b&gt;&#x41;', '&lt;b&gt;&#x41;'],
    ['a template', '{{2+2}}<%= 2+2 %>', '{{2+2}}<%= 2+2 %>'],
    ['text turned around', 'Editor\u202Egnp.exe\u202C', 'Editorgnp.exe'],
    ['isolates', '\u2066Editor\u2069', 'Editor'],
    ['zero width', 'Ed\u200Bit\u200D\u200Cor\uFEFF', 'Editor'],
    ['a soft hyphen', 'Edi\u00ADtor', 'Editor'],
    ['tags of the language', 'Editor\u{E0041}\u{E007F}', 'Editor'],
    ['an invisible letter', 'Edi\u3164tor\u115F', 'Editor'],
    ['line breaks', 'Editor\r\nApproved by your company', 'EditorApproved by your company'],
    ['separators of lines', 'Editor\u2028is\u2029safe', 'Editorissafe'],
    ['many blanks', 'Editor        Pro', 'Editor Pro'],
    ['piled marks', `Z${'\u0334'.repeat(40)}algo`, 'Zalgo'],
    ['500 letters', 'W'.repeat(500), `${'W'.repeat(63)}…`],
    ['Japanese', '関所エディター', '関所エディター'],
    ['Arabic', 'محرر', 'محرر'],
    ['Hindi', 'संपादक', 'संपादक'],
    ['a face', '🙂 Editor', '🙂 Editor'],
    ['accents in two pieces', 'E\u0301diteur', 'Éditeur'],
  ]
  const heading = ({ html }: Page): string => plain(/<h1>“(.*)” asks for access<\/h1>/s.exec(html)?.[1] ?? '')
  for (const [says, name, shown] of names)
    it(says, async () => {
      const client = await Client.register(house, { client_name: name })
      const page = await surfer().visit(client.authorization().url)
      assert.equal(heading(page), shown)
      assert.equal(page.html.match(/<(script|img|style|b)\b/g)?.length, 1, 'one style, ours')
    })

  for (const [says, name] of [
    ['no name', undefined],
    ['nothing that can be seen', '\u200B\u3164 \u00AD'],
  ] as const)
    it(`${says}: the id stands for it`, async () => {
      const client = await Client.register(house, { client_name: name })
      assert.equal(heading(await surfer().visit(client.authorization().url)), client.id)
    })

  const accepted: readonly (readonly [header: string, language: string])[] = [
    ['ja', 'ja'],
    ['ja-JP', 'ja'],
    ['en;q=0.5, ja;q=0.9', 'ja'],
    ['fr, ja;q=0.3', 'ja'],
    ['en, ja', 'en'],
    ['ja;q=0', 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['xx-<script>', 'en'],
    ['ja;q=NaN, en', 'en'],
  ]
  for (const [header, language] of accepted)
    it(`Accept-Language "${header}": ${language}`, async () => {
      const one = surfer()
      one.headers['accept-language'] = header
      const { html } = await ask(one)
      assert.match(html, new RegExp(`<html lang="${language}">`))
      assert.match(html, language === 'ja' ? /許可する/ : /Allow/)
      const problem = await one.ask(authorization(house.base, 'nobody', website).url)
      assert.match(problem.html, new RegExp(`<html lang="${language}">`))
    })
})
