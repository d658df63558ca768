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
export async function prepareExample(): Promise<string> {
  const folder = resolve('.sekisho', 'example')
  const file = join(folder, 'sekisho.yaml')
  if (existsSync(file)) return file
  await mkdir(join(folder, 'workspace'), { recursive: true })
  await writeFile(join(folder, 'workspace', 'hello.txt'), 'Hello from behind the checkpoint.\n')
  let text = await readFile(join(root, 'examples', 'workspace', 'sekisho.yaml'), 'utf8')
  for (const [name, specifier] of Object.entries(servers)) text = text.replace(`$${name}`, JSON.stringify(entryOf(specifier)))
  await writeFile(
    file,
    text
      .replaceAll('$NODE', JSON.stringify(process.execPath))
      .replaceAll('$WORKSPACE', JSON.stringify(join(folder, 'workspace'))),
  )
  return file
}

/** The program of an installed package: what its `bin` names. */
function entryOf(specifier: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${specifier}/package.json`)
  const { bin } = createRequire(import.meta.url)(manifest) as { bin: string | Record<string, string> }
  return join(dirname(manifest), typeof bin === 'string' ? bin : (Object.values(bin)[0] as string))
}
