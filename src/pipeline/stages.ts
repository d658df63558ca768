/**
 * Every check, in the order in which it is asked. A new guard is one line here and one folder with a `guard.ts`.
 * Cheap first. Policy before trust: what a caller may not do is refused without a question to the server. Identity after both:
 * nobody is sent to sign in again for what is kept back. Inspection late, because it alone redacts; a person last, because
 * they decide on exactly what will be sent.
 */
import type { Guard } from './guard.ts'

export interface Stages {
  readonly limits: Guard
  readonly policy: Guard
  readonly trust: Guard
  readonly identity: Guard
}

export const stages = ({ limits, policy, trust, identity }: Stages): readonly Guard[] => [
  limits, // is it within measure?
  policy, // may this caller do this here?
  trust, // is the server still what was approved?
  identity, // did they prove enough for it?
]
