/**
 * People connect their own accounts at an upstream (CD-C4; MCP 2026-07-28, URL mode elicitation, Phishing; wire: RFC 6749
 * section 4.1, RFC 7636, RFC 8707, RFC 9207): a gateway with its own authorization server before one identity provider, an
 * upstream that wants tokens of another, two people with a browser each, and one who opens what the other began.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { modern } from '../attacks/support/client.ts'
import { codeOf, saysOf } from '../attacks/support/house.ts'
import { certificateAuthority } from '../stand-ins/certificates.ts'
import { type OpenId, startOpenId } from '../stand-ins/openid.ts'
import { type AccountsServer, startAccountsServer } from './support/accounts-server.ts'
import { freePort } from './support/free-port.ts'
import { type Landing, Person } from './support/person.ts'
import { Memory, SignedIn } from './support/signed-in.ts'
import { until } from './support/until.ts'
import { cli, configFor, type Running, upstreamTwo, Yard } from './support/yard.ts'

const yard = new Yard()
const folder = yard.folder()
let base: string
let running: Running
let openid: OpenId
let notes: AccountsServer

async function start(): Promise<Running> {
  const env = { ...process.env, OPENID_SECRET: openid.clientSecret }
  const started = yard.start([cli, 'start', '--config', join(folder, 'sekisho.yaml'), '--json'], { cwd: folder, env })
  await until('the gateway is ready', () => {
    if (started.child.exitCode !== null) throw new Error([...started.out, ...started.errors].join('\n'))
    return started.out.some((line) => line.startsWith('{"event":"ready"'))
  })
  return started
}

before(async () => {
  const port = await freePort()
  base = `http://127.0.0.1:${port}`
  openid = await startOpenId(`${base}/oauth/callback`)
  notes = await startAccountsServer()
  const { issuer, clientId } = openid
  const config = configFor(
    {
      open: { url: (await yard.upstream(upstreamTwo)).url, tools: { read: ['*'] } },
      notes: {
        url: notes.url,
        era: 'modern',
        transport: 'streamable-http',
        credential: { kind: 'oauth' },
        tools: { read: ['*'] },
      },
    },
    {
      listen: `127.0.0.1:${port}`,
      identity: {
        mode: 'authorization-server',
        provider: { kind: 'oidc', issuer, clientId, clientSecret: 'env:OPENID_SECRET' },
      },
      bindings: [{ role: 'all', scope: 'mcp:read' }],
    },
  )
  writeFileSync(join(folder, 'sekisho.yaml'), JSON.stringify(config))
  running = await start()
})
after(async () => {
  await yard.close()
  await Promise.all([openid.close(), notes.close()])
})

const connectUrl = (): string => `${base}/oauth/connect/notes`
const person = (name: string, language?: string): Person => new Person(name, [base, openid.issuer, notes.origin], language)
/** As far as the authorization server of the upstream, and no further: where it would go. */
const began = async (who: string): Promise<{ readonly person: Person; readonly url: URL }> => {
  const some = new Person(who, [base, openid.issuer])
  const { url } = await some.visit(connectUrl())
  return { person: some, url: url as URL }
}
/** Until the browser is sent back to us, and no further. */
const answered = async (who: string, url: URL): Promise<URL> => {
  const landing = await new Person(who, [notes.origin]).visit(url)
  assert.match(String(landing.url), new RegExp(`^${base}/oauth/connected\\?`))
  return landing.url as URL
}
const ended = ({ pages, status }: Landing): [number, string] => [status, pages.at(-1)?.text ?? '']
const signedIn = (who: Person, memory?: Memory): Promise<SignedIn> => SignedIn.open(`${base}/mcp`, who, 'modern', memory)
const needed = /You have not yet allowed the gateway to use the server "notes" for you/

