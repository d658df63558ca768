/** What a stranger may have written, without what moves a cursor or turns a line round. */
const onOneLine = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')

/** Why a manifest of approvals counts for nothing, as the end of a sentence that begins with its file, and how to mend it. */
export class ApprovalsRefused extends Error {
  override readonly name = 'ApprovalsRefused'
  readonly fix: string
  constructor(why: string, fix: string) {
    super(onOneLine(why))
    this.fix = fix
  }
}
