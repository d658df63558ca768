/** The door of every stand-in: what it lets in, and what it writes down. Faults are tried in entra/discovery.test.ts. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, describe, it } from 'node:test'
import { json, listen } from './listener.ts'

const door = await listen<'echo'>({
  route: ({ path }) =>
    path === '/echo' ? { endpoint: 'echo', answer: ({ form }) => json(Object.fromEntries(form)) } : undefined,
  faulty: (status) => String(status),
})
after(() => door.close())

const statusFor = (host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(`${door.url}/echo`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end()
  })

describe('is refused', () => {
  it('another path', async () => assert.equal((await fetch(`${door.url}/else`)).status, 404))
  for (const host of ['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test', '127.0.0.1@evil.test'])
    it(`the host ${host}`, async () => assert.equal(await statusFor(host), 404))
  it('a body of more than a million bytes', () =>
    assert.rejects(fetch(`${door.url}/echo`, { method: 'POST', body: 'x'.repeat(1_000_001) })))
})

it('a form is read, and kept in the journal as it came', async () => {
  const response = await fetch(`${door.url}/echo?q%2D1=a`, { method: 'POST', body: new URLSearchParams({ a: 'ä', b: '' }) })
  assert.deepEqual(await response.json(), { a: 'ä', b: '' })
  const last = door.journal.at(-1)
  assert.deepEqual(
    [last?.endpoint, last?.query, last?.form, last?.body, last?.status],
    ['echo', { 'q-1': 'a' }, { a: 'ä', b: '' }, 'a=%C3%A4&b=', 200],
  )
})
it('a name of its own is let in', async () => assert.equal(await statusFor('localhost'), 200))
