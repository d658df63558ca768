/**
 * CD-C3, CD-R2, requirement 105: where a code may be sent. Each address goes through registration, and through an
 * authorization of a client that has registered a harmless one, so that neither the form nor the comparison is taken on
 * trust. What is sent anywhere at all is only ever sent to an address that was registered, letter for letter.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type FrontHouse, openFrontHouse } from './support/front-house.ts'
import { authorization, Client, register } from './support/oauth-client.ts'
import { isConsent, Surfer } from './support/surfer.ts'

let house: FrontHouse
let site: Client
let local: Client
let port: Client

before(async () => {
  house = await openFrontHouse()
  site = await Client.register(house, {}, 'https://app.client.test/cb')
  local = await Client.register(house, {}, 'http://127.0.0.1/cb')
  port = await Client.register(house, {}, 'http://localhost:9000/cb')
})
after(async () => {
  await house.close()
  assert.deepEqual(house.errors, [])
})

const good: readonly string[] = [
  'https://app.client.test/cb',
  'https://app.client.test/',
  'https://app.client.test',
  'https://app.client.test:8443/cb',
  'https://app.client.test/cb?x=1&y=2',
  'https://app.client.test/cb/',
  'https://app.client.test/a/b/c.php',
  'https://app.client.test/cb?next=https%3A%2F%2Fapp.client.test',
  'https://claude.ai/api/mcp/auth_callback',
  'https://a-b.c-d.example.co.jp/cb',
  'http://127.0.0.1/cb',
  'http://127.0.0.1:1/cb',
  'http://127.0.0.1:65535/cb',
  'http://localhost/cb',
  'http://localhost:33418/',
  'http://[::1]/cb',
  'http://[::1]:9000/cb',
]

const bad: readonly (readonly [says: string, uri: string])[] = [
  ['nothing', ''],
  ['a space', ' '],
  ['a path', '/cb'],
  ['a path of any scheme', '//app.client.test/cb'],
  ['a name', 'cb'],
  ['javascript', 'javascript:alert(1)'],
  ['javascript in capitals', 'JavaScript:alert(1)'],
  ['javascript that looks like https', 'javascript://app.client.test/%0aalert(1)'],
  ['javascript after a tab', 'java\tscript:alert(1)'],
  ['javascript after a blank', ' javascript:alert(1)'],
  ['javascript after a control character', '\u0001javascript:alert(1)'],
  ['data', 'data:text/html,<script>alert(1)</script>'],
  ['vbscript', 'vbscript:msgbox(1)'],
  ['file', 'file:///etc/passwd'],
  ['blob', 'blob:https://app.client.test/x'],
  ['about', 'about:blank'],
  ['view-source', 'view-source:https://app.client.test/cb'],
  ['ftp', 'ftp://app.client.test/cb'],
  ['ws', 'wss://app.client.test/cb'],
  ['mailto', 'mailto:eve@attacker.test'],
  ['intent', 'intent://app.client.test/#Intent;end'],
  ['the scheme of an app that nobody allowed', 'cursor://anysphere.cursor/cb'],
  ['the old out of band', 'urn:ietf:wg:oauth:2.0:oob'],
  ['plain http', 'http://app.client.test/cb'],
  ['plain http to the private network', 'http://192.168.0.1/cb'],
  ['plain http to 0.0.0.0', 'http://0.0.0.0/cb'],
  ['plain http to all of IPv6', 'http://[::]/cb'],
  ['another loopback address', 'http://127.0.0.2/cb'],
  ['loopback in one number', 'http://2130706433/cb'],
  ['loopback in hexadecimal', 'http://0x7f000001/cb'],
  ['loopback in octal', 'http://0177.0.0.1/cb'],
  ['loopback with parts left out', 'http://127.1/cb'],
  ['loopback as mapped IPv6', 'http://[::ffff:127.0.0.1]/cb'],
  ['loopback written out', 'http://[0:0:0:0:0:0:0:1]/cb'],
  ['localhost with a dot', 'http://localhost./cb'],
  ['LOCALHOST', 'http://LOCALHOST/cb'],
  ['a name below localhost', 'http://app.localhost/cb'],
  ['a name that begins like localhost', 'http://localhost.attacker.test/cb'],
  ['a name that begins like loopback', 'http://127.0.0.1.attacker.test/cb'],
  ['a name that anybody points to loopback', 'http://127.0.0.1.nip.io/cb'],
  ['an address over https', 'https://93.184.215.14/cb'],
  ['an IPv6 address over https', 'https://[2606:2800::1]/cb'],
  ['a name without a dot', 'https://intranet/cb'],
  ['a name that ends in a dot', 'https://app.client.test./cb'],
  ['a name with a blank', 'https://app.client .test/cb'],
  ['letters of another alphabet', 'https://аpp.client.test/cb'],
  ['the same as punycode', 'https://xn--pp-6kc.client.test/cb'],
  ['a dot of another width', 'https://app。client.test/cb'],
  ['letters of another width', 'https://ａpp.client.test/cb'],
  ['a soft hyphen in the name', 'https://app\u00ad.client.test/cb'],
  ['a zero-width space in the name', 'https://app\u200b.client.test/cb'],
  ['capitals in the name', 'https://APP.client.test/cb'],
  ['capitals in the scheme', 'HTTPS://app.client.test/cb'],
  ['the default port', 'https://app.client.test:443/cb'],
  ['the default port of http', 'http://127.0.0.1:80/cb'],
  ['a port that is none', 'https://app.client.test:99999/cb'],
  ['an empty port', 'https://app.client.test:/cb'],
  ['a port with zeros', 'http://127.0.0.1:09000/cb'],
  ['a user', 'https://app.client.test@attacker.test/cb'],
  ['a user and a password', 'https://app.client.test:x@attacker.test/cb'],
  ['an empty user', 'https://@attacker.test/cb'],
  ['a user that looks like a host and a port', 'http://127.0.0.1:9000@attacker.test/cb'],
  ['a fragment', 'https://app.client.test/cb#x'],
  ['an empty fragment', 'https://app.client.test/cb#'],
  ['a backslash for a slash', 'https:\\\\app.client.test\\cb'],
  ['a backslash before the host', 'https://attacker.test\\@app.client.test/cb'],
  ['one slash', 'https:/app.client.test/cb'],
  ['three slashes', 'https:///app.client.test/cb'],
  ['no slashes', 'https:app.client.test/cb'],
  ['a step up', 'https://app.client.test/cb/../open'],
  ['a step up at the end', 'https://app.client.test/cb/..'],
  ['a step nowhere', 'https://app.client.test/./cb'],
  ['a step up, encoded', 'https://app.client.test/cb/%2e%2e/open'],
  ['a step up, encoded in capitals', 'https://app.client.test/cb/%2E%2E/open'],
  ['a step up, half encoded', 'https://app.client.test/cb/.%2e/open'],
  ['a slash, encoded', 'https://app.client.test/cb%2fopen'],
  ['a backslash, encoded', 'https://app.client.test/cb%5copen'],
  ['a zero byte, encoded', 'https://app.client.test/cb%00'],
  ['a line break', 'https://app.client.test/cb\r\nset-cookie: x=1'],
  ['a line feed at the end', 'https://app.client.test/cb\n'],
  ['a tab', 'https://app.client\t.test/cb'],
  ['a blank at the end', 'https://app.client.test/cb '],
  ['a blank before it', ' https://app.client.test/cb'],
  ['a quotation mark', 'https://app.client.test/cb"onload="x'],
  ['angle brackets', 'https://app.client.test/<script>'],
  ['a wildcard for a name', 'https://*.client.test/cb'],
  ['braces', 'https://app.client.test/{x}'],
  ['a letter with an accent in the path', 'https://app.client.test/cbé'],
  ['a character that turns the text around', 'https://app.client.test/\u202ebc'],
  ['more than two kilobytes', `https://app.client.test/${'x'.repeat(2048)}`],
]

/** The port does not count there, in any spelling. */
const sameAsLocal: readonly string[] = ['http://127.0.0.1:80/cb', 'http://127.0.0.1:09000/cb']

