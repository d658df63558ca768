/**
 * Every check, in the order in which it is asked. A new guard is one line here and one folder with a `guard.ts`.
 * Cheap first; trust before policy, because a changed server is not the one the policy spoke of; inspection late, because
 * it alone redacts; a person last, because they decide on exactly what will be sent.
 */
import type { Guard } from './guard.ts'

export interface Stages {
  readonly limits: Guard
  readonly policy: Guard
  readonly identity: Guard
}

export const stages = ({ limits, policy, identity }: Stages): readonly Guard[] => [
  limits, // is it within measure?
  policy, // may this caller do this here?
  identity, // did they prove enough for it?
]
