/**
 * Secrets stand in the document by reference only: `env:NAME` or `file:PATH`. This file knows a reference, knows what a
 * secret written out looks like, and fetches what a reference points to.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Environment } from './environment.ts'

const bytesMax = 65_536

export const isReference = (value: string): boolean => /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/.test(value)
/** Starts like a reference and is none: `env:MY-TOKEN`, `vault:…`. */
export const isBrokenReference = (value: string): boolean =>
  /^(env|file|vault):/i.test(value) && !value.startsWith('file://') && !isReference(value)
/** `env:NAME` or `file:PATH`, whole or as a parameter, where it would not be followed. A file: URL is none. */
export const isStrayReference = (value: string): boolean => /(^|=)(env:[A-Za-z_]|file:(?!\/\/)\S)/.test(value)

const tokenFormats: readonly RegExp[] = [
  /\bsk_[a-z][a-z0-9-]{0,31}_[A-Za-z0-9_-]{43}/, // a key of this gateway
  /\b(gh[opsur]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,})/,
  /\b(sk-[A-Za-z0-9_-]{20,}|[rs]k_(live|test)_[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36,})/,
  /\b(xox[abeoprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})/,
  /\b(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{32,}|pypi-[A-Za-z0-9_-]{32,})/,
  /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}/, // a JSON Web Token
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i, // a password in a URL
]
export const looksLikeToken = (value: string): boolean => tokenFormats.some((format) => format.test(value))

const anyToken = new RegExp(`(?:${tokenFormats.map(({ source }) => source).join('|')})[A-Za-z0-9_.=+/-]*`, 'gi')
/** The text with tokens masked sign by sign. */
export const withoutTokens = (text: string): string => text.replace(anyToken, (token) => '•'.repeat(token.length))

const secretName = /token|secret|passw(or)?d|passphrase|credential|key/i
const harmlessName = /_(file|path|dir|url|uri|id|name)$/i
const harmlessValue = /^(\d{1,6}|true|false|)$/i

/** True for a variable whose name says that its value is secret, with a value that may be one. */
export function looksLikeSecret(name: string, value: string): boolean {
  if (looksLikeToken(value)) return true
  if (!secretName.test(name) || harmlessName.test(name)) return false
  return !(harmlessValue.test(value) && !/secret|pass/i.test(name))
}

const mask = '•••'

/** A command with what may be a secret masked: tokens, `--password=…`, and what follows `--password`. */
export const withoutSecrets = (command: readonly string[]): readonly string[] =>
  command.map((word, at) => {
    const [, flag = '', value] = /^-*([\w-]+)=(.*)$/s.exec(word) ?? []
    if (value !== undefined && looksLikeSecret(flag.replaceAll('-', '_'), value)) return word.slice(0, -value.length) + mask
    const [, before = ''] = /^--?([\w-]+)$/.exec(command[at - 1] ?? '') ?? []
    return looksLikeSecret(before.replaceAll('-', '_'), word) && !word.startsWith('-') ? mask : word
  })

export type Fetched = { readonly value: string } | { readonly message: string; readonly fix: string }

/** What `reference` points to; a file's last line break is not part of it. Relative files are relative to `folder`. */
export function fetchSecret(reference: string, folder: string, environment: Environment): Fetched {
  const [, kind, name = ''] = /^(env|file):(.*)$/s.exec(reference) ?? []
  if (kind === 'env') {
    const value = environment.variables[name]
    return value
      ? { value }
      : { message: `refers to the variable ${name}, which is not set`, fix: `set ${name} before you start the gateway` }
  }
  const path = resolve(folder, name)
  try {
    const value = readFileSync(path, { encoding: 'utf8', flag: 'r' })
    if (Buffer.byteLength(value) > bytesMax)
      return { message: `refers to a file of more than ${bytesMax} bytes`, fix: 'point to the file with the secret alone' }
    const trimmed = value.replace(/\r?\n$/, '')
    return trimmed === ''
      ? { message: `refers to ${path}, which is empty`, fix: 'write the secret into the file' }
      : { value: trimmed }
  } catch (error) {
    return {
      message: `refers to ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})`,
      fix: 'check the path and its permissions',
    }
  }
}
