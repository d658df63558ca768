/** How each side of a run is executed: processes started, the suite run, its outcome read, everything stopped. */
import { join } from 'node:path'
import { meetAuthorizationServer } from './authorization.ts'
import { launchFixture } from './launch.ts'
import type { BrokerRun, ClientRun, Run, ServerRun } from './runs.ts'
import { startSekisho } from './sekisho.ts'
import { clientScenarios, type Outcome, runClientScenario, runServerSuite, type ServerSuite } from './suite.ts'
import { createTurnstile } from './turnstile.ts'

/** Suites running at once; each keeps up to three processes busy, mostly waiting. */
const SUITES_AT_ONCE = 2

export interface Side {
  outcome: Outcome
  /** Time passed, with the wait for a turn. */
  seconds: number
}

export interface Sides {
  direct: (run: Run) => Promise<Side>
  through: (run: Run) => Promise<Side>
}

/** `results` receives the suite's files and what Sekisho prints. */
export function createSides(results: string): Sides {
  const turnstile = createTurnstile(SUITES_AT_ONCE)

  /** Bridged runs compare with the same direct side as the plain ones, so each suite runs direct only once. */
  const directSuites = new Map<ServerSuite, Promise<Side>>()
  function directSuite(suite: ServerSuite): Promise<Side> {
    const side = directSuites.get(suite) ?? timed(`${suite} direct`, () => turnstile(() => meetFixture(suite)))
    directSuites.set(suite, side)
    return side
  }

  async function meetFixture(suite: ServerSuite): Promise<Outcome> {
    const fixture = await launchFixture('both')
    return runServerSuite(suite, fixture.ready, join(results, `direct-${suite}`)).finally(fixture.stop)
  }

  async function meetSekisho({ name, suite, upstream }: ServerRun): Promise<Outcome> {
    const fixture = await launchFixture(upstream)
    try {
      const sekisho = await startSekisho(fixture.ready, join(results, `${name}.log`))
      return await runServerSuite(suite, sekisho.endpoint, join(results, name)).finally(sekisho.stop)
    } finally {
      await fixture.stop()
    }
  }

  function clientSide({ name, kind, revision }: ClientRun | BrokerRun, side: 'direct' | 'through'): Promise<Side> {
    const script = `test/conformance/${kind === 'broker' ? 'broker-through' : side === 'direct' ? 'client' : 'client-through'}.ts`
    const env = { SEKISHO_LOG_FILE: join(results, `${name}.log`) }
    const one = (scenario: string) =>
      turnstile(() => runClientScenario(scenario, revision, script, join(results, `${name}-${side}`, scenario), env))
    return timed(`${name} ${side}`, async () => {
      const outcomes = await Promise.all((await clientScenarios(revision, kind === 'broker')).map(one))
      return new Map(outcomes.flatMap((outcome) => [...outcome]))
    })
  }

  return {
    direct: (run) => {
      if (run.kind === 'server') return directSuite(run.suite)
      if (run.kind !== 'authorization') return clientSide(run, 'direct')
      return timed(run.name, () => turnstile(() => meetAuthorizationServer(join(results, run.name))))
    },
    through: (run) =>
      run.kind === 'server'
        ? timed(`${run.name} through`, () => turnstile(() => meetSekisho(run)))
        : clientSide(run as ClientRun | BrokerRun, 'through'),
  }
}

/** Says on stderr when a side is done, because the whole takes its time. */
async function timed(label: string, work: () => Promise<Outcome>): Promise<Side> {
  const started = performance.now()
  const outcome = await work()
  const seconds = Math.round((performance.now() - started) / 100) / 10
  process.stderr.write(`${label}: ${outcome.size} scenarios after ${seconds} s\n`)
  return { outcome, seconds }
}
