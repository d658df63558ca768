/**
 * Static rules for servers of MCP in TypeScript, JavaScript and Python: text in, findings with their lines out. Fixtures of every
 * mistake and of its mended twin are in the test; to add a rule, add a row.
 */
import type { Finding } from '../../pipeline/guard.ts'
import { functionsOf, toolHandlers } from './statics-functions.ts'
import {
  audienceNotChecked,
  commandOfArguments,
  decodedNotVerified,
  guessableSession,
  headersPassedOn,
  type Rule,
  sessionForAuthentication,
  shellForBuiltCommand,
  tokenPassedOn,
} from './statics-rules.ts'
import { type Language, type Token, tokensMax, tokensOf } from './statics-tokens.ts'

export interface CodeFinding extends Finding {
  /** From 1. */
  readonly line: number
  readonly column: number
}
export type CodeReport = { readonly findings: readonly CodeFinding[] } | { readonly unread: string }

type Row = readonly [rule: string, severity: Finding['severity'], owasp: string, requirement: string, find: Rule]
export const codeRules: readonly Row[] = [
  ['code/command-of-arguments', 'critical', 'MCP05', 'SUP-C8', commandOfArguments],
  ['code/shell', 'high', 'MCP05', 'SUP-C8', shellForBuiltCommand],
  ['code/token-passthrough', 'critical', 'MCP01', 'TPT-R1', tokenPassedOn],
  ['code/headers-passthrough', 'high', 'MCP01', 'TPT-R1', headersPassedOn],
  ['code/audience', 'high', 'MCP07', 'AUTH-C4', audienceNotChecked],
  ['code/decoded-token', 'medium', 'MCP07', 'AUTH-C4', decodedNotVerified],
  ['code/session-authentication', 'high', 'MCP07', 'SES-C1', sessionForAuthentication],
  ['code/guessable-session', 'high', 'MCP07', 'SES-C2', guessableSession],
]

export const languageOf = (file: string): Language | undefined =>
  /\.(?:[cm]?[jt]sx?)$/.test(file) ? 'javascript' : /\.pyi?$/.test(file) ? 'python' : undefined

const charsMax = 2_000_000
/** What a program wrote has no lines that people could read; its source is to be looked at instead. */
const lineCharsMax = 20_000

export function readCode(text: string, language: Language): CodeReport {
  if (text.length > charsMax) return { unread: `it is longer than ${charsMax} characters` }
  if (isMinified(text)) return { unread: 'it is minified' }
  const tokens = tokensOf(text, language)
  if (tokens.length >= tokensMax) return { unread: `it has more than ${tokensMax} tokens` }
  const functions = functionsOf(tokens, language)
  const handlers = toolHandlers(tokens, functions, language)
  const source = { language, tokens, functions, handlers, imports: importsOf(tokens, language) }
  const findings = codeRules.flatMap(([rule, severity, owasp, requirement, find]) =>
    find(source).map(
      ({ at, says }): CodeFinding => ({
        rule,
        severity,
        evidence: says,
        owasp,
        requirement,
        ...placeOf(text, tokens[at] as Token),
      }),
    ),
  )
  return { findings: once(findings).sort((a, b) => a.line - b.line || a.column - b.column) }
}

/** What is a command of arguments is not also a shell, and headers whole are not also a token. */
function once(findings: readonly CodeFinding[]): CodeFinding[] {
  const covers: Readonly<Record<string, string>> = {
    'code/shell': 'code/command-of-arguments',
    'code/headers-passthrough': 'code/token-passthrough',
  }
  const places = new Set(findings.map(({ rule, line }) => `${rule} ${line}`))
  const seen = new Set<string>()
  return findings.filter(({ rule, line, column }) => {
    const key = `${rule} ${line} ${column}`
    if (seen.has(key) || places.has(`${covers[rule]} ${line}`)) return false
    seen.add(key)
    return true
  })
}

function placeOf(text: string, { start, line }: Token): { readonly line: number; readonly column: number } {
  return { line, column: start - text.lastIndexOf('\n', start - 1) }
}

