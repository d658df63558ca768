/**
 * Keeps a running gateway to its document: on a change of it or of what it names, and on demand (SIGHUP), the configuration is built
 * whole and handed over; when that fails the old one stays, and the problems are reported.
 */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { readDocument } from './document.ts'
import type { Variables } from './environment.ts'
import { checkConfig } from './load.ts'
import { type Problem, pathText, RestartNeeded } from './problem.ts'
import type { Config } from './schema.ts'

export interface Watch {
  /** Loads now. True when the new configuration was taken over. */
  reload(): Promise<boolean>
  close(): void
}

export interface WatchOptions {
  readonly variables?: Variables
  /** Takes a new configuration over. When it throws or rejects, that is a problem like any other. */
  readonly changed: (config: Config, warnings: readonly Problem[]) => void | Promise<void>
  /** The old configuration is kept. */
  readonly refused: (problems: readonly Problem[]) => void
  /** Further files that are looked at: those that the configuration in force names and that people change without it. */
  readonly named?: () => readonly string[]
  /** How often the files are looked at. */
  readonly pollMs?: number
  /** How the document becomes a configuration. */
  readonly check?: typeof checkConfig
}

/** To start with, an empty document is a whole configuration; under a running gateway it is a file cut short. */
const emptied: Problem = {
  path: '',
  line: 1,
  column: 1,
  message: 'is empty now',
  fix: 'write it again; "servers: {}" turns every server off',
}

function problemOf(error: unknown, text: string): Problem {
  if (error instanceof RestartNeeded) {
    const place = readDocument(text).place(error.path, 'key')
    return { path: pathText(error.path), ...place, message: 'cannot change while the gateway runs', fix: 'restart the gateway' }
  }
  const message = `could not be taken over: ${error instanceof Error ? error.message : 'unknown'}`
  return { path: '', line: 1, column: 1, message, fix: 'correct the cause and reload' }
}

/** A file read while an editor writes it may be a valid part of itself, without its deny rules: wait until it rests. */
const restMs = 100
const restsMax = 50

export function watchConfig(
  file: string,
  { variables, changed, refused, named = () => [], pollMs = 300, check = checkConfig }: WatchOptions,
): Watch {
  let queue: Promise<unknown> = Promise.resolve()
  const load = async (): Promise<boolean> => {
    await Promise.all([file, ...named()].map(atRest))
    let text = ''
    try {
      const checked = await check(file, variables)
      const { config, problems, warnings } = checked
      text = checked.text
      if (config !== undefined && text.trim() === '') {
        refused([emptied])
        return false
      }
      if (config === undefined) refused(problems)
      else await changed(config, warnings)
      return config !== undefined
    } catch (error) {
      refused([problemOf(error, text)])
      return false
    }
  }
  const reload = (): Promise<boolean> => {
    const loaded = queue.then(load)
    queue = loaded.catch(() => undefined)
    return loaded
  }
  // Polled, because a folder of a container or a network file system tells nobody of its changes.
  const marks = (): string => [file, ...named()].map((one) => `${one} ${markOf(one)}`).join('\n')
  let seen = marks()
  const timer = setInterval(() => {
    const now = marks()
    if (now === seen) return
    seen = now
    void reload()
  }, pollMs).unref()
  return { reload, close: () => clearInterval(timer) }
}

/** Differs when the file was written, replaced, removed, brought back, or made unreadable. */
function markOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

async function atRest(file: string): Promise<void> {
  let last: Buffer | undefined
  for (let look = 0; look < restsMax; look++) {
    const now = await readFile(file).catch(() => undefined)
    if (look > 0 && (now === undefined ? last === undefined : last?.equals(now))) return
    last = now
    await wait(restMs)
  }
}
