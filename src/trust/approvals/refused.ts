/** Why a manifest of approvals counts for nothing, as the end of a sentence that begins with its file, and how to mend it. */
export class ApprovalsRefused extends Error {
  override readonly name = 'ApprovalsRefused'
  readonly fix: string
  constructor(why: string, fix: string) {
    super(why)
    this.fix = fix
  }
}
