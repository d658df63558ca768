/** Makes the entry of one local server in the lock, from what is on this machine, and keeps copies of what it runs from. */
import { basename, dirname, resolve, sep } from 'node:path'
import { loadingVariables } from './loading-variables.ts'
import type { FilesLock, ServerLock } from './lock.ts'
import { readOne } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { type Enquiry, lockNpm } from './npm-lock.ts'
import { lockPython } from './python-lock.ts'
import { type LocalServer, startedBy } from './started.ts'
import type { Store } from './store.ts'
import { mustBeRecent } from './within.ts'

export interface LockServerOptions {
  readonly server: LocalServer
  /** Of the configuration: what is below it is written relative to it, so that the lock holds on other machines too. */
  readonly folder: string
  readonly store: Store
  readonly enquire: Enquiry
  readonly platform: string
  /** Of ours, and no part of any server, though it may lie in the folder of one; absolute paths. */
  readonly aside: readonly string[]
  /** What a program says when it is asked for its version; undefined where it says nothing. Not asked of the server itself. */
  versionOf(program: string): Promise<string | undefined>
  progress?(done: number, all: number): void
}

/** Throws {@link NotAdmitted} for what cannot be locked, with what to write instead. */
export async function lockServer({
  server,
  folder,
  store,
  enquire,
  platform,
  aside,
  versionOf,
  progress,
}: LockServerOptions): Promise<ServerLock> {
  const started = await startedBy(server)
  const variables = loadingVariables(server.env)
  const how = {
    command: portable(server.command, folder),
    ...(Object.keys(variables).length > 0 && { variables }),
  }
  switch (started.kind) {
    case 'npm': {
      const interpreter =
        started.node === undefined ? 'own' : { path: started.node, ...(await described(started.node, versionOf)) }
      if (interpreter !== 'own') mustBeRecent(interpreter)
      const about = await lockNpm({ started, store, enquire, platform, aside, ...(progress && { progress }) })
      const { package: name, platform: at, entry, tree, links, packages } = about
      return {
        kind: 'npm',
        ...how,
        ...(at !== undefined && { platform: at }),
        package: name,
        entry,
        interpreter,
        tree,
        ...(links && { links }),
        packages,
      }
    }
    case 'pypi':
      return {
        kind: 'pypi',
        ...how,
        platform,
        ...(await lockPython({ started, store })),
        interpreter: { path: started.python, ...(await described(started.python, versionOf)) },
      }
    case 'image':
      return {
        kind: 'image',
        ...how,
        image: started.image,
        runtime: { path: started.runtime, ...(await described(started.runtime)) },
      }
    case 'files': {
      const files: FilesLock['files'] = {}
      for (const file of started.files)
        files[portablePath(file, folder)] = await described(file, file === started.interpreter ? versionOf : undefined)
      return { kind: 'files', ...how, platform, files }
    }
    case 'npm-missing':
      throw new NotAdmitted({
        package: started.name,
        why: 'is not installed here, and nothing is fetched',
        fix: `install it beside the configuration: npm install --ignore-scripts ${started.name}@VERSION`,
      })
  }
}

async function described(
  path: string,
  versionOf?: LockServerOptions['versionOf'],
): Promise<{ digest: string; version?: string }> {
  const { line } = readOne(dirname(path), basename(path))
  const version = await versionOf?.(path)
  return { digest: `sha256:${line.digest}`, ...(version !== undefined && { version: version.slice(0, 100) }) }
}

/** With what is below `folder` written relative to it. */
export const portable = (command: readonly string[], folder: string): string[] =>
  command.map((word) => portablePath(word, folder))

export function portablePath(path: string, folder: string): string {
  const start = folder.endsWith(sep) ? folder : folder + sep
  return path.startsWith(start) ? `./${path.slice(start.length).split(sep).join('/')}` : path
}

export const absolutePath = (path: string, folder: string): string => (path.startsWith('./') ? resolve(folder, path) : path)
