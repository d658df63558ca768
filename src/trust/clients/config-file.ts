/**
 * Reading a configuration file of somebody else: bounded, only what is a file, and only what lies in the folder it was looked
 * for in, wherever links lead.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs'
import { sep } from 'node:path'
import { readJsonc } from './jsonc.ts'
import { readToml } from './toml.ts'
import { type Format, placeOf, type Tree, Unreadable } from './tree.ts'
import { readYaml } from './yaml.ts'

/** ~/.claude.json keeps a history and grows; nothing that people write by hand comes near. */
export const fileBytesMax = 33_554_432

export interface ConfigFile {
  /** Where it really is; a link leads here. */
  readonly real: string
  readonly bytes: Buffer
  /** Without the mark of byte order. */
  readonly text: string
  readonly mark: string
  readonly stat: Stats
}

/** It is there and cannot be used. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
  readonly line: number | undefined
  readonly column: number | undefined
  constructor(message: string, place?: { readonly line: number; readonly column: number }) {
    super(message)
    this.line = place?.line
    this.column = place?.column
  }
}

/** Undefined where there is no file. Throws {@link FileRefused}. */
export function readConfigFile(path: string, within: string): ConfigFile | undefined {
  try {
    const real = realpathSync(path)
    const folder = realpathSync(within)
    if (!real.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      throw new FileRefused(`it is a link that leads out of ${within}, and is not followed`)
    return { real, ...contentOf(real) }
  } catch (error) {
    if (error instanceof FileRefused) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new FileRefused(`it cannot be read (${code ?? 'unknown'}); check its permissions`)
  }
}

function contentOf(real: string): Omit<ConfigFile, 'real'> {
  // Not to wait for a writer, should it be a pipe.
  const file = openSync(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new FileRefused('it is not a file')
    if (stat.size > fileBytesMax) throw new FileRefused(`it has ${stat.size} bytes, and at most ${fileBytesMax} are read`)
    const room = Buffer.alloc(stat.size + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < room.length; length += read)
      read = readSync(file, room, length, room.length - length, length)
    if (length > stat.size) throw new FileRefused('it is being written right now; try again')
    const bytes = room.subarray(0, length)
    return { bytes, stat, ...textOf(bytes) }
  } finally {
    closeSync(file)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const byteOrderMark = '\uFEFF'

function textOf(bytes: Buffer): { text: string; mark: string } {
  try {
    const text = utf8.decode(bytes)
    return text.startsWith(byteOrderMark) ? { text: text.slice(1), mark: byteOrderMark } : { text, mark: '' }
  } catch {
    throw new FileRefused('it is not in UTF-8')
  }
}

const readers: Readonly<Record<Format, (text: string) => Tree>> = { json: readJsonc, toml: readToml, yaml: readYaml }

/** An empty file says nothing, which clients allow. Throws {@link FileRefused}. */
export function readTree(format: Format, text: string): Tree {
  try {
    return readers[format](format === 'json' && text.trim() === '' ? '{}' : text)
  } catch (error) {
    if (error instanceof Unreadable) throw new FileRefused(plainly(format, error.message), placeOf(text, error.offset))
    if (error instanceof RangeError) throw new FileRefused('it is nested too deeply to be read')
    throw error
  }
}

/** In one line, and without what it quotes: that could be a secret. */
const plainly = (format: Format, message: string): string =>
  `it is not ${format === 'json' ? 'JSON' : format.toUpperCase()}: ${message
    .split('\n')[0]
    ?.replace(/(["'`])(?:(?!\1).){8,}\1/g, '…')
    .slice(0, 160)}`
