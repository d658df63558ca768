/**
 * CD-R2, CD-R3, CD-C2, K-8, K-32 and section H of the checklist: codes, tokens and answers of the authorization server in
 * front of the provider, in the hands of somebody else. Pages and browsers are in consent-page.test.ts.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { ada } from '../stand-ins/entra/contoso.ts'
import { bob, type FrontHouse, openFrontHouse } from './support/front-house.ts'
import { type Answer, authorization, Client, type Login, loopback, register, token } from './support/oauth-client.ts'
import { isConsent, type Page, Surfer } from './support/surfer.ts'

let house: FrontHouse
let editor: Client
let other: Client

before(async () => {
  house = await openFrontHouse()
  editor = await Client.register(house)
  other = await Client.register(house, { client_name: 'Other' })
})
after(async () => {
  await house.close()
  assert.deepEqual(house.errors, [])
})

const errorOf = ({ status, body }: Answer): string => `${status} ${String(body['error'])}`
/** Errors of what is asked for as a fragment may be in one; codes may not. */
const answerOf = ({ url }: Page): Record<string, string> =>
  Object.fromEntries([...new URLSearchParams(url.hash.slice(1)), ...url.searchParams])
const who = async (tokens: Readonly<Record<string, unknown>>): Promise<string> => house.whoIs(String(tokens['access_token']))
const adaHere = `user:${ada.tenant}.${ada.oid}`

