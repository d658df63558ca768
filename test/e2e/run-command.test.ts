/**
 * `sekisho run -- CMD`, the local guard: what a client on its standard streams may rely on. Whole conversations of the
 * SDKs through it are in eras.test.ts; here every line counts, and what is left when it is over.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { type Message, Raw, refusalIn, textIn } from './support/raw.ts'
import { until, within } from './support/until.ts'
import { alive, children, cli, type Ended, node, type Running, upstreamOne, upstreamTwo, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const raw = new Raw('')
const request = (method: string, params: object = {}): Message => raw.request(method, params)
const modernMessage = (method: string, params: object = {}): Message => raw.modernMessage(method, params)
const legacyServer = node(upstreamOne, '--transport', 'stdio')
const modernServer = node(upstreamTwo, '--era', 'modern', '--transport', 'stdio')

/** One client's end of `sekisho run`. */
class Guard {
  readonly running: Running
  readonly data: string
  /** Every line of stdout, as it came. */
  readonly lines: string[] = []

  constructor(
    command: readonly string[],
    options: readonly string[] = [],
    data = yard.folder(),
    env: Record<string, string> = {},
  ) {
    this.data = data
    const args = [cli, 'run', '--data', data, ...options, '--', ...command]
    this.running = yard.start(args, { rawStdio: true, env: { ...process.env, ...env } })
    createInterface({ input: this.running.child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.lines.push(line))
  }

  say(...messages: readonly (object | string)[]): void {
    for (const message of messages)
      this.running.child.stdin?.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
  }

  /** Sends a request and gives its response. */
  async ask(message: Message): Promise<Message> {
    this.say(message)
    return this.answerTo(message.id)
  }

  answerTo(id: Message['id']): Promise<Message> {
    const find = () =>
      this.lines.map((line) => JSON.parse(line) as Message).find((message) => message.id === id && message.method === undefined)
    return until(`an answer to ${id}`, find)
  }

  /** The nth answer that has no id. */
  async complaint(number: number): Promise<number | undefined> {
    const found = await until(
      `complaint ${number}`,
      () =>
        this.lines.map((line) => JSON.parse(line) as Message).filter(({ error, id }) => error && (id ?? null) === null)[
          number - 1
        ],
    )
    return found.error?.code
  }

  async open(version = '2025-11-25'): Promise<Message> {
    const answer = await this.ask(
      request('initialize', {
        protocolVersion: version,
        capabilities: { elicitation: {} },
        clientInfo: { name: 'line', version: '1' },
      }),
    )
    this.say({ jsonrpc: '2.0', method: 'notifications/initialized' })
    return answer
  }

  call(name: string, given: object = {}): Promise<Message> {
    return this.ask(request('tools/call', { name, arguments: given }))
  }

  /** Closes stdin. */
  end(): Promise<Ended> {
    this.running.child.stdin?.end()
    return within(8000, 'the end', this.running.ended)
  }
}

const well: Ended = { code: 0, signal: null }

describe('sekisho run refuses', { concurrency: 4 }, () => {
  it('to run nothing: exit code 1, and why on stderr', async () => {
    for (const args of [
      ['run'],
      ['run', '--'],
      ['run', '--nonsense', '--', 'x'],
      ['run', '--id', 'Not An Id', '--data', yard.folder(), '--', 'x'],
    ]) {
      const running = yard.start([cli, ...args])
      assert.deepEqual([await running.ended, running.out], [{ code: 1, signal: null }, []], args.join(' '))
      assert.notEqual(running.errors.join(''), '')
      assert.ok(!running.errors.some((line) => /^\s+at /.test(line)), running.errors.join('\n'))
    }
  })

  it('what is not a message, and goes on', async () => {
    const guard = new Guard(legacyServer)
    await guard.open()
    const lines: readonly (readonly [string, number])[] = [
      ['hello', -32700],
      ['{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700],
      ['[]', -32600],
      ['{"method":"ping"}', -32600],
      ['42', -32600],
      [`{"jsonrpc":"2.0","method":"ping","params":{"x":"${'x'.repeat(4_200_000)}"}}`, -32600],
    ]
    for (const [at, [line, code]] of lines.entries()) {
      guard.say(line)
      assert.equal(await guard.complaint(at + 1), code, line.slice(0, 60))
    }
    assert.equal(textIn(await guard.call('test_simple_text')), 'Plain text from the fixture.')
    assert.deepEqual(await guard.end(), well)
  })

  it('batches, but for 2025-03-26; and what must not be part of one (47)', async () => {
    const guard = new Guard(legacyServer)
    await guard.open('2025-06-18')
    guard.say([request('ping')])
    assert.equal(await guard.complaint(1), -32600)
    const older = new Guard(legacyServer)
    await older.open('2025-03-26')
    older.say([request('ping'), modernMessage('tools/list')])
    assert.equal(await older.complaint(1), -32600)
    older.say([request('ping'), request('initialize', { protocolVersion: '2025-11-25' })])
    assert.equal(await older.complaint(2), -32600)
    const [ping, list] = [request('ping'), request('tools/list')]
    older.say([ping, list])
    assert.ok((await older.answerTo(ping.id)).result && (await older.answerTo(list.id)).result)
    assert.deepEqual([await guard.end(), await older.end()], [well, well])
  })

  it('politely, in front of a program that is not there', async () => {
    const guard = new Guard(['/nowhere/to/be/found', '--key', 'hunter2'])
    const answer = await guard.open()
    assert.equal(refusalIn(answer), 'UPSTREAM_UNAVAILABLE')
    assert.match(
      answer.error?.message ?? '',
      /cannot be reached\. Reason: could not be started: spawn \/nowhere\/to\/be\/found ENOENT\. /,
    )
    assert.doesNotMatch(guard.lines.join(), /hunter2/)
    assert.ok(
      guard.running.errors.some((line) => line.includes('could not be started')),
      guard.running.errors.join('\n'),
    )
    assert.deepEqual(await guard.end(), well)
  })

  it('politely, in front of a program that ends at once', async () => {
    const guard = new Guard(node('--eval', 'process.exit(3)'))
    assert.match((await guard.open()).error?.message ?? '', /Reason: exited \(code 3\)\. The gateway's output says more\./)
    assert.deepEqual(await guard.end(), well)
  })
})

describe('sekisho run', { concurrency: 4 }, () => {
  for (const [kind, server] of [
    ['legacy', legacyServer],
    ['modern', modernServer],
  ] as const)
    it(`serves both eras on one pipe, in front of a ${kind} server (42, 78)`, async () => {
      const guard = new Guard(server)
      const discovered = await guard.ask(modernMessage('server/discover'))
      assert.deepEqual(discovered.result?.['supportedVersions'], ['2026-07-28'])
      assert.equal(
        textIn(await guard.ask(modernMessage('tools/call', { name: 'test_simple_text', arguments: {} }))),
        'Plain text from the fixture.',
      )
      assert.equal((await guard.open()).result?.['protocolVersion'], '2025-11-25')
      assert.equal(textIn(await guard.call('test_simple_text')), 'Plain text from the fixture.')
      const asking = request('tools/call', { name: 'test_elicitation', arguments: { message: 'Who?' } })
      guard.say(asking)
      const question = await until('a question', () =>
        guard.lines.map((line) => JSON.parse(line) as Message).find(({ method }) => method === 'elicitation/create'),
      )
      guard.say({
        jsonrpc: '2.0',
        id: question.id,
        result: { action: 'accept', content: { username: 'ada', email: 'ada@example.com' } },
      } as object)
      assert.match(textIn(await guard.answerTo(asking.id)), /ada/)
      assert.deepEqual(await guard.end(), well)
    })

  it('lets nothing through to stdout but messages: stderr goes to stderr, noise nowhere (78, 79)', async () => {
    const guard = new Guard([...legacyServer, '--noisy'])
    await guard.open()
    await guard.call('test_simple_text')
    for (const line of guard.lines) assert.equal((JSON.parse(line) as Message).jsonrpc, '2.0', line)
    const errors = guard.running.errors.join('\n')
    assert.match(errors, /this line is on stderr and belongs in no message/)
    assert.match(errors, /left out/)
    assert.ok(!guard.lines.join('').includes('Welcome'))
    assert.deepEqual(await guard.end(), well)
  })

  it('gives the server the environment it was itself given', async () => {
    const guard = new Guard(legacyServer, [], yard.folder(), { MARKER_OF_THE_TEST: 'here' })
    await guard.open()
    assert.equal(textIn(await guard.call('environment', { name: 'MARKER_OF_THE_TEST' })), 'here')
    assert.deepEqual(await guard.end(), well)
  })

  it('starts a server that died again', async () => {
    const guard = new Guard(legacyServer)
    await guard.open()
    const first = textIn(await guard.call('pid'))
    assert.ok((await guard.call('die')).error)
    assert.notEqual(textIn(await guard.call('pid')), first)
    assert.deepEqual(await guard.end(), well)
  })

  it('keeps a log each for two clients of one server, and both verify', async () => {
    const data = yard.folder()
    const guards = [new Guard(legacyServer, ['--id', 'twice'], data), new Guard(legacyServer, ['--id', 'twice'], data)]
    for (const guard of guards) assert.ok((await guard.open()).result)
    for (const guard of guards) assert.deepEqual(await guard.end(), well)
    for (const name of ['twice', 'twice-2']) {
      const file = (end: string): string => join(data, `${name}.audit.${end}`)
      assert.ok(existsSync(file('db')), name)
      const verified = yard.start([cli, 'audit', 'verify', '--path', file('db'), '--anchor', file('anchor')])
      assert.equal((await verified.ended).code, 0, verified.errors.join('\n'))
    }
  })

  const endings: readonly (readonly [string, (guard: Guard) => void])[] = [
    ['the client closes stdin', (guard) => guard.running.child.stdin?.end()],
    [
      'the client goes away altogether',
      ({ running: { child } }) => [child.stdin, child.stdout, child.stderr].forEach((pipe) => void pipe?.destroy()),
    ],
    [
      'nobody reads what it says',
      ({ running: { child } }) => {
        child.stderr?.destroy()
        child.stdout?.once('close', () => child.stdin?.write('hello\n')).destroy()
      },
    ],
    ['SIGTERM', (guard) => void guard.running.child.kill('SIGTERM')],
    ['SIGINT', (guard) => void guard.running.child.kill('SIGINT')],
  ]
  for (const [says, end] of endings)
    it(`ends with everything it started: ${says} (81)`, { timeout: 20_000 }, async () => {
      const guard = new Guard(legacyServer)
      await guard.open()
      const pids = [
        Number(textIn(await guard.call('pid'))),
        Number(textIn(await guard.call('orphan'))),
        ...children(guard.running.pid),
      ]
      await guard.call('linger')
      guard.say(request('tools/call', { name: 'wait', arguments: { name: 'last' } }))
      await until('it is under way', async () => textIn(await guard.call('witness')).includes('began last'))
      assert.ok(pids.length >= 3 && pids.every(alive), String(pids))
      end(guard)
      assert.deepEqual(await within(8000, 'the end', guard.running.ended), well)
      assert.deepEqual(pids.filter(alive), [])
    })
})
