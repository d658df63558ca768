/**
 * Which server a command is, for the local guard: what is approved is approved of one command, and where the command means
 * something else in every folder, of one command in one folder. All guards of a user remember in the same place.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { programOf, startedBy } from '../trust/clients/launchers.ts'

const nameCharsMax = 17

/** `@Scope/My Server` → `scope-my-server-3f2a9c`: fits what an id may be, whatever the name is. */
export function guardId(name: string, words: readonly string[], folder: string): string {
  const which = dependsOnFolder(words) ? { words, folder } : words
  const mark = createHash('sha256').update(JSON.stringify(which)).digest('hex').slice(0, 6)
  return `${idStart(name)}-${mark}`
}

export function idStart(name: string): string {
  const start = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, nameCharsMax)
    .replace(/-+$/, '')
  return start === '' ? 'server' : start
}

/** Programs that run what is in the folder where they are started, unless they are told to fetch a package. */
const folderRunners = /^(npm|pnpm|yarn|bun|make|just|cargo|go|uv|poetry|pipenv|hatch|rye|dotnet|gradle|mvn|bundle|rake)$/

/** Whether the same words start another server elsewhere: a path from here, or a program that runs what is here. */
export function dependsOnFolder(words: readonly string[]): boolean {
  const started = startedBy(words)
  if (words.some((word) => word !== started?.named && isPathFromHere(word))) return true
  return started === undefined && (folderRunners.test(programOf(words)) || isModuleOfPython(words))
}

const isModuleOfPython = (words: readonly string[]): boolean => /^py(thon[\d.]*)?$/.test(programOf(words)) && words.includes('-m')

function isPathFromHere(word: string): boolean {
  const path = word.replace(/^-[^=]*=/, '')
  const isElsewhere = /^([/\\~]|[a-z][a-z0-9+.-]*:|@[\w.-]+\/[\w.-]+(@|$))/i.test(path)
  return !isElsewhere && /^\.{1,2}$|[\\/]|\.([cm]?[jt]sx?|py|rb|php|pl|sh|jar|wasm)$/i.test(path)
}

const interpreters = /^(node|bun|deno|tsx|ts-node|python[\d.]*|py|ruby|php|perl|sh|bash|zsh|java)$/

/** The command with its program, and the script of an interpreter, named in full: what is remembered of it is about these files. */
export function inFull(words: readonly string[], folder: string): readonly string[] {
  const [program = '', ...rest] = words
  const whole = [/[\\/]/.test(program) ? resolve(folder, program) : program]
  let isBefore = interpreters.test(programOf(words))
  for (const [at, word] of rest.entries()) {
    const isScript = isBefore && !word.startsWith('-') && isPathFromHere(word) && isFile(resolve(folder, word))
    // A file that follows a flag may be the flag's own.
    if (!word.startsWith('-') && !rest[at - 1]?.startsWith('-')) isBefore = false
    whole.push(isScript ? resolve(folder, word) : word)
  }
  return whole
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true