describe('CD-R2, CD-R3: a code is for one client, one address, one verifier and one use', () => {
  type Changes = (login: Login) => Record<string, string | undefined>
  const wrong: readonly (readonly [says: string, error: string, changes: Changes])[] = [
    ['no verifier', '400 invalid_grant', () => ({ code_verifier: undefined })],
    ['another verifier', '400 invalid_grant', () => ({ code_verifier: 'x'.repeat(43) })],
    [
      'the challenge as the verifier',
      '400 invalid_grant',
      ({ url }) => ({ code_verifier: new URL(url).searchParams.get('code_challenge') ?? '' }),
    ],
    ['a short verifier', '400 invalid_request', () => ({ code_verifier: 'x' })],
    ['a verifier of a kilobyte', '400 invalid_request', () => ({ code_verifier: 'x'.repeat(1024) })],
    ['another client', '400 invalid_grant', () => ({ client_id: other.id })],
    ['no client', '400 invalid_request', () => ({ client_id: undefined })],
    ['a client that nobody knows', '401 invalid_client', () => ({ client_id: 'nobody' })],
    ['another address of the client', '400 invalid_grant', () => ({ redirect_uri: 'http://127.0.0.1:9998/cb' })],
    ['no address', '400 invalid_request', () => ({ redirect_uri: undefined })],
    ['another resource', '400 invalid_target', () => ({ resource: `${house.base}/y/mcp` })],
    ['a resource of somebody else', '400 invalid_target', () => ({ resource: 'https://mcp.example/x/mcp' })],
    [
      'a code that was changed',
      '400 invalid_grant',
      ({ code }) => ({ code: `${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}` }),
    ],
    ['another kind of grant', '400 unsupported_grant_type', () => ({ grant_type: 'password', username: 'ada', password: 'x' })],
    ['the implicit grant', '400 unsupported_grant_type', () => ({ grant_type: 'implicit' })],
    ['client credentials', '400 unsupported_grant_type', () => ({ grant_type: 'client_credentials' })],
  ]
  for (const [says, error, changes] of wrong)
    it(`${says}: ${error}, and the code is not used up by it`, async () => {
      const login = await editor.login()
      assert.equal(errorOf(await editor.redeem(login, changes(login))), error)
      // Else anybody who has seen the code could keep the client from its token.
      if (error !== '400 invalid_target') assert.equal((await editor.redeem(login)).status, 200)
    })

  it('the second use is invalid_grant, and what came of the first is no longer good (RFC 6749, 4.1.2)', async () => {
    const login = await editor.login()
    const { body: tokens } = await editor.redeem(login)
    assert.equal(await who(tokens), adaHere)
    assert.equal(errorOf(await editor.redeem(login)), '400 invalid_grant')
    assert.equal(await who(tokens), 'UNAUTHENTICATED')
    assert.equal(errorOf(await editor.refresh(tokens['refresh_token'])), '400 invalid_grant')
  })

  it('of twenty who come with it at once, one gets a token', async () => {
    const login = await editor.login()
    const answers = await Promise.all(Array.from({ length: 20 }, () => editor.redeem(login)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  })

  it('after a minute it is worth nothing', async () => {
    const slow = await openFrontHouse()
    try {
      const client = await Client.register(slow)
      const login = await client.login()
      slow.clock.advance(61_000)
      assert.equal(errorOf(await client.redeem(login)), '400 invalid_grant')
    } finally {
      await slow.close()
    }
  })

  it('tokens are not kept by anybody on the way', async () => {
    const { code, verifier } = await editor.login()
    const body = new URLSearchParams({
      ...{ grant_type: 'authorization_code', code, code_verifier: verifier },
      ...{ redirect_uri: loopback, client_id: editor.id, resource: `${house.base}/x/mcp` },
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await house.fetch(`${house.base}/oauth/token`, { method: 'POST', headers, body: body.toString() })
    assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store'])
  })
})

describe('CD-C2, CD-R3: an authorization request that is not as it has to be', () => {
  const challenge = createHash('sha256').update('x').digest('base64url')
  const refused: readonly (readonly [says: string, error: string, changes: Record<string, string | undefined>])[] = [
    ['no challenge', 'invalid_request', { code_challenge: undefined, code_challenge_method: undefined }],
    ['a method without a challenge', 'invalid_request', { code_challenge: undefined }],
    ['a challenge without a method, which means plain', 'invalid_request', { code_challenge_method: undefined }],
    ['plain', 'invalid_request', { code_challenge_method: 'plain' }],
    ['s256 in small letters', 'invalid_request', { code_challenge_method: 's256' }],
    ['a challenge that is too short', 'invalid_request', { code_challenge: 'x' }],
    ['a challenge with a line break', 'invalid_request', { code_challenge: `${challenge}\n` }],
    ['the implicit flow', 'unsupported_response_type', { response_type: 'token' }],
    ['the hybrid flow', 'unsupported_response_type', { response_type: 'code id_token' }],
    ['no response type', 'invalid_request', { response_type: undefined }],
    ['the answer as a fragment', 'unsupported_response_mode', { response_mode: 'fragment' }],
    ['the answer as a form', 'unsupported_response_mode', { response_mode: 'form_post' }],
    ['the answer to a window', 'unsupported_response_mode', { response_mode: 'web_message' }],
    ['a resource of somebody else', 'invalid_target', { resource: 'https://mcp.example/x/mcp' }],
    ['our host in another spelling', 'invalid_target', { resource: 'https://gateway.test.attacker.test/x/mcp' }],
    ['a resource with a query', 'invalid_target', { resource: '/x/mcp?y' }],
    ['a resource that is not a URL', 'invalid_target', { resource: 'x' }],
    ['a request object', 'request_not_supported', { request: 'e30.e30.' }],
    ['a request object elsewhere', 'request_uri_not_supported', { request_uri: 'https://attacker.test/request' }],
    ['prompt=none, where a person has to be asked', 'login_required', { prompt: 'none' }],
    ['prompt=none together with another', 'invalid_request', { prompt: 'none login' }],
  ]
  for (const [says, error, changes] of refused)
    it(`${says}: ${error}, with our name in the answer (RFC 9207), and no page`, async () => {
      const surfer = new Surfer(house.fetch)
      const page = await surfer.visit(editor.authorization(changes).url)
      const { error: got, iss, state, code } = answerOf(page)
      assert.deepEqual([page.status, got, iss, state, code], [0, error, house.base, 'state-of-the-client', undefined])
      assert.equal(surfer.trail.length, 1)
    })

  it('a server that there is none of: invalid_target, and no page that names it', async () => {
    for (const resource of [`${house.base}/nowhere/mcp`, `${house.base}/nowhere/mcp/`]) {
      const { error, error_description: says } = answerOf(
        await new Surfer(house.fetch).visit(editor.authorization({ resource }).url),
      )
      assert.deepEqual([error, says], ['invalid_target', 'there is no server "nowhere" here'])
    }
  })

  it('an address that is not the client’s leaves a line for whoever makes the client, a few of them, and no control characters', async () => {
    const at = 'https://app.client.test/\u001b[2J\u202e'
    for (let times = 0; times < 30; times++) await new Surfer(house.fetch).ask(editor.authorization({ redirect_uri: at }).url)
    const lines = house.hints.filter((line) => line.includes(editor.id))
    assert.ok(lines.length > 0 && lines.length < 30, `${lines.length}`)
    assert.match(
      lines[0] ?? '',
      /asked to be answered at https:\/\/app\.client\.test\/\?\[2J\?, .* registered \(http:\/\/127\.0\.0\.1/,
    )
  })

  it('a parameter twice is refused', async () => {
    for (const name of [
      'client_id',
      'redirect_uri',
      'state',
      'scope',
      'code_challenge',
      'code_challenge_method',
      'response_type',
      'prompt',
    ]) {
      const { url } = editor.authorization({ prompt: 'login' })
      const page = await new Surfer(house.fetch).visit(`${url}&${name}=${new URL(url).searchParams.get(name)}`)
      assert.notEqual(page.status, 200, name)
      assert.equal(answerOf(page)['code'], undefined)
      if (page.status === 0) assert.equal(answerOf(page)['error'], 'invalid_request', name)
      else assert.equal(page.status, 400, name)
    }
  })

  it('at the token endpoint too', async () => {
    const login = await editor.login()
    for (const name of ['grant_type', 'code', 'client_id', 'redirect_uri', 'code_verifier']) {
      const all = {
        grant_type: 'authorization_code',
        code: login.code,
        redirect_uri: loopback,
        client_id: editor.id,
        code_verifier: login.verifier,
      }
      const body = `${new URLSearchParams(all)}&${new URLSearchParams({ [name]: all[name as keyof typeof all] })}`
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const answer = await house.fetch(`${house.base}/oauth/token`, { method: 'POST', headers, body })
      assert.ok(answer.status === 400 || answer.status === 401, `${name} ${answer.status}`)
    }
    assert.equal((await editor.redeem(login)).status, 200)
  })

  const spellings = [
    '/oauth/authorize',
    '/oauth/authorize/',
    '/oauth/AUTHORIZE',
    '/oauth/%61uthorize',
    '/oauth//authorize',
    '/oauth/./authorize/.',
  ]
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD'])
    it(`${method} to authorize is not served in any spelling`, async () => {
      const { search } = new URL(editor.authorization().url)
      for (const path of spellings) {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        const asked = await house.fetch(`${house.base}${path}${method === 'POST' ? '' : search}`, {
          ...{ method, headers, redirect: 'manual' },
          ...(method === 'POST' && { body: search.slice(1) }),
        })
        assert.ok([404, 405].includes(asked.status), `${path} ${asked.status}`)
      }
    })

  it('very long parameters and very many are refused or carried, and end nothing', async () => {
    for (const changes of [
      { state: 'x'.repeat(8000) },
      { scope: 'mcp:read '.repeat(900) },
      { login_hint: '%'.repeat(3000) },
      { nonce: '\u0000'.repeat(100) },
    ]) {
      const page = await new Surfer(house.fetch).visit(editor.authorization(changes as never).url)
      assert.ok(isConsent(page) || page.status === 0 || page.status === 400, `${page.status}`)
    }
    const { url } = editor.authorization()
    const many = (count: number): string => Array.from({ length: count }, (_, n) => `p${n}=v`).join('&')
    assert.ok(isConsent(await new Surfer(house.fetch).visit(`${url}&${many(300)}`)))
    assert.equal((await new Surfer(house.fetch).visit(`${url}&${many(1000)}`)).status, 400)
    const huge = await house.fetch(`${url}&x=${'x'.repeat(40_000)}`).then(({ status }) => status)
    assert.equal(huge, 431)
    assert.equal((await editor.redeem(await editor.login())).status, 200)
  })
})

describe('CD-C3: whoever is not known stays on a page of ours, which repeats nothing', () => {
  const mark = 'zq"><script>alert(1)</script>'
  const pages: readonly (readonly [says: string, url: () => string])[] = [
    ['a client that nobody knows', () => authorization(house.base, mark, loopback).url],
    ['no client', () => authorization(house.base, '', loopback).url],
    ['an address that is not the client’s', () => authorization(house.base, editor.id, `https://attacker.test/${mark}`).url],
    ['an address that is none', () => authorization(house.base, editor.id, `javascript:${mark}`).url],
    ['an address on top of the right one', () => authorization(house.base, editor.id, `${loopback}/${mark}`).url],
    ['a document that is not there', () => authorization(house.base, `https://attacker.test:1/${mark}`, loopback).url],
    ['an interaction that nobody began', () => `${house.base}/oauth/interaction/${encodeURIComponent(mark)}`],
    ['an authorization that nobody began', () => `${house.base}/oauth/authorize/${encodeURIComponent(mark)}`],
    [
      'a callback that nobody waits for',
      () => `${house.base}/oauth/callback?${new URLSearchParams({ state: mark, code: mark })}`,
    ],
    [
      'an error of a provider that was not asked',
      () => `${house.base}/oauth/callback?${new URLSearchParams({ error: mark, error_description: mark })}`,
    ],
    ['a page that there is none of', () => `${house.base}/oauth/${encodeURIComponent(mark)}`],
  ]
  for (const [says, url] of pages)
    it(says, async () => {
      const page = await new Surfer(house.fetch).ask(url())
      assert.ok(page.status >= 400 && page.status < 500, `${page.status} ${page.headers.get('location')}`)
      assert.ok(!page.html.includes('zq'), page.html)
      assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
      assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
      assert.deepEqual(
        ['x-frame-options', 'x-content-type-options', 'cache-control'].map((name) => page.headers.get(name)),
        ['DENY', 'nosniff', 'no-store'],
      )
    })
})

describe('CD-C2, K-32: mix-up, and what is advertised', () => {
  it('the issuer is in the answer and in the metadata, and S256 is all there is', async () => {
    const login = await editor.login()
    assert.equal(answerOf(login.page)['iss'], house.base)
    for (const path of ['oauth-authorization-server', 'openid-configuration']) {
      const metadata = (await (await house.fetch(`${house.base}/.well-known/${path}`)).json()) as Record<string, unknown>
      assert.equal(metadata['issuer'], house.base)
      assert.equal(metadata['authorization_response_iss_parameter_supported'], true)
      assert.equal(metadata['client_id_metadata_document_supported'], true)
      assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256'])
      assert.deepEqual(metadata['response_types_supported'], ['code'])
      assert.deepEqual(metadata['response_modes_supported'], ['query'])
      assert.deepEqual(metadata['grant_types_supported'], ['authorization_code', 'refresh_token'])
      const urls = Object.entries(metadata)
        .filter(([name]) => /_endpoint$|_uri$/.test(name))
        .map(([, url]) => String(url))
      assert.ok(urls.length >= 4 && urls.every((url) => url.startsWith(`${house.base}/oauth/`)), urls.join(' '))
    }
  })

  it('what a request says of its own address changes nothing in ours', async () => {
    const headers = { 'x-forwarded-host': 'attacker.test', 'x-forwarded-proto': 'http', forwarded: 'host=attacker.test' }
    const text = await (await house.fetch(`${house.base}/.well-known/oauth-authorization-server`, { headers })).text()
    assert.ok(!text.includes('attacker.test') && !text.includes('http://'))
  })

  it('after a no the client learns of it, from us', async () => {
    const surfer = new Surfer(house.fetch)
    const page = await surfer.visit(editor.authorization().url)
    const { error, iss, state } = answerOf(await surfer.send(page, { decision: 'deny' }))
    assert.deepEqual([error, iss, state], ['access_denied', house.base, 'state-of-the-client'])
  })
})

describe('CD-C2: state fixation and login CSRF', () => {
  /** As far as the provider's answer, which is not taken to us. */
  async function untilCallback(surfer: Surfer): Promise<string> {
    let page = await surfer.ask(editor.authorization().url)
    for (let step = 0; step < 12; step++) {
      const location = page.headers.get('location')
      if (location?.includes('/oauth/callback')) return location
      const refresh = /content="0;url=([^"]*)"/.exec(page.html)?.[1]?.replaceAll('&amp;', '&')
      const next = location ?? refresh
      if (next) page = await surfer.ask(new URL(next, page.url))
      else if (isConsent(page)) page = await surfer.post(page, { decision: 'allow' })
      else if (page.html.includes('name="username"')) page = await surfer.post(page, { username: bob.username })
      else page = await surfer.post(page, { consent: 'accept' })
    }
    throw new Error('the provider did not answer')
  }
  const expired = (page: Page): void => {
    assert.equal(page.status, 400)
    assert.match(page.html, /has expired, or belongs to another browser/)
  }

  it('the attacker’s callback in the victim’s browser is refused, and cannot be used afterwards by a victim who is in the middle of one', async () => {
    const attacker = new Surfer(house.fetch)
    const callback = await untilCallback(attacker)
    expired(await new Surfer(house.fetch).visit(callback))
    const victim = new Surfer(house.fetch)
    const page = await victim.visit(editor.authorization().url)
    await victim.post(page, { decision: 'allow' })
    expired(await victim.visit(callback))
  })

  it('the victim’s state with the attacker’s code is refused by the nonce and the verifier of the attempt', async () => {
    const [attacker, victim] = [new Surfer(house.fetch), new Surfer(house.fetch)]
    const stolen = new URL(await untilCallback(attacker))
    const own = new URL(await untilCallback(victim))
    own.searchParams.set('code', stolen.searchParams.get('code') ?? '')
    const page = await victim.visit(own)
    assert.equal(answerOf(page)['code'], undefined)
    assert.match(page.html + (answerOf(page)['error'] ?? ''), /did not succeed|access_denied/)
  })

  it('a state works once', async () => {
    const surfer = new Surfer(house.fetch)
    const callback = await untilCallback(surfer)
    const kept = [...surfer.jar(house.base)]
    assert.equal((await surfer.visit(callback)).status, 0)
    for (const [name, value] of kept) surfer.jar(house.base).set(name, value)
    expired(await surfer.visit(callback))
  })

  it('a state is made only after the consent, and is in a __Host- cookie', async () => {
    const surfer = new Surfer(house.fetch)
    const page = await surfer.visit(editor.authorization().url)
    assert.ok(![...surfer.jar(house.base).keys()].some((name) => name.includes('login')))
    const answer = await surfer.post(page, { decision: 'allow' })
    const cookies = answer.headers.getSetCookie().filter((line) => line.includes('login'))
    assert.equal(cookies.length, 1)
    assert.match(
      cookies[0] as string,
      /^__Host-sekisho_login_[\w-]{8}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    )
  })

  it('ten minutes later it is too late', async () => {
    const slow = await openFrontHouse()
    try {
      const client = await Client.register(slow)
      const surfer = new Surfer(slow.fetch)
      const page = await surfer.visit(client.authorization().url)
      const going = await surfer.post(page, { decision: 'allow' })
      slow.clock.advance(601_000)
      let at = await surfer.follow(going)
      at = await surfer.send(at, { username: ada.username })
      if (at.html.includes('name="consent"')) at = await surfer.send(at, { consent: 'accept' })
      expired(at)
    } finally {
      await slow.close()
    }
  })
})

describe('cookie tossing: another host of our domain sets our cookies', () => {
  it('a login for an authorization that was begun in another browser gives that browser no code', async () => {
    const [attacker, victim] = [new Surfer(house.fetch), new Surfer(house.fetch)]
    const begun = await attacker.ask(editor.authorization().url)
    const at = new URL(begun.headers.get('location') ?? '', house.base)
    // A cookie with a path cannot be `__Host-`, and `__Secure-` may be set by a sibling over https.
    for (const [name, value] of attacker.jar(house.base))
      if (name.includes('interaction')) victim.jar(house.base).set(name, value)
    await victim.agree(at)
    const end = await attacker.visit(`${house.base}/oauth/authorize/${at.pathname.split('/').at(-1)}`)
    assert.equal(answerOf(end)['code'], undefined)
    assert.ok(isConsent(end), 'the attacker is asked, as anybody')
  })

  const names = [
    'sekisho_browser',
    'sekisho_session',
    '__Secure-sekisho_browser',
    '__HOST-sekisho_browser',
    '__Host-sekisho_browser',
  ]
  for (const name of names)
    it(`a second ${name} does not make one browser into another`, async () => {
      const [attacker, victim] = [new Surfer(house.fetch), new Surfer(house.fetch)]
      await editor.login(attacker)
      const known = [...attacker.jar(house.base)].find(([one]) => one === '__Host-sekisho_browser')?.[1] ?? ''
      assert.notEqual(known, '')
      await victim.visit(editor.authorization().url)
      const own = [...victim.jar(house.base)].filter(([key]) => !key.includes(' '))
      const cookies = own.map((pair) => pair.join('=')).join('; ')
      for (const cookie of [`${name}=${known}; ${cookies}`, `${cookies}; ${name}=${known}`]) {
        const page = await victim.follow(await victim.ask(editor.authorization().url, { headers: { cookie } }))
        assert.ok(isConsent(page), 'the attacker’s consent is not the victim’s')
      }
    })

  it('our own cookies say on what they insist', async () => {
    const surfer = new Surfer(house.fetch)
    const lines: string[] = []
    const ask = surfer.ask.bind(surfer)
    surfer.ask = async (...args) => {
      const page = await ask(...args)
      if (page.url.origin === house.base) lines.push(...page.headers.getSetCookie())
      return page
    }
    await editor.login(surfer)
    assert.ok(lines.length >= 4)
    for (const line of lines) assert.match(line, /^__(Host|Secure)-sekisho_.*httponly/i)
    for (const line of lines) assert.match(line, /secure/i)
    for (const line of lines) assert.match(line, /samesite=lax/i)
    for (const line of lines) if (line.startsWith('__Host-')) assert.match(line, /path=\/(;|$)/i)
    for (const line of lines) assert.doesNotMatch(line, /domain=/i)
  })
})

describe('K-8, requirement 107: refresh tokens', () => {
  it('each is used once; the old one after the grace ends the whole family', async () => {
    const slow = await openFrontHouse()
    try {
      const client = await Client.register(slow)
      const tokens = await client.tokens()
      const { body: next } = await client.refresh(tokens['refresh_token'])
      assert.notEqual(next['refresh_token'], tokens['refresh_token'])
      slow.clock.advance(11_000)
      assert.equal(errorOf(await client.refresh(tokens['refresh_token'])), '400 invalid_grant')
      assert.equal(errorOf(await client.refresh(next['refresh_token'])), '400 invalid_grant')
      assert.equal(await slow.whoIs(String(next['access_token'])), 'UNAUTHENTICATED')
    } finally {
      await slow.close()
    }
  })

  it('a client that asks several times at once loses nothing: three are answered, the others only refused', async () => {
    const tokens = await editor.tokens()
    const answers = await Promise.all(Array.from({ length: 20 }, () => editor.refresh(tokens['refresh_token'])))
    const given = answers.filter(({ status }) => status === 200)
    assert.equal(given.length, 3)
    let next = given[1]?.body ?? {}
    for (let times = 0; times < 3; times++) {
      const { status, body } = await editor.refresh(next['refresh_token'])
      assert.equal(status, 200)
      next = body
    }
    assert.equal(await who(next), adaHere)
  })

  for (const apartMs of [0, 12_000, 3_600_000])
    it(`two who share a refresh token do not both live on, ${apartMs / 1000} s apart`, async () => {
      const slow = await openFrontHouse()
      try {
        const client = await Client.register(slow)
        const tokens = await client.tokens()
        const [owner, thief] = [await client.refresh(tokens['refresh_token']), await client.refresh(tokens['refresh_token'])]
        assert.deepEqual([owner.status, thief.status], [200, 200])
        slow.clock.advance(apartMs)
        const next = await client.refresh(owner.body['refresh_token'])
        assert.equal(next.status, 200)
        assert.equal(errorOf(await client.refresh(thief.body['refresh_token'])), '400 invalid_grant')
        assert.equal(errorOf(await client.refresh(next.body['refresh_token'])), '400 invalid_grant')
        for (const { body } of [owner, thief, next])
          assert.equal(await slow.whoIs(String(body['access_token'])), 'UNAUTHENTICATED')
      } finally {
        await slow.close()
      }
    })

  it('two siblings that come at once: one goes on at most, and then the grant is over', async () => {
    const client = await Client.register(house)
    const tokens = await client.tokens()
    const siblings = [await client.refresh(tokens['refresh_token']), await client.refresh(tokens['refresh_token'])]
    const answers = await Promise.all(siblings.map(({ body }) => client.refresh(body['refresh_token'])))
    assert.ok(answers.filter(({ status }) => status === 200).length <= 1)
    for (const { body } of answers) assert.equal(errorOf(await client.refresh(body['refresh_token'])), '400 invalid_grant')
  })

  const wrong: readonly (readonly [says: string, error: string, changes: Record<string, string>])[] = [
    ['another client', '400 invalid_grant', {}],
    ['more than was agreed to', '400 invalid_scope', { scope: 'mcp:read mcp:destructive' }],
    ['another resource', '400 invalid_target', { resource: '/y/mcp' }],
  ]
  for (const [says, error, changes] of wrong)
    it(`for ${says}: ${error}`, async () => {
      const tokens = await editor.tokens()
      const resource = changes['resource'] && { resource: house.base + changes['resource'] }
      const client = says === 'another client' ? other : editor
      assert.equal(errorOf(await client.refresh(tokens['refresh_token'], { ...changes, ...resource })), error)
    })

  it('a login for another server, or of somebody else in the same browser, leaves the tokens of the first alone', async () => {
    const surfer = new Surfer(house.fetch)
    const first = await editor.tokens(surfer)
    const second = await editor.login(surfer, { resource: `${house.base}/y/mcp` })
    assert.equal((await editor.redeem(second, { resource: `${house.base}/y/mcp` })).status, 200)
    surfer.jar(house.entra.url).clear()
    await editor.tokens(surfer, bob.username)
    assert.equal((await editor.refresh(first['refresh_token'])).status, 200)
  })

  it('whoever is disabled at the provider gets no more once it is due to be asked, and it is asked once for all', async () => {
    const slow = await openFrontHouse()
    try {
      const [one, two] = [await Client.register(slow), await Client.register(slow, { client_name: 'Two' })]
      const surfer = new Surfer(slow.fetch)
      const [first, second] = [await one.tokens(surfer), await two.tokens(surfer)]
      slow.clock.advance(61 * 60_000)
      const asked = (): number => slow.entra.journal('token').filter(({ form }) => form['grant_type'] === 'refresh_token').length
      const both = await Promise.all([one.refresh(first['refresh_token']), two.refresh(second['refresh_token'])])
      assert.deepEqual([both.map(({ status }) => status), asked()], [[200, 200], 1])
      slow.entra.disableUser(ada.oid)
      const fresh = await one.refresh(both[0]?.body['refresh_token'])
      assert.equal(fresh.status, 200, 'not due yet')
      slow.clock.advance(61 * 60_000)
      assert.equal(errorOf(await one.refresh(fresh.body['refresh_token'])), '400 invalid_grant')
      assert.equal(errorOf(await two.refresh(both[1]?.body['refresh_token'])), '400 invalid_grant')
      assert.ok(slow.notes.some((note) => note.startsWith('login.lapsed')))
    } finally {
      await slow.close()
    }
  })

  it('a provider that cannot be reached is trusted for a day, and no longer', async () => {
    const slow = await openFrontHouse()
    try {
      const client = await Client.register(slow)
      const tokens = await client.tokens()
      slow.entra.fail('token', { status: 503, times: Number.POSITIVE_INFINITY })
      slow.clock.advance(2 * 3_600_000)
      const answer = await client.refresh(tokens['refresh_token'])
      assert.equal(answer.status, 200)
      slow.clock.advance(23 * 3_600_000)
      assert.equal(errorOf(await client.refresh(answer.body['refresh_token'])), '400 invalid_grant')
    } finally {
      await slow.close()
    }
  })

  it('what the person takes back is gone: refresh and access tokens', async () => {
    const surfer = new Surfer(house.fetch)
    const tokens = await editor.tokens(surfer)
    const page = await surfer.visit(`${house.base}/oauth/consents`)
    await surfer.send(page, { client: editor.id })
    assert.equal(await who(tokens), 'UNAUTHENTICATED')
    assert.equal(errorOf(await editor.refresh(tokens['refresh_token'])), '400 invalid_grant')
    assert.ok(isConsent(await surfer.visit(editor.authorization().url)), 'and the person is asked anew')
  })

  it('what the client gives back is gone', async () => {
    const tokens = await editor.tokens()
    const body = new URLSearchParams({ token: String(tokens['refresh_token']), client_id: editor.id })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await house.fetch(`${house.base}/oauth/revoke`, { method: 'POST', headers, body: body.toString() })
    assert.equal(errorOf(await editor.refresh(tokens['refresh_token'])), '400 invalid_grant')
    assert.equal(await who(tokens), 'UNAUTHENTICATED')
  })
})

describe('CD-C3, K-27: registration', () => {
  const uri = loopback
  const refused: readonly (readonly [says: string, metadata: unknown])[] = [
    ['no address', {}],
    ['no address in the list', { redirect_uris: [] }],
    ['twenty-one addresses', { redirect_uris: Array.from({ length: 21 }, (_, n) => `${uri}/${n}`) }],
    ['an address that is a number', { redirect_uris: [7] }],
    ['a list in the list', { redirect_uris: [[uri]] }],
    ['a text for the list', { redirect_uris: uri }],
    ['the implicit grant', { redirect_uris: [uri], grant_types: ['implicit'] }],
    ['the implicit response', { redirect_uris: [uri], response_types: ['token'] }],
    [
      'the hybrid response',
      { redirect_uris: [uri], grant_types: ['authorization_code', 'implicit'], response_types: ['code id_token'] },
    ],
    ['the password grant', { redirect_uris: [uri], grant_types: ['password'] }],
    ['client credentials', { redirect_uris: [uri], grant_types: ['client_credentials'] }],
    ['a name of half a megabyte', { redirect_uris: [uri], client_name: 'x'.repeat(500_000) }],
    ['a name of 513 characters', { redirect_uris: [uri], client_name: 'x'.repeat(513) }],
    ['a name that is an object', { redirect_uris: [uri], client_name: { toString: 'x' } }],
    ['an unknown way to prove itself', { redirect_uris: [uri], token_endpoint_auth_method: 'tls_client_auth' }],
    ['a list', [uri]],
    ['a text', 'x'],
    ['nothing', null],
  ]
  for (const [says, metadata] of refused)
    it(`${says} is refused`, async () => {
      const response = await house.fetch(`${house.base}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(metadata),
      })
      assert.ok([400, 413].includes(response.status), `${response.status} ${await response.text()}`)
    })

  it('nobody chooses their own id or secret, and a public client is given none', async () => {
    const { status, body } = await register(house.fetch, house.base, {
      redirect_uris: [uri],
      client_id: editor.id,
      client_secret: 'known',
    })
    assert.equal(status, 201)
    assert.notEqual(body['client_id'], editor.id)
    assert.deepEqual(
      ['client_secret', 'client_secret_expires_at', 'registration_access_token'].filter((name) => name in body),
      [],
    )
  })

  it('a registration cannot be read or changed afterwards', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'])
      assert.equal((await house.fetch(`${house.base}/oauth/register/${editor.id}`, { method })).status, 404)
  })

  it('a client with a secret has to show it', async () => {
    const { body } = await register(house.fetch, house.base, {
      redirect_uris: [uri],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const client = new Client(house, String(body['client_id']), uri)
    const login = await client.login()
    assert.equal(errorOf(await client.redeem(login)), '401 invalid_client')
    assert.equal(errorOf(await client.redeem(login, { client_secret: 'wrong' })), '401 invalid_client')
    assert.equal((await client.redeem(login, { client_secret: String(body['client_secret']) })).status, 200)
  })

  it('after so many in an hour: 429 with the time to wait, in every spelling of the path', async () => {
    const small = await openFrontHouse({ registration: { perHour: 3 } })
    try {
      for (let n = 0; n < 3; n++) await Client.register(small)
      const ask = (path: string): Promise<Response> =>
        small.fetch(`${small.base}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ redirect_uris: [uri] }),
        })
      const answer = await ask('/oauth/register')
      assert.equal(answer.status, 429)
      assert.ok(Number(answer.headers.get('retry-after')) > 3000)
      for (const path of [
        '/oauth/register/',
        '/oauth/REGISTER',
        '/oauth/%72egister',
        '/oauth//register',
        '/oauth/x/../register?',
      ])
        assert.ok([404, 429].includes((await ask(path)).status), path)
      small.clock.advance(3_600_000)
      await Client.register(small)
    } finally {
      await small.close()
    }
  })

  it('a registration that nobody uses is forgotten, one that is used is not', async () => {
    const slow = await openFrontHouse({ registration: { unusedDays: 2 } })
    try {
      const [used, unused] = [await Client.register(slow), await Client.register(slow)]
      await used.tokens()
      slow.clock.advance(86_400_000)
      await used.tokens()
      slow.clock.advance(86_400_000 + 60_000)
      assert.equal((await new Surfer(slow.fetch).visit(unused.authorization().url)).status, 400)
      assert.ok(isConsent(await new Surfer(slow.fetch).visit(used.authorization().url)))
    } finally {
      await slow.close()
    }
  })

  it('where it is switched off, it is not there', async () => {
    const closed = await openFrontHouse({ registration: { dynamic: false } })
    try {
      const { status } = await closed.fetch(`${closed.base}/oauth/register`, { method: 'POST', body: '{}' })
      const metadata = (await (await closed.fetch(`${closed.base}/.well-known/oauth-authorization-server`)).json()) as object
      assert.deepEqual([status, 'registration_endpoint' in metadata], [404, false])
    } finally {
      await closed.close()
    }
  })
})

it('RFC 9449: where a proof is required no spelling of the path gives a token without one', async () => {
  const strict = await openFrontHouse({ changes: { dpop: 'require' } })
  try {
    const client = await Client.register(strict)
    const login = await client.login()
    assert.equal(errorOf(await client.redeem(login)), '400 invalid_dpop_proof')
    for (const path of ['/oauth/TOKEN', '/oauth/token/', '/oauth/tokeN?x']) {
      const elsewhere: typeof strict.fetch = (_url, init) => strict.fetch(`${strict.base}${path}`, init)
      const fields = {
        grant_type: 'authorization_code',
        code: login.code,
        code_verifier: login.verifier,
        redirect_uri: loopback,
        client_id: client.id,
      }
      const { status } = await token(elsewhere, strict.base, fields).catch(() => ({ status: 404 }))
      assert.equal(status, 404, path)
    }
  } finally {
    await strict.close()
  }
})
