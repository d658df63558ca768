/** A reporter for node:test that says each result as one line of JSON, for test.ts. */
import type { TestEvent } from 'node:test/reporters'

export interface Result {
  readonly kind: 'pass' | 'fail' | 'skip'
  readonly name: string
  readonly line: number
  /** The error of a failure, the reason of a skip. */
  readonly why: string
}

export const mark = '\u0001result '

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type === 'test:diagnostic' && data.level === 'error') yield `${data.message}\n`
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    const { name, line = 1, skip } = data
    const say = (kind: Result['kind'], why: string): string => `${mark}${onOneLine({ kind, name, line, why })}\n`
    if (skip !== undefined) yield say('skip', String(skip))
    else if (type === 'test:pass') yield say('pass', '')
    else yield say('fail', reasonOf(data.details.error))
  }
}

/** Whoever reads lines takes more signs for the end of one than JSON does. */
const onOneLine = (result: Result): string =>
  JSON.stringify(result).replace(/[\u0085\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)

function reasonOf(error: Error & { failureType?: string }): string {
  const { cause } = error
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? error.message)
  return why.replace(/\n +at [^\n]*node:[^\n]*/g, '')
}