function isMinified(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    const to = end === -1 ? text.length : end
    if (to - at > lineCharsMax && !/^[^;(]{0,200}["'`]/.test(text.slice(at, at + 400))) return true
    at = to + 1
  }
  return false
}

/** `import x, { y as z } from 'm'`, `const { y: z } = require('m')`, `z = promisify(y)`; `import m as x`, `from m import y as z`. */
function importsOf(tokens: readonly Token[], language: Language): ReadonlyMap<string, string> {
  const imports = new Map<string, string>()
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind !== 'name') continue
    if (language === 'python') {
      if (text === 'from' && tokens[at]?.indent !== undefined) fromPython(tokens, at, imports)
      else if (text === 'import' && tokens[at]?.indent !== undefined) importPython(tokens, at, imports)
    } else if (text === 'from' && tokens[at + 1]?.kind === 'text')
      namesBefore(tokens, at - 1, (tokens[at + 1] as Token).text, imports)
    else if (
      text === 'require' &&
      tokens[at + 1]?.text === '(' &&
      tokens[at + 2]?.kind === 'text' &&
      tokens[at - 1]?.text === '='
    )
      namesBefore(tokens, at - 2, (tokens[at + 2] as Token).text, imports)
    else if (text === 'promisify' && tokens[at + 1]?.text === '(') {
      const equals = tokens.slice(Math.max(0, at - 4), at).findLastIndex((one) => one.text === '=')
      const target = tokens[Math.max(0, at - 4) + equals - 1]
      const last = tokens.slice(at + 2, at + 6).findIndex((one) => one.text === ')')
      const [first = '', ...rest] = tokens
        .slice(at + 2, at + 2 + last)
        .filter((one) => one.kind === 'name')
        .map((one) => one.text)
      const origin = imports.get(first)
      if (equals !== -1 && target !== undefined && origin !== undefined) imports.set(target.text, [origin, ...rest].join(' '))
    }
  }
  return imports
}

/** The names of an import statement, from its end backwards. */
function namesBefore(tokens: readonly Token[], last: number, module: string, imports: Map<string, string>): void {
  let isInBraces = false
  for (let at = last; at >= 0 && at > last - 400; at--) {
    const { kind, text } = tokens[at] as Token
    if (kind === 'sign' && text === '}') isInBraces = true
    else if (kind === 'sign' && text === '{') isInBraces = false
    else if (kind === 'name' && /^(import|const|let|var|export|type)$/.test(text)) return
    else if (kind === 'name' && text !== 'as') {
      const before = tokens[at - 1]?.text
      const isRenamed = before === 'as' || before === ':'
      const original = isRenamed ? (tokens[at - 2] as Token).text : text
      imports.set(text, isInBraces ? `${module} ${original}` : module)
      if (isRenamed) at -= 2
    }
  }
}

function importPython(tokens: readonly Token[], start: number, imports: Map<string, string>): void {
  for (let at = start + 1; at < tokens.length && tokens[at]?.indent === undefined; at++) {
    let module = (tokens[at] as Token).text
    while (tokens[at + 1]?.text === '.') {
      module += `.${tokens[at + 2]?.text ?? ''}`
      at += 2
    }
    const isRenamed = tokens[at + 1]?.text === 'as'
    if (isRenamed) imports.set((tokens[at + 2] as Token).text, module)
    at += isRenamed ? 3 : 1
  }
}

function fromPython(tokens: readonly Token[], start: number, imports: Map<string, string>): void {
  let at = start + 1
  let module = ''
  while (at < tokens.length && tokens[at]?.text !== 'import' && tokens[at]?.indent === undefined)
    module += (tokens[at++] as Token).text
  const isOpen = tokens[at + 1]?.text === '('
  for (at += isOpen ? 2 : 1; at < tokens.length && (isOpen ? tokens[at]?.text !== ')' : tokens[at]?.indent === undefined); at++) {
    const { kind, text } = tokens[at] as Token
    if (kind !== 'name') continue
    const isRenamed = tokens[at + 1]?.text === 'as'
    imports.set(isRenamed ? (tokens[at + 2] as Token).text : text, `${module} ${text}`)
    if (isRenamed) at += 2
  }
}
