/** Lines on the stdio door. After every one of them a ping is answered, whatever the line was. */
import { PassThrough } from 'node:stream'
import { deadlineMs } from './caller.ts'
import { Finding, type Fuzzer, must, type Target } from './fuzzer.ts'
import { isFailure, isUnambiguous, openHouse } from './house.ts'
import { legacySamples, messageOf, modernSamples } from './messages.ts'
import type { Random } from './random.ts'
import { bodyOf, onDoor, servers } from './requests.ts'

interface Input {
  readonly door: number
  /** Bytes as latin1. */
  readonly line: string
}

export const stdioFuzzer = (): Fuzzer => ({ name: 'stdio', share: { cases: 2, seconds: 8 }, open: openTarget })

/** Ids of requests never come twice, or one would rightly be told that the first is still under way. */
function make(random: Random): Input {
  const door = random.below(servers.length)
  const message = (): object =>
    messageOf(onDoor(random.pick(random.once(2) ? modernSamples : legacySamples), servers[door]), random.next())
  const answer = { jsonrpc: '2.0', id: random.pick(['sekisho-1', 'sekisho-2', 7]), result: { action: 'decline' } }
  const line = bodyOf(random, random.once(8) ? [message(), message()] : random.once(10) ? answer : message())
  return { door, line: random.once(300) ? line.padEnd(300_000) : line }
}

async function openTarget(): Promise<Target<Input>> {
  const house = await openHouse()
  const doors = servers.map((server) => new Door((input, output) => house.gateway.connectStdio(input, output, server)))
  return {
    lanes: 8,
    make,
    show: ({ line }) => Buffer.from(line, 'latin1'),
    async check({ door, line }) {
      const said = await (doors[door] as Door).say(line)
      for (const text of said) {
        must(isUnambiguous(text), () => `said what can be read in two ways: ${text.slice(0, 2000)}`)
        must(!isFailure(text), () => `answered ${text.slice(0, 300)}`)
      }
      house.nothingWrong()
      return said.some((text) => text.includes('"result":'))
    },
    async close() {
      await Promise.all(doors.map((door) => door.close()))
      await house.close()
    },
  }
}

let pings = 0

/** One client process. */
class Door {
  readonly #input = new PassThrough()
  readonly #over: Promise<void>
  readonly #waiting = new Map<string, () => void>()
  #said: string[] = []
  #rest = ''

  constructor(connect: (input: PassThrough, output: PassThrough) => Promise<void>) {
    const output = new PassThrough()
    output.on('data', (chunk: Buffer) => this.#hear(chunk.toString()))
    this.#over = connect(this.#input, output)
  }

  /** What is said from now until the ping after the line is answered. With other lines under way, also what is said to them. */
  async say(line: string): Promise<readonly string[]> {
    const id = `ping-${++pings}`
    const answered = new Promise<void>((resolve) => this.#waiting.set(id, resolve))
    this.#input.write(Buffer.from(`${line}\n{"jsonrpc":"2.0","id":"${id}","method":"ping"}\n`, 'latin1'))
    let late: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Finding(`the ping after it was not answered in ${deadlineMs} ms`)), deadlineMs)
    })
    await Promise.race([answered, deadline]).finally(() => clearTimeout(late))
    const said = this.#said
    this.#said = []
    return said
  }

  async close(): Promise<void> {
    this.#input.end()
    await this.#over
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() as string
    for (const line of lines) {
      const id = /"id":"(ping-\d+)"/.exec(line)?.[1]
      if (id === undefined) this.#said.push(line)
      else this.#waiting.get(id)?.()
    }
  }
}
