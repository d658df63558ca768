/**
 * Whether local servers may be started for a scan, and whether in a sandbox. They are programs of strangers: none is started before
 * somebody has agreed to it, and none with all that this user may do before somebody has agreed to that.
 */
export interface Asked {
  readonly connect: boolean
  readonly sandbox: boolean
  readonly yes?: true | undefined
}

export type Consent =
  | { readonly starts: false /** As a sentence without its subject's name. */; readonly why: string }
  | {
      readonly starts: true /** Why they run without a sandbox; undefined where they run in one. */
      readonly unconfined?: string
    }

export interface AtHand {
  /** Why this machine has no sandbox; undefined where it has. */
  noSandbox(): Promise<string | undefined>
  /** Asks the person at the terminal. */
  agreed(unconfined: string | undefined): Promise<boolean>
}

export async function consentTo({ connect, sandbox, yes }: Asked, { noSandbox, agreed }: AtHand): Promise<Consent> {
  if (!connect) return { starts: false, why: 'nothing was asked of it, as --no-connect says' }
  const missing = sandbox ? await noSandbox() : undefined
  const unconfined = sandbox ? missing : '--no-sandbox was said'
  // A yes that was said before anybody knew is no yes to this.
  if (yes === true && missing !== undefined)
    return { starts: false, why: `it was not started: ${missing}; to start it with all that you may do: --no-sandbox` }
  if (yes !== true && !(await agreed(unconfined))) return { starts: false, why: 'it was not started; agree to it, or say --yes' }
  return { starts: true, ...(unconfined !== undefined && { unconfined }) }
}
