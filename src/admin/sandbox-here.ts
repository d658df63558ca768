import { findMachine } from '../outbound/sandbox/machine.ts'

/** Why a server cannot be kept in a sandbox on this machine; undefined where it can. */
export async function noSandboxHere(): Promise<string | undefined> {
  const machine = await findMachine()
  return 'why' in machine ? machine.why : undefined
}
