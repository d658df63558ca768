/**
 * The runs, in the order they are reported. A run has a direct side (the suite against the fixture, or the client
 * against the suite) and a side through Sekisho; both must agree.
 */
import type { Era } from './fixture/server.ts'
import type { Revision, ServerSuite } from './suite.ts'

export type Run = ServerRun | ClientRun | BrokerRun | AuthorizationRun

export interface ServerRun {
  name: string
  kind: 'server'
  suite: ServerSuite
  /** The fixture behind Sekisho. The direct side always meets the fixture that speaks both eras. */
  upstream: Era
}

export interface ClientRun {
  name: string
  kind: 'client'
  revision: Revision
}

/** The authorisation scenarios: there Sekisho is the OAuth client, so there is nothing direct to compare with. */
export interface BrokerRun {
  name: string
  kind: 'broker'
  revision: Revision
}

/** The scenarios of authorization servers, of which Sekisho is one. */
export interface AuthorizationRun {
  name: string
  kind: 'authorization'
}

export const RUNS: readonly Run[] = [
  { name: 'legacy', kind: 'server', suite: '2025-11-25', upstream: 'both' },
  { name: 'modern', kind: 'server', suite: '2026-07-28', upstream: 'both' },
  { name: 'suite-0.1.16', kind: 'server', suite: '0.1.16', upstream: 'both' },
  { name: 'modern-over-legacy', kind: 'server', suite: '2026-07-28', upstream: 'legacy' },
  { name: 'legacy-over-modern', kind: 'server', suite: '2025-11-25', upstream: 'modern' },
  { name: 'client-legacy', kind: 'client', revision: '2025-11-25' },
  { name: 'client-modern', kind: 'client', revision: '2026-07-28' },
  { name: 'broker-legacy', kind: 'broker', revision: '2025-11-25' },
  { name: 'broker-modern', kind: 'broker', revision: '2026-07-28' },
  { name: 'authorization', kind: 'authorization' },
]

/** The SDK has no tasks extension, so the fixture has none; the broker has no DPoP yet. These are not scored. */
export const mayFailDirectly = (scenario: string): boolean => scenario.startsWith('tasks-') || scenario.startsWith('auth/dpop')

/** A bridged run borrows the direct side of the plain run with the same suite. */
export const hasDirectSide = (run: Run): boolean => run.kind === 'client' || (run.kind === 'server' && run.upstream === 'both')
