/** Why a server was not started in its sandbox. For the operator, like every message here; callers hear that it is unavailable. */
export class SandboxRefused extends Error {
  override readonly name = 'SandboxRefused'
  readonly fix: string
  constructor(message: string, fix: string) {
    super(`${message}; ${fix}`)
    this.fix = fix
  }
}
