/** The example workspace behind `npm start`: three real servers from npm, already installed and pinned by the lockfile. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const servers = {
  FILESYSTEM: '@modelcontextprotocol/server-filesystem',
  MEMORY: '@modelcontextprotocol/server-memory',
  EVERYTHING: '@modelcontextprotocol/server-everything',
} as const

/** Writes the workspace where it is not there yet. Returns the path of its configuration, which people may edit. */
export const prepareExample = (): Promise<string> => writeExample(resolve('.sekisho', 'example'), 'workspace')

/** The same for any of examples/ that has a sekisho.yaml; `words` stand in it after a dollar sign. */
export async function writeExample(folder: string, name: string, words: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = join(folder, 'sekisho.yaml')
  if (existsSync(file)) return file
  await mkdir(join(folder, 'workspace'), { recursive: true })
  await writeFile(join(folder, 'workspace', 'hello.txt'), 'Hello from behind the checkpoint.\n')
  const programs = Object.entries(servers).map(([word, specifier]) => [word, entryOf(specifier)] as const)
  const known = {
    ...words,
    ...Object.fromEntries(programs),
    NODE: process.execPath,
    IMPOSTOR: join(root, 'examples', 'workspace', 'impostor.mjs'),
    WORKSPACE: join(folder, 'workspace'),
  }
  const text = await readFile(join(root, 'examples', name, 'sekisho.yaml'), 'utf8')
  await writeFile(
    file,
    text.replace(/\$([A-Z]+)/g, (all, word: string) => (word in known ? JSON.stringify(known[word as keyof typeof known]) : all)),
  )
  return file
}

/** The program of an installed package: what its `bin` names. */
function entryOf(specifier: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${specifier}/package.json`)
  const { bin } = createRequire(import.meta.url)(manifest) as { bin: string | Record<string, string> }
  return join(dirname(manifest), typeof bin === 'string' ? bin : (Object.values(bin)[0] as string))
}
