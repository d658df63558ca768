import { hash } from 'node:crypto'

/** The hash before the first entry: it belongs to one log, so entries of another never fit. */
export const genesis = (log: string): string => hash('sha256', `sekisho audit log ${log}`, 'hex')

/** An entry's hash: SHA-256 over the previous one (64 hex digits) and the entry's text. In hex. */
export const link = (previous: string, text: string): string => hash('sha256', previous + text, 'hex')
