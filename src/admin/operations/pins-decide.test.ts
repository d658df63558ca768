/** What people decide about definitions and servers: whose word is enough, and about which of two that share a name. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { after, describe } from 'node:test'
import { openStore, type Store } from '../../storage/embedded.ts'
import type { DefinitionKind } from '../../trust/definition.ts'
import { type Pin, type Standing, sealedWith } from '../../trust/pin.ts'
import { PinBook } from '../../trust/pin-book.ts'
import type { PinsAtHand } from '../with-pins.ts'
import { pinsAcceptServer, pinsDecide, pinsRollback } from './pins-decide.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-decide-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const seal = sealedWith(Buffer.alloc(32, 1))
const server = 'notes'
const [old, now] = ['https://old.example/mcp', 'https://new.example/mcp']

type Row = readonly [kind: DefinitionKind, name: string, version: string, standing: Standing]

let count = 0
/** A store with these pins, and hands as fresh as each command has them. */
class Pins {
  readonly file = join(folder, `${++count}.db`)
  readonly #store: Store
  readonly #more: Partial<PinsAtHand>
  private constructor(store: Store, more: Partial<PinsAtHand>) {
    this.#store = store
    this.#more = more
  }
  static async of(rows: readonly Row[], more: Partial<PinsAtHand> = {}): Promise<Pins> {
    const store = await openStore(`sqlite:${join(folder, `${count + 1}.db`)}`)
    const pins = rows.map(([kind, name, version, standing], at): Pin => {
      const text = JSON.stringify({ name, version })
      const fact = { by: 'cli:zoe', at, reason: '', text, seenAt: at }
      return { server, kind, name, digest: hash('sha256', text, 'base64url'), standing, ...fact }
    })
    await store.seePins(pins, seal)
    await store.setPinnedServer({ server, identity: old }, { by: 'gateway', at: 0, reason: '' }, seal)
    return new Pins(store, more)
  }
  async hand(): Promise<PinsAtHand> {
    const store = this.#store
    const look = () => Promise.reject(new Error('not here'))
    const book = new PinBook(await store.keptPins(), seal)
    return { store, book, seal, twoPeople: false, servers: [server], whereabouts: () => old, look, ...this.#more }
  }
  async standings(): Promise<readonly string[]> {
    const { pins } = await this.#store.keptPins()
    const versionOf = (text: string): string => (JSON.parse(text) as { version: string }).version
    return pins.map(({ kind, name, text, standing }) => `${kind} ${name} ${versionOf(text)} ${standing}`)
  }
  async identity(): Promise<string | undefined> {
    return (await this.hand()).book.identityOf(server)
  }
  close(): Promise<void> {
    return this.#store.close()
  }
}
const both = { twoPeople: true, whereabouts: () => now }

describe('another server, where it takes two people', () => {
  test('is taken when somebody else says so too, and not before', async () => {
    const pins = await Pins.of([], both)
    assert.deepEqual(await pinsAcceptServer(await pins.hand(), server, 'cli:ada'), { before: old, now, isProposed: true })
    assert.equal(await pins.identity(), old)
    await assert.rejects(pinsAcceptServer(await pins.hand(), server, 'cli:ada'), /proposed by cli:ada.*somebody else has to/)
    assert.equal(await pins.identity(), old)
    assert.deepEqual(await pinsAcceptServer(await pins.hand(), server, 'cli:bob'), { before: old, now, isProposed: false })
    assert.equal(await pins.identity(), now)
    assert.equal(await (await pins.hand()).store.proposedServer(server), undefined)
    await pins.close()
  })

  test('is another one than was proposed: that proposal counts for nothing', async () => {
    const places = [now, 'https://third.example/mcp']
    const pins = await Pins.of([], { twoPeople: true, whereabouts: () => places[0] })
    await pinsAcceptServer(await pins.hand(), server, 'cli:ada')
    places.shift()
    assert.equal((await pinsAcceptServer(await pins.hand(), server, 'cli:bob')).isProposed, true)
    assert.equal(await pins.identity(), old)
    await pins.close()
  })

  test('was proposed by somebody who writes into the store', async () => {
    const pins = await Pins.of([], both)
    const database = new DatabaseSync(pins.file)
    database.prepare('INSERT INTO pinned_servers_proposed VALUES (?, ?, ?, ?)').run(server, now, 'cli:eve', 'x')
    database.close()
    assert.equal((await pinsAcceptServer(await pins.hand(), server, 'cli:ada')).isProposed, true)
    assert.equal(await pins.identity(), old)
    await pins.close()
  })

  test('with --all, and nothing else that waits: two as well', async () => {
    const pins = await Pins.of([['tool', 'a', 'one', 'approved']], both)
    const all = async (by: string) => pinsDecide(await pins.hand(), { server, wish: 'approve', names: [], all: true, by })
    assert.equal((await all('cli:ada')).accepted?.isProposed, true)
    await assert.rejects(all('cli:ada'), /somebody else has to/)
    assert.equal(await pins.identity(), old)
    assert.equal((await all('cli:bob')).accepted?.isProposed, false)
    assert.equal(await pins.identity(), now)
    await pins.close()
  })

  test('with what it brings: one proposes all of it, also after the server alone, and another approves', async () => {
    const pins = await Pins.of([['tool', 'a', 'one', 'held']], both)
    const all = async (by: string) => pinsDecide(await pins.hand(), { server, wish: 'approve', names: [], all: true, by })
    await pinsAcceptServer(await pins.hand(), server, 'cli:ada')
    assert.equal((await all('cli:ada')).accepted?.isProposed, true)
    assert.deepEqual([await pins.identity(), await pins.standings()], [old, ['tool a one proposed']])
    await all('cli:bob')
    assert.deepEqual([await pins.identity(), await pins.standings()], [now, ['tool a one approved']])
    await pins.close()
  })
})

test('where one person is enough, one is', async () => {
  const pins = await Pins.of([], { whereabouts: () => now })
  assert.equal((await pinsAcceptServer(await pins.hand(), server, 'cli:ada')).isProposed, false)
  assert.equal(await pins.identity(), now)
  await pins.close()
})

describe('a tool and a prompt of one name', () => {
  const rows: readonly Row[] = [
    ['prompt', 'a', 'p1', 'approved'],
    ['tool', 'a', 't1', 'approved'],
    ['tool', 'a', 't2', 'approved'],
  ]
  const back = { server, name: 'a', by: 'cli:ada' }

  test('nothing is rolled back before it is said which, or where there is no version before', async () => {
    const pins = await Pins.of(rows)
    await assert.rejects(pinsRollback(await pins.hand(), back), /"a" is a tool and a prompt; say which: --kind tool/)
    await assert.rejects(pinsRollback(await pins.hand(), { ...back, kind: 'prompt' }), /no version that was approved before/)
    assert.deepEqual(await pins.standings(), ['prompt a p1 approved', 'tool a t1 approved', 'tool a t2 approved'])
    await pins.close()
  })

  test('one goes back, and the other stays', async () => {
    const pins = await Pins.of(rows)
    assert.match((await pinsRollback(await pins.hand(), { ...back, kind: 'tool' })).text, /"version":"t1"/)
    assert.deepEqual(await pins.standings(), ['prompt a p1 approved', 'tool a t1 approved', 'tool a t2 revoked'])
    await pins.close()
  })
})

test('to revoke everything is to revoke all that is approved, and nothing else', async () => {
  const pins = await Pins.of([
    ['prompt', 'b', 'p1', 'approved'],
    ['tool', 'a', 't1', 'approved'],
    ['tool', 'a', 't2', 'held'],
  ])
  const wish = { server, wish: 'revoke', names: [], all: true, by: 'cli:ada' } as const
  assert.equal((await pinsDecide(await pins.hand(), wish)).pins.length, 2)
  assert.deepEqual(await pins.standings(), ['prompt b p1 revoked', 'tool a t1 revoked', 'tool a t2 held'])
  await assert.rejects(pinsDecide(await pins.hand(), wish), /nothing of the server "notes" is approved/)
  await pins.close()
})
