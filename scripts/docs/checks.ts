/** What is checked of the documents. To add a check: one function that answers with lines, and one row. */
import { codesOutOfStep, unknownCodes } from './codes.ts'
import { unknownCommands, unknownScripts, unwrittenCommands } from './commands.ts'
import { refusedConfigurations, unwrittenKeys } from './configuration.ts'
import { type Document, documents } from './documents.ts'
import { strayExamples } from './examples.ts'
import { deadLinks } from './links.ts'
import { rulesOutOfStep } from './scan-rules.ts'

interface DocumentCheck {
  readonly name: string
  check(): readonly string[] | Promise<readonly string[]>
}

const of = (
  name: string,
  check: (all: readonly Document[]) => readonly string[] | Promise<readonly string[]>,
): DocumentCheck => ({
  name,
  check: () => check(documents()),
})

export const documentChecks: readonly DocumentCheck[] = [
  of('links lead somewhere', (all) => all.flatMap(deadLinks)),
  of('commands and flags exist', unknownCommands),
  of('every command is in the reference', unwrittenCommands),
  of('npm scripts exist', unknownScripts),
  of('codes exist', unknownCodes),
  of('every code is in the reference', codesOutOfStep),
  of('every scan rule is in the reference', rulesOutOfStep),
  of('configurations are accepted', refusedConfigurations),
  of('every key is in the reference', unwrittenKeys),
  of('examples are programs', strayExamples),
]
