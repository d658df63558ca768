/** Signing in, as a person meets it: who may go on with a page, when consent is asked for, and when nothing is asked at all. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { authorizeUrl, post } from './ask.ts'
import { ada, bo, company, contoso, desktop, editor, fabrikam, fay, gateway, guest } from './contoso.ts'
import { startEntra } from './entra.ts'
import { visitor } from './visitor.ts'

const entra = await startEntra({ ...company, plainHttpOnLoopback: true })
after(() => entra.close())

const [callback] = gateway.redirectUris.web
const scope = `api://${gateway.clientId}/mcp.access`
const start = {
  client_id: gateway.clientId,
  response_type: 'code',
  redirect_uri: callback,
  scope: `${scope} openid`,
  state: 'st',
}
const url = (change: Record<string, string> = {}, segment = contoso): string =>
  authorizeUrl(entra, segment, { ...start, ...change })
const signIn = 'Sign in to your account'
const consent = 'Permissions requested'
const approval = 'Approve sign in request'

describe('a form is refused', () => {
  const formOf = async (cookie: boolean): Promise<{ flow: string; headers: Record<string, string> }> => {
    const response = await fetch(url())
    const [, flow = ''] = /name="flow" value="([^"]+)"/.exec(await response.text()) ?? []
    const [line = ''] = response.headers.getSetCookie()
    return { flow, headers: cookie ? { cookie: line.split(';')[0] as string } : {} }
  }
  const cases: readonly (readonly [why: string, cookie: boolean, form: (flow: string) => Record<string, string>])[] = [
    ['in another browser', false, (flow) => ({ flow, username: ada.username })],
    ['without the page it belongs to', true, () => ({ username: ada.username })],
    ['of a page that never was', true, () => ({ flow: 'x', username: ada.username })],
  ]
  for (const [why, cookie, form] of cases)
    it(why, async () => {
      const { flow, headers } = await formOf(cookie)
      const body = new URLSearchParams(form(flow))
      const response = await fetch(`${entra.url}/${contoso}/login`, { method: 'POST', body, headers, redirect: 'manual' })
      assert.equal(response.status, 400)
      assert.match(await response.text(), /AADSTS165000/)
    })
  it('that agrees for somebody who is not signed in', async () => {
    const { flow, headers } = await formOf(true)
    const body = new URLSearchParams({ flow, consent: 'accept' })
    const response = await fetch(`${entra.url}/${contoso}/Consent/Set`, { method: 'POST', body, headers, redirect: 'manual' })
    assert.match(await response.text(), /Pick an account/)
  })
})

describe('nobody gets in', () => {
  const cases: readonly (readonly [why: string, username: string, segment: string, says: RegExp])[] = [
    ['who is not there', 'eve@evil.test', contoso, /find an account with the username eve@evil\.test/],
    ['who is in another tenant', fay.username, contoso, /find an account/],
    ['with markup for a name', '<img src=x onerror=alert(1)>', contoso, /username &lt;img src=x onerror=alert\(1\)&gt;/],
  ]
  for (const [why, username, segment, says] of cases)
    it(why, async () => {
      const { to, html } = await visitor().visit(url({}, segment), { username })
      assert.equal(to, undefined)
      assert.match(html, says)
    })
  it('who was disabled, also with a session', async () => {
    const browser = visitor()
    await browser.visit(url(), ada)
    entra.disableUser(ada.oid)
    const { html, to } = await browser.visit(url(), ada)
    entra.enableUser(ada.oid)
    assert.equal(to, undefined)
    assert.match(html, /AADSTS50057/)
  })
  it('who declines', async () => {
    const { answer, pages } = await visitor().visit(url(), { ...bo, consent: 'cancel' })
    assert.deepEqual([pages, answer.get('error'), answer.get('state')], [[signIn, consent], 'access_denied', 'st'])
    assert.equal(answer.has('code'), false)
  })
  it('who is blocked: the client learns nothing', async () => {
    entra.block({ user: bo.oid })
    const { to, html } = await visitor().visit(url(), bo)
    entra.clearConditions()
    assert.equal(to, undefined)
    assert.match(html, /AADSTS53003/)
  })
})

describe('what was agreed to once is not asked again', () => {
  it('the second visit is silent: this is what a confused deputy lives on', async () => {
    const browser = visitor()
    const first = await browser.visit(url(), guest)
    assert.deepEqual([first.pages, first.to], [[signIn, consent], callback])
    assert.ok(browser.cookies.has('ESTSAUTH'))
    const second = await browser.visit(url({ state: 'planted by somebody else' }))
    assert.deepEqual([second.pages, second.to, second.answer.get('state')], [[], callback, 'planted by somebody else'])
    assert.notEqual(second.answer.get('code'), first.answer.get('code'))
  })
  it('in another browser only the sign-in is asked for', async () => {
    assert.deepEqual((await visitor().visit(url(), guest)).pages, [signIn])
  })
  it('more scopes, or another client, are asked for again', async () => {
    const browser = visitor()
    await browser.visit(url(), guest)
    assert.deepEqual((await browser.visit(url({ scope: `api://${gateway.clientId}/mcp.admin` }), guest)).pages, [consent])
    const other = { client_id: desktop.clientId, redirect_uri: 'http://localhost:9' }
    assert.deepEqual((await browser.visit(url(other), guest)).pages, [consent])
  })
  it('a client that the API trusts is never asked about', async () => {
    const trusted = { client_id: editor.clientId, redirect_uri: 'http://localhost:33418' }
    assert.deepEqual((await visitor().visit(url(trusted), guest)).pages, [signIn])
  })
})

describe('prompt, hint and response mode', () => {
  const rows: readonly (readonly [change: Record<string, string>, pages: readonly string[]])[] = [
    [{}, []],
    [{ prompt: 'none' }, []],
    [{ prompt: 'login' }, [signIn]],
    [{ prompt: 'select_account' }, [signIn]],
    [{ prompt: 'consent' }, [consent]],
    [{ login_hint: ada.username }, []],
    [{ login_hint: bo.username }, [signIn]],
  ]
  for (const [change, pages] of rows)
    it(`${JSON.stringify(change)}: ${pages.length} pages`, async () => {
      const browser = visitor()
      await browser.visit(url(), ada)
      const seen = await browser.visit(url(change), ada)
      assert.deepEqual([seen.pages, seen.to], [pages, callback])
    })
  it('none, where consent would be needed', async () => {
    const browser = visitor()
    await browser.visit(url(), ada)
    const { answer } = await browser.visit(url({ prompt: 'none', scope: `api://${gateway.clientId}/mcp.admin` }))
    assert.equal(answer.get('error'), 'consent_required')
  })
  for (const mode of ['query', 'fragment', 'form_post'])
    it(`${mode} brings the same, and no iss`, async () => {
      const { to, answer } = await visitor().visit(url({ response_mode: mode, state: '"><script>' }), ada)
      assert.equal(to, callback)
      assert.deepEqual([...answer.keys()], ['code', 'state', 'session_state'])
      assert.equal(answer.get('state'), '"><script>')
    })
  it('a hint is filled in', async () => {
    const { html } = await visitor().visit(url({ login_hint: 'new@"contoso' }))
    assert.match(html, /<input id="username" name="username" autocomplete="username" required value="new@&quot;contoso">/)
  })
})

describe('conditional access', () => {
  it('more proof is asked for once, and is in the token', async () => {
    entra.requireClaims({ app: gateway.clientId }, 'c1')
    const browser = visitor()
    const { pages, answer } = await browser.visit(url(), ada)
    assert.deepEqual(pages, [signIn, approval])
    assert.deepEqual((await browser.visit(url())).pages, [])
    const secret = { client_id: gateway.clientId, client_secret: gateway.secrets[0] }
    const form = { ...secret, grant_type: 'authorization_code', code: answer.get('code') as string, redirect_uri: callback }
    const { body } = await post(entra, contoso, form)
    entra.clearConditions()
    const claims = JSON.parse(Buffer.from(String(body['access_token']).split('.')[1] as string, 'base64url').toString('utf8'))
    assert.deepEqual(claims.acrs, ['c1'])
  })
  it('`claims` asks for it too', async () => {
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c2' } } })
    const browser = visitor()
    assert.deepEqual((await browser.visit(url({ claims }), ada)).pages, [signIn, approval])
    assert.deepEqual((await browser.visit(url({ claims }))).pages, [])
  })
  it('silently it cannot be had', async () => {
    const browser = visitor()
    await browser.visit(url(), ada)
    entra.requireClaims({ user: ada.oid }, 'c3')
    const { answer } = await browser.visit(url({ prompt: 'none' }))
    entra.clearConditions()
    assert.equal(answer.get('error'), 'interaction_required')
    assert.deepEqual(JSON.parse(answer.get('claims') ?? ''), { access_token: { acrs: { essential: true, value: 'c3' } } })
  })
  it('who does not approve goes back with nothing', async () => {
    entra.requireClaims({ user: ada.oid }, 'c1')
    const { answer } = await visitor().visit(url(), { ...ada, approve: 'no' })
    entra.clearConditions()
    assert.equal(answer.get('error'), 'access_denied')
  })
})

describe('sessions end', () => {
  it('when they are revoked', async () => {
    const browser = visitor()
    await browser.visit(url(), ada)
    entra.revokeSessions(ada.oid)
    assert.deepEqual((await browser.visit(url(), ada)).pages, [signIn])
  })
  it('when the person signs out; the way back is only to an address of the client', async () => {
    const browser = visitor()
    await browser.visit(url(), ada)
    const out = (back: string) =>
      `${entra.url}/${contoso}/oauth2/v2.0/logout?${new URLSearchParams({ client_id: gateway.clientId, post_logout_redirect_uri: back, state: 's' })}`
    assert.equal((await browser.visit(out('https://evil.test/'))).to, undefined)
    const { to, answer } = await browser.visit(out(callback))
    assert.deepEqual([to, answer.get('state')], [callback, 's'])
    assert.equal(browser.cookies.has('ESTSAUTH'), false)
  })
})

describe('the page', () => {
  it('lists the people of the tenant, each with a button, and has a labelled field; names are text', async () => {
    const { html } = await visitor().visit(url())
    const offered = (segment: string) =>
      [...segment.matchAll(/<button class="person" name="username" value="([^"]+)">/g)].map(([, name]) => name)
    assert.deepEqual(offered(html), [ada.username, bo.username, guest.username])
    assert.match(html, /<strong>Bo &lt;b&gt;Writer&lt;\/b&gt;<\/strong>/)
    assert.match(html, /<label for="username">Username<\/label><input id="username"/)
    const shared = { client_id: desktop.clientId, redirect_uri: 'http://localhost:1', scope: 'User.Read' }
    assert.ok(offered((await visitor().visit(url(shared, 'common'))).html).includes(fay.username))
    assert.deepEqual(offered((await visitor().visit(url(shared, fabrikam))).html), [fay.username])
  })
  it('runs no script, loads nothing, and is not framed', async () => {
    const { headers } = await fetch(url())
    assert.match(
      headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'nonce-[^']+'; base-uri 'none'; frame-ancestors 'none'; $/,
    )
    assert.equal(headers.get('x-frame-options'), 'DENY')
  })
  it('sets cookies that scripts do not see', async () => {
    const [line] = (await fetch(url())).headers.getSetCookie()
    assert.match(line ?? '', /^esctx=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/)
  })
})
