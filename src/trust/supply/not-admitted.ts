/** Why a server may not be started, for people: which package, which file, what is wrong, what to do. Nothing in it is a secret. */
import type { Finding } from '../../pipeline/guard.ts'
import { Refusal } from '../../pipeline/refusal.ts'

export interface Fault {
  /** Name and version, or the image; undefined where it is about the server or the lock itself. */
  readonly package?: string | undefined
  /** Within the package, or the path of a server that is one file. */
  readonly file?: string | undefined
  readonly why: string
  readonly fix: string
}

export class NotAdmitted extends Error implements Fault {
  override readonly name = 'NotAdmitted'
  readonly package: string | undefined
  readonly file: string | undefined
  readonly why: string
  readonly fix: string
  constructor({ package: name, file, why, fix }: Fault) {
    super([name, file, why].filter((part) => part !== undefined).join(': '))
    this.package = name
    this.file = file
    this.why = why
    this.fix = fix
  }
}

/** Callers need not know where on this machine it is. */
const withoutFolders = (text: string): string => text.replace(/(?<![\w.@:/-])\/(?:[^\s/:;]+\/)+/g, '…/')

/** The same no, as callers and the record get it; the operator's own log has it whole. */
export function refusalOf(server: string, { message, fix }: NotAdmitted): Refusal {
  const finding: Finding = {
    rule: 'trust/not-admitted',
    severity: 'critical',
    evidence: `${server}: ${message}`,
    owasp: 'MCP04',
    requirement: 'SUP-C2',
  }
  return new Refusal('SERVER_NOT_ADMITTED', { detail: server, cause: withoutFolders(message), fix: withoutFolders(fix) }, [
    finding,
  ])
}
