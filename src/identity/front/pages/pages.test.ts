import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Consent } from '../consents.ts'
import { type ConsentView, consentPage } from './consent.ts'
import { consentsPage } from './messages.ts'

const readable = (html: string): string =>
  html
    .replace(/<style.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

describe('the page that asks', () => {
  const view: ConsentView = {
    language: 'en',
    clientName: 'Editor',
    clientId: 'client-1',
    standing: 'operator',
    documentHost: undefined,
    redirectHost: 'app.client.test',
    isLoopback: false,
    scopes: ['mcp:destructive', 'mcp:read', 'offline_access', 'mcp:write'],
    servers: ['files', 'notes'],
    held: undefined,
    providerHost: 'login.test',
    action: '/oauth/interaction/x',
    shown: 's',
    csrf: 'c',
    again: undefined,
  }
  const cases: readonly (readonly [says: string, changes: Partial<ConsentView>, added: readonly string[]])[] = [
    ['marks nothing where nothing was agreed to before', {}, []],
    ['marks nothing where all was', { held: { scopes: view.scopes, servers: [] } }, []],
    ['marks the scope that is more', { held: { scopes: ['mcp:read', 'mcp:write', 'offline_access'], servers: [] } }, ['Destroy']],
    ['marks the server that is more', { held: { scopes: view.scopes, servers: ['files'] } }, ['notes']],
    ['marks all servers after one', { servers: [], held: { scopes: view.scopes, servers: ['files'] } }, ['use']],
  ]
  for (const [says, changes, added] of cases)
    it(says, () => {
      const text = readable(String(consentPage({ ...view, ...changes })))
      assert.deepEqual(
        [...text.matchAll(/(\w+) ?\( new \)/g)].map(([, word]) => word),
        added,
      )
    })

  it('says what reads first and what destroys after it', () => {
    assert.match(readable(String(consentPage(view))), /Read : .* Change : .* Destroy : .* Stay : /)
  })
})

describe('the page of what was allowed', () => {
  const consent: Consent = {
    account: 't.a',
    clientId: 'client-<1>',
    clientName: 'Editor',
    redirectUri: 'https://app.client.test/cb',
    resources: ['https://gateway.test/notes/mcp'],
    scopes: ['mcp:destructive', 'mcp:read', 'mcp:write'],
    clientDigest: 'd',
    givenAt: Date.UTC(2026, 0, 2, 3, 4, 5),
  }
  const html = String(
    consentsPage({ language: 'en', person: 'Ada <b>', consents: [consent], action: '/oauth/consents', csrf: 'c' }),
  )

  it('says whose it is, when each was given and to which client, from reading to destroying', () => {
    const text = readable(html)
    assert.match(text, /Signed in as Ada &lt;b&gt;/)
    assert.match(text, /Read : .* Change : .* Destroy : /)
    assert.match(text, /Allowed on 2026-01-02 03:04 UTC Client ID client-&lt;1&gt;/)
  })

  it('has a way out', () => {
    assert.match(html, /<form method="post"><input type="hidden" name="csrf" value="c">.*name="leave".*Sign out/s)
  })
})