describe(`an address that can be registered (${good.length})`, () => {
  for (const uri of good)
    it(uri, async () => {
      const { status, body } = await register(house.fetch, house.base, { redirect_uris: [uri] })
      assert.equal(status, 201, JSON.stringify(body))
      assert.ok(isConsent(await new Surfer(house.fetch).visit(authorization(house.base, String(body['client_id']), uri).url)))
    })
})

describe(`an address that cannot (${bad.length})`, () => {
  for (const [says, uri] of bad)
    it(says, async () => {
      for (const application_type of ['native', 'web']) {
        const { status, body } = await register(house.fetch, house.base, { redirect_uris: [uri], application_type })
        assert.deepEqual(
          [status, String(body['error']).replace('client_metadata', 'redirect_uri')],
          [400, 'invalid_redirect_uri'],
        )
        const among = await register(house.fetch, house.base, {
          redirect_uris: ['https://app.client.test/cb', uri],
          application_type,
        })
        assert.equal(among.status, 400, 'nor among others')
      }
    })

  for (const [says, uri] of bad)
    it(`${says}: nor is anything sent there for a client that registered another`, async () => {
      for (const client of sameAsLocal.includes(uri) ? [site, port] : [site, local, port]) await staysHere(client, uri)
    })
})

/** A page of ours with status 400, wherever the request wanted the answer. */
async function staysHere({ id }: Client, uri: string): Promise<void> {
  for (const changes of [{}, { scope: 'nonsense', response_type: 'token' }, { prompt: 'none' }]) {
    const page = await new Surfer(house.fetch).ask(authorization(house.base, id, uri, changes).url)
    assert.deepEqual([page.status, page.headers.get('location')], [400, null], uri)
  }
}

