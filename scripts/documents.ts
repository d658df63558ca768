/** Do the documents say what is there? Links, commands and flags, error codes, configuration blocks, quoted examples. */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseConfig } from '../src/config/load.ts'
import { ConfigRefused } from '../src/config/problem.ts'
import { errors } from '../src/protocol/errors.ts'

interface Document {
  readonly file: string
  readonly text: string
}
type Check = (document: Document, root: string) => string[]

const links: Check = ({ file, text }, root) =>
  [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g)]
    .filter(([, target]) => !existsSync(join(root, dirname(file), target as string)))
    .map((match) => `${at(text, file, match.index)} links to ${match[1]}, which is not there`)

/** Codes are written as `POLICY_DENIED`; a word that looks like one of ours and is none has been renamed. */
const codes: Check = ({ file, text }) =>
  file !== 'docs/reference/errors.md'
    ? []
    : [
        ...Object.keys(errors)
          .filter((code) => !text.includes(`\`${code}\``))
          .map((code) => `${file}:1 lacks ${code}`),
        ...[...text.matchAll(/^\| `([A-Z_]+)`/gm)]
          .filter(([, code]) => !Object.hasOwn(errors, code as string))
          .map((match) => `${at(text, file, match.index)} names ${match[1]}, which is no code`),
      ]

/** A yaml block with `servers:` at its margin is a whole configuration. */
const configurations: Check = ({ file, text }) =>
  [...text.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .filter(([, block]) => /^servers:/m.test(block as string))
    .flatMap((match) => {
      try {
        parseConfig(match[1] as string)
        return []
      } catch (error) {
        const why =
          error instanceof ConfigRefused
            ? error.problems.map(({ path, message }) => `${path} ${message}`).join('; ')
            : String(error)
        return [`${at(text, file, match.index)} shows a configuration that would be refused: ${why}`]
      }
    })

/** A block that begins with the path of an example is that example. */
const examples: Check = ({ file, text }, root) =>
  [...text.matchAll(/```ts\n\/\/ (examples\/[\w./-]+)\n([\s\S]*?)```/g)]
    .filter(([, path, block]) => !readFileSync(join(root, path as string), 'utf8').includes((block as string).trim()))
    .map((match) => `${at(text, file, match.index)} is not what ${match[1]} says`)

const help = new Map<string, string>()
function helpOf(command: string, root: string): string {
  let text = help.get(command)
  if (text === undefined) {
    const cli = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...command.split(' '), '--help']
    text = spawnSync(process.execPath, cli, { cwd: root, encoding: 'utf8' }).stdout
    help.set(command, text)
  }
  return text
}

/** `sekisho audit verify --json`: the command exists, and so does every long flag. */
const commands: Check = ({ file, text }, root) =>
  [
    ...text.matchAll(
      /sekisho ((?:start|run|check|init|servers|policy|keys|audit|version)(?: (?:list|disable|enable|why|new|verify|search|trace|tail))?)([^\n`|]*)/g,
    ),
  ].flatMap((match) => {
    const known = helpOf(match[1] as string, root)
    const own = (match[2] as string).split(' -- ')[0] as string
    return [...own.matchAll(/(?<=\s)--[a-z][a-z-]*/g)]
      .filter(([flag]) => !known.includes(flag))
      .map(([flag]) => `${at(text, file, match.index)} shows "sekisho ${match[1]} ${flag}", which the command line does not know`)
  })

const checks: readonly Check[] = [links, codes, configurations, examples, commands]
const at = (text: string, file: string, index: number): string => `${file}:${text.slice(0, index).split('\n').length}`

export async function documentFaults(root: string): Promise<readonly string[]> {
  const files = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  return files.flatMap((file) => {
    const document = { file, text: readFileSync(join(root, file), 'utf8') }
    return checks.flatMap((check) => check(document, root))
  })
}
