/** Ends a run that hangs: nothing in the thread that hangs could. */
import { Worker } from 'node:worker_threads'

const quietMsMax = 30_000

/** `process.kill` and not `process.exit`, which would end the worker alone. */
const watching = `
  const { workerData: { beats, name, quietMsMax } } = require('node:worker_threads')
  const seen = new Int32Array(beats)
  let last = 0
  setInterval(() => {
    if (Atomics.load(seen, 0) === last) {
      require('node:fs').writeSync(2, name + ': a case has hung for ' + quietMsMax / 1000 + ' s\\n')
      process.kill(process.pid, 'SIGKILL')
    }
    last = Atomics.load(seen, 0)
  }, quietMsMax)
`

export class Watchdog {
  readonly #beats = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  readonly #heart: NodeJS.Timeout

  /** `name`: what is said of a run that hung. */
  constructor(name: string) {
    this.#worker = new Worker(watching, { eval: true, workerData: { beats: this.#beats.buffer, name, quietMsMax } })
    this.#worker.unref()
    const beat = (): void => void Atomics.add(this.#beats, 0, 1)
    this.#heart = setInterval(beat, 1000)
    this.#heart.unref()
    beat()
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart)
    await this.#worker.terminate()
  }
}
