import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { request } from 'undici'
import { refusalOf } from './fixture.test.ts'
import { type LocalConsent, openLocalConsent } from './local-consent.ts'

let consent: LocalConsent
let opened: string[]
const said: string[] = []
let fails = false
before(async () => {
  opened = []
  consent = await openLocalConsent({
    open: async (url) => {
      if (fails) throw new Error('no browser could be opened (xdg-open: ENOENT)')
      opened.push(url)
    },
    say: (line) => void said.push(line),
  })
})
after(() => consent.close())

const get = async (query: string, headers: Record<string, string> = {}, method: 'GET' | 'POST' = 'GET') => {
  const { statusCode, body, headers: sent } = await request(`${consent.redirectUri}${query}`, { method, headers })
  return { status: statusCode, text: await body.text(), headers: sent }
}

describe('turned away while somebody is waited for', () => {
  const cases: readonly (readonly [says: string, ask: () => ReturnType<typeof get>])[] = [
    ['another state', () => get('?state=theirs&code=x')],
    ['no state', () => get('?code=x')],
    ['a name that leads here (DNS rebinding)', () => get('?state=ours&code=x', { host: 'evil.example' })],
    ['another method', () => get('?state=ours&code=x', {}, 'POST')],
    ['another path', () => get('/../other?state=ours&code=x')],
  ]
  for (const [says, ask] of cases)
    it(says, async () => {
      const met = consent.meet?.('https://as.example/authorize?state=ours')
      assert.equal((await ask()).status, 404)
      assert.equal((await get('?state=ours&code=mine&iss=i')).status, 200)
      assert.deepEqual(Object.fromEntries((await met) ?? []), { state: 'ours', code: 'mine', iss: 'i' })
    })
})

it('what the browser is answered with is nothing of what it brought, and is kept nowhere', async () => {
  const met = consent.meet?.('https://as.example/authorize?state=ours')
  const { text, headers } = await get('?state=ours&code=<script>1</script>')
  await met
  assert.doesNotMatch(text, /script/)
  assert.deepEqual([headers['cache-control'], headers['referrer-policy']], ['no-store', 'no-referrer'])
})

it('nothing is waited for twice', async () => {
  const met = consent.meet?.('https://as.example/authorize?state=ours')
  await get('?state=ours&code=x')
  await met
  assert.equal((await get('?state=ours&code=x')).status, 404)
})

it('without a browser the address is said, and works', async () => {
  fails = true
  const met = consent.meet?.('https://as.example/authorize?state=said')
  await get('?state=said&code=x')
  await met
  fails = false
  assert.deepEqual(said, [
    'no browser could be opened (xdg-open: ENOENT); open it yourself: https://as.example/authorize?state=said',
  ])
})

it('nobody comes back: refused after a while', async () => {
  const short = await openLocalConsent({ open: async () => undefined, say: () => undefined, waitMsMax: 20 })
  assert.equal((await refusalOf(() => short.meet?.('https://as.example/authorize?state=x'))).code, 'CONNECT_REFUSED')
  await short.close()
})