describe('connecting an account at an upstream', { concurrency: false }, () => {
  const alice = { memory: new Memory('Try') } as { memory: Memory; person: Person }
  const bob = { memory: new Memory('Try') } as { memory: Memory; person: Person }
  before(() => {
    alice.person = person('ada')
    bob.person = person('bob')
  })

  it('refuses a call until then, and says where to go', async () => {
    for (const { person, memory } of [alice, bob]) {
      const client = await signedIn(person, memory)
      const { text, isError } = await client.call('notes__whoami')
      assert.ok(isError)
      assert.match(text, needed)
      assert.match(text, new RegExp(`Open ${connectUrl()}\\?for=[\\w.%-]+ in a browser`))
      await client.close()
    }
    assert.deepEqual(notes.shown, [])
  })

  it('says so at the door of that server too, to clients of both eras', async () => {
    const memory = new Memory('Try')
    await assert.rejects(SignedIn.open(`${base}/notes/mcp`, alice.person, 'legacy', memory), (error: Error) => {
      assert.match(error.message, needed)
      assert.ok(error.message.includes(connectUrl()))
      return true
    })
    const token = memory.held?.access_token
    for (const [method, params] of [
      ['server/discover', {}],
      ['tools/list', {}],
      ['tools/call', { name: 'whoami', arguments: {} }],
    ] as const) {
      const got = await modern(`${base}/notes/mcp`, method, params, { token })
      assert.deepEqual([got.status, codeOf(got)], [200, 'CREDENTIAL_NEEDED'], got.text)
      assert.ok(saysOf(got).includes(connectUrl()), got.text)
    }
    assert.deepEqual(notes.shown, [])
  })

  it('CD-C4: the link that Bob’s program gives him connects nobody in Ada’s browser, and says so', async () => {
    const client = await signedIn(bob.person, bob.memory)
    const link = /Open (\S+) in a browser/.exec((await client.call('notes__whoami')).text)?.[1] ?? ''
    await client.close()
    assert.match(link, new RegExp(`^${connectUrl()}\\?for=[\\w.%-]{60,400}$`))
    const ada = new Person('ada', [base, openid.issuer])
    await ada.visit(`${base}/oauth/consents`, { client: 'none' })
    const { html } = await ada.look(link)
    assert.match(html, /Signed in as <strong>ADA<.*This link is for somebody else/s)
    assert.match((await ada.look(connectUrl())).html, /Signed in as <strong>ADA<.*>Connect<\/button>/s)
    assert.match((await bob.person.look(link)).html, />Connect<\/button>/)
  })

  it('CD-C4: what Alice began, Bob does not finish, however far she had come, and nobody is connected', async () => {
    const begun = await began('ada')
    const theirs = await answered('bob', begun.url) // Bob consents at the upstream, with his account there
    for (const [who, status, says] of [
      [bob.person, 200, /The service was not connected.*somebody else has begun it/],
      [new Person('nobody', [base]), 400, /expired, or belongs to another browser/],
      [begun.person, 200, /it belongs to no request that was made here/], // it was looked at once
    ] as const) {
      const [got, text] = ended(await who.visit(theirs))
      assert.equal(got, status, text)
      assert.match(text, says)
    }
    for (const { person, memory } of [alice, bob]) {
      const client = await signedIn(person, memory)
      assert.match((await client.call('notes__whoami')).text, needed)
      await client.close()
    }
    assert.deepEqual(notes.posted, [])
  })

  it('a browser that nobody has signed in to is not listened to, even with an answer that is good', async () => {
    const begun = await began('ada')
    const back = await answered('ada-at-notes', begun.url)
    const [status, text] = ended(await new Person('nobody', [base]).visit(back))
    assert.equal(status, 400, text)
    assert.match(text, /expired, or belongs to another browser/)
    assert.deepEqual(notes.posted, [])
  })

  it('an answer without its state, with a changed one, of another issuer or with two of them is refused', async () => {
    for (const change of [
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.set('state', 'x'.repeat(43)),
      (url: URL) => url.searchParams.set('iss', 'https://evil.example'),
      (url: URL) => url.searchParams.delete('iss'),
      (url: URL) => url.searchParams.append('code', 'another'),
    ]) {
      const begun = await began('ada')
      const back = await answered('ada-at-notes', begun.url)
      change(back)
      const [status, text] = ended(await begun.person.visit(back))
      assert.equal(status, 200)
      assert.match(text, /The service was not connected/, back.href)
    }
    assert.deepEqual(notes.posted, [])
  })

  it('connects: sign-in here, consent there, and back; the next call is made in that name', async () => {
    const landing = await alice.person.visit(connectUrl())
    assert.deepEqual(
      landing.pages.map(({ origin, title }) => [origin, title]).filter(([origin]) => origin === base),
      [
        [base, 'Connect “notes”'],
        [base, '“notes” is connected'],
      ],
    )
    assert.ok(landing.pages.some(({ origin }) => origin === notes.origin))
    assert.equal(landing.status, 200)
    const client = await signedIn(alice.person, alice.memory)
    assert.deepEqual(await client.call('notes__whoami'), { text: 'ada', isError: false })
    await client.close()
    const tokens = new Set(notes.shown)
    assert.equal(tokens.size, 1)
    const { aud, sub, iss } = decodeJwt([...tokens][0] as string)
    assert.deepEqual([aud, sub, iss], [notes.url, 'ada', notes.origin])
    assert.deepEqual(
      notes.posted.map((form) => [form.get('grant_type'), form.get('resource'), form.get('redirect_uri')]),
      [['authorization_code', notes.url, `${base}/oauth/connected`]],
    )
    assert.match(notes.posted[0]?.get('code_verifier') ?? '', /^[\w-]{43,128}$/)
  })

  it('another user still has nothing, and gets an account of their own', async () => {
    const client = await signedIn(bob.person, bob.memory)
    assert.match((await client.call('notes__whoami')).text, needed)
    await bob.person.visit(connectUrl())
    assert.equal((await client.call('notes__whoami')).text, 'bob')
    const again = await signedIn(alice.person, alice.memory)
    assert.equal((await again.call('notes__whoami')).text, 'ada')
    await Promise.all([client.close(), again.close()])
  })

  it('the same answer a second time is refused, and changes nothing', async () => {
    const begun = await began('ada')
    const back = await answered('ada', begun.url)
    assert.match(ended(await begun.person.visit(back))[1], /“notes” is connected/)
    const before = notes.posted.length
    const [status, text] = ended(await begun.person.visit(back))
    assert.equal(status, 200)
    assert.match(text, /it belongs to no request that was made here/)
    assert.equal(notes.posted.length, before)
    const client = await signedIn(alice.person, alice.memory)
    assert.equal((await client.call('notes__whoami')).text, 'ada')
    await client.close()
  })

  it('who says no there is told so here, and nothing is connected', async () => {
    const eve = new Person('eve', [base, openid.issuer])
    const { url } = await eve.visit(connectUrl())
    const back = new URL(`${base}/oauth/connected`)
    back.search = String(
      new URLSearchParams({ error: 'access_denied', state: url?.searchParams.get('state') ?? '', iss: notes.origin }),
    )
    const [status, text] = ended(await eve.visit(back))
    assert.equal(status, 200)
    assert.match(text, /The service was not connected.*access_denied/)
  })

  it('works without script, and in Japanese', async () => {
    const { html } = await person('ada', 'ja-JP,ja;q=0.9,en;q=0.5').look(connectUrl())
    assert.match(html, /<html lang="ja">/)
    assert.match(html, /「notes」を接続/)
    const hana = person('hana', 'ja')
    const { pages, status } = await hana.visit(connectUrl())
    assert.equal(status, 200)
    assert.match(pages.at(-1)?.text ?? '', /「notes」を接続しました/)
    for (const page of pages.filter(({ origin }) => origin === base)) assert.doesNotMatch(page.html, /<script| on\w+=/)
  })

  it('there is no page for what is no server', async () => {
    for (const [path, status] of [
      ['Notes', 404],
      ['a/b', 404],
      ['nowhere', 404],
      ['open', 404], // a server, but none that people connect to
      ['%2e%2e', 404],
      ['x'.repeat(25), 404],
    ] as const)
      assert.equal((await alice.person.look(`${base}/oauth/connect/${path}`)).status, status, path)
  })

  it('a restart keeps the connection, and no file has a token in it', async () => {
    running.child.kill('SIGTERM')
    await running.ended
    const files = readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('.'))
    const texts = [...files.map((file) => readFileSync(join(folder, 'data', file), 'latin1')), ...running.out, ...running.errors]
    assert.ok(files.length >= 2)
    for (const token of new Set(notes.shown))
      for (const part of token.split('.')) assert.ok(!texts.some((text) => text.includes(part)))
    running = await start()
    const client = await signedIn(alice.person, alice.memory)
    assert.equal((await client.call('notes__whoami')).text, 'ada')
    await client.close()
  })

  it('what we are as a client is described where our client id is a URL of ours, and nowhere else', async () => {
    const document = `${base}/.well-known/sekisho-client`
    assert.equal((await fetch(document)).status, 404) // plain http: nobody could fetch it from elsewhere
    const certificates = certificateAuthority()
    const own = yard.folder()
    const { cert, key } = certificates.issue('gateway')
    for (const [name, text] of Object.entries({ cert, key, ca: certificates.cert })) writeFileSync(join(own, `${name}.pem`), text)
    const tls = { cert: join(own, 'cert.pem'), key: join(own, 'key.pem') }
    const { issuer, clientId } = openid
    const modes: readonly (readonly [identity: object, status: number])[] = [
      [{ mode: 'anonymous' }, 404],
      [{ mode: 'authorization-server', provider: { kind: 'oidc', issuer, clientId } }, 200],
    ]
    for (const [identity, status] of modes) {
      const gateway = await yard.gateway(configFor({}, { tls, identity, bindings: [] }))
      const url = `${gateway.url}/.well-known/sekisho-client`
      const got = await overTls(url, certificates.cert)
      assert.equal(got.status, status, got.text)
      if (status === 200)
        assert.deepEqual(JSON.parse(got.text), {
          client_id: url,
          client_name: 'Sekisho',
          redirect_uris: [`${gateway.url}/oauth/connected`],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          application_type: 'native',
          token_endpoint_auth_method: 'none',
        })
    }
  })
})

function overTls(url: string, ca: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
      response.on('end', () => resolve({ status: response.statusCode, text }))
    }).on('error', reject)
  })
}