describe('the comparison is letter for letter, but for the port of a loopback address (RFC 8252, 7.3)', () => {
  const others: readonly (readonly [says: string, client: () => Client, uri: string])[] = [
    ['another path', () => site, 'https://app.client.test/cb2'],
    ['a path below', () => site, 'https://app.client.test/cb/x'],
    ['a slash at the end', () => site, 'https://app.client.test/cb/'],
    ['no path', () => site, 'https://app.client.test'],
    ['another case of the path', () => site, 'https://app.client.test/CB'],
    ['a letter of the path encoded', () => site, 'https://app.client.test/c%62'],
    ['a query', () => site, 'https://app.client.test/cb?x=1'],
    ['an empty query', () => site, 'https://app.client.test/cb?'],
    ['a query that looks like the address', () => site, 'https://attacker.test/?https://app.client.test/cb'],
    ['another port', () => site, 'https://app.client.test:8443/cb'],
    ['a name below', () => site, 'https://x.app.client.test/cb'],
    ['a name above', () => site, 'https://client.test/cb'],
    ['a name that ends like it', () => site, 'https://evilapp.client.test/cb'],
    ['a name that begins like it', () => site, 'https://app.client.test.attacker.test/cb'],
    ['plain http', () => site, 'http://app.client.test/cb'],
    ['two addresses in one', () => site, 'https://app.client.test/cb,https://attacker.test/cb'],
    ['two addresses with a blank', () => site, 'https://app.client.test/cb https://attacker.test/cb'],
    ['localhost for 127.0.0.1', () => local, 'http://localhost/cb'],
    ['IPv6 for 127.0.0.1', () => local, 'http://[::1]/cb'],
    ['another path on loopback', () => local, 'http://127.0.0.1:5000/cb2'],
    ['a slash at the end on loopback', () => local, 'http://127.0.0.1:5000/cb/'],
    ['https on loopback', () => local, 'https://127.0.0.1:5000/cb'],
    ['127.0.0.1 for localhost', () => port, 'http://127.0.0.1:9000/cb'],
  ]
  for (const [says, client, uri] of others) it(`${says} is another address`, async () => staysHere(client(), uri))

  for (const [client, uri] of [
    [() => local, 'http://127.0.0.1:5000/cb'],
    [() => local, 'http://127.0.0.1/cb'],
    [() => local, 'http://127.0.0.1:80/cb'],
    [() => port, 'http://localhost:9001/cb'],
  ] as const)
    it(`${uri} is the same`, async () => {
      const page = await new Surfer(house.fetch).visit(authorization(house.base, client().id, uri).url)
      assert.ok(isConsent(page), page.html)
    })

  it('without an address nothing is assumed, also where only one is registered', async () => {
    const { url } = site.authorization({ redirect_uri: undefined })
    const page = await new Surfer(house.fetch).ask(url)
    assert.deepEqual([page.status, page.headers.get('location')], [400, null])
  })

  it('the code goes to the address that was asked for, not to the first one', async () => {
    const uris = ['https://one.client.test/cb', 'https://two.client.test/cb']
    const client = await Client.register(house, { redirect_uris: uris }, uris[1])
    const { page, code } = await client.login()
    assert.deepEqual([page.url.hostname, code === ''], ['two.client.test', false])
  })
})
