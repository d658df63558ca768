/**
 * Is the server still what was approved? Asked of what is listed, and again of every call: a definition that changed since
 * it was approved is kept from the model, and cannot be called, while the others work (INJ-C8).
 */
import { jsonDigest } from '../lib/json-digest.ts'
import type { Finding, Guard, Verdict } from '../pipeline/guard.ts'
import { pass } from '../pipeline/guard.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { printable } from '../protocol/json-rpc.ts'
import { type ListedKind, listedBy, listedIn } from './definition.ts'
import { introducedIn, withoutWords } from './introduction.ts'
import type { PinsConfig } from './schema.ts'
import type { Fallen, Held, Verdict as Standing, Trust } from './trust.ts'

export interface TrustGuardOptions {
  readonly trust: Trust
  config(): PinsConfig
  /** How whoever is refused is told to look: `sekisho pins show`, before the server and the name. */
  readonly lookWith: string
}

/** As long as a server may take for all pages of a list. */
const readingMsMax = 120_000
const namedMax = 5

export function trustGuard(options: TrustGuardOptions): Guard {
  const { trust } = options
  return {
    name: 'trust',
    legs: ['call', 'catalog', 'notice'],
    timeoutMs: readingMsMax,
    judge(parcel) {
      if (parcel.leg === 'notice') return noticed(parcel, trust)
      const server = trust.serverStands(parcel.server)
      if (!server.stands) return block(parcel, 'SERVER_CHANGED', server, options)
      if (parcel.leg === 'catalog')
        return parcel.member === 'result' ? judgeCatalog(parcel, trust) : judgeNoCatalog(parcel, trust)
      return judgeCall(parcel, options)
    },
  }
}

/** What a server announces of its lists: from now on, what was read before counts no more. */
function noticed({ sender, method, server }: Parcel, trust: Trust): Verdict {
  const [, list] = /^notifications\/(tools|prompts|resources)\/list_changed$/.exec(method) ?? []
  if (sender !== 'server' || list === undefined) return pass
  for (const kind of kindsIn[list as keyof typeof kindsIn]) trust.changed(server, kind)
  return pass
}
const kindsIn = { tools: ['tool'], prompts: ['prompt'], resources: ['resource', 'template'] } as const

const kindOfConcern: Readonly<Record<string, ListedKind>> = { tool: 'tool', prompt: 'prompt', resource: 'resource' }

function judgeCall(parcel: Parcel, options: TrustGuardOptions): Verdict | Promise<Verdict> {
  const { trust } = options
  const kind = parcel.method === 'skills/get' ? 'skill' : kindOfConcern[parcel.concerns]
  const name = parcel.subject
  if (kind === undefined || name === undefined) return pass
  // A completion may be for a template, which is named by its URI.
  const told = (): Verdict => callVerdict(parcel, trust.told(parcel, kind, name), options)
  // Resources may be read without being listed, and there may be very many: what was told of one counts, and no list is read for it.
  if (kind === 'resource' || kind === 'skill' || !trust.mustRead(parcel, kind, name)) return told()
  return trust.read(parcel, kind).then(told, refused)
}

/**
 * Resources may be read without being listed, for what they are called is data; but not one of which no version is approved.
 * Tools and prompts may not.
 */
function callVerdict(parcel: Parcel, standing: Standing, options: TrustGuardOptions): Verdict {
  if (standing.stands) return pass
  if (standing.why !== 'absent') return block(parcel, codes[standing.why], standing, options)
  if (!isByUri(parcel)) return block(parcel, 'NOT_LISTED', standing, options)
  const known = options.trust.ofUri(parcel.server, parcel.subject as string)
  return known.stands ? pass : block(parcel, known.why === 'absent' ? 'NOT_LISTED' : codes[known.why], known, options)
}

const isByUri = ({ concerns, method, subject }: Parcel): boolean =>
  concerns === 'resource' || (method === 'completion/complete' && subject?.includes('://') === true)

const codes = {
  new: 'NOT_APPROVED',
  changed: 'DEFINITION_CHANGED',
  revoked: 'DEFINITION_REVOKED',
  server: 'SERVER_CHANGED',
} as const
type Code = (typeof codes)[keyof typeof codes] | 'NOT_LISTED'

function judgeCatalog(parcel: Parcel, trust: Trust): Verdict | Promise<Verdict> {
  const kind = listedBy(parcel.method)
  if (kind === undefined) return parcel.list === undefined ? judgeIntroduction(parcel, trust) : pass
  if (trust.book.isListed(parcel.server, kind)) return judgeList(parcel, kind, trust)
  // The first list of a server is looked at as a whole, whatever page of it this is.
  const call = alongside(parcel, { leg: 'call', body: {} })
  return trust.read(call, kind).then(() => judgeList(parcel, kind, trust), refused)
}

/** Not a list, but the answer that there is none (JSON-RPC 2.0, method not found). */
function judgeNoCatalog({ method, member, body, server }: Parcel, trust: Trust): Verdict | Promise<Verdict> {
  const kind = member === 'error' && body['code'] === noSuchMethod ? listedBy(method) : undefined
  return kind === undefined ? pass : trust.hasNone(server, kind).then(() => pass)
}
const noSuchMethod = -32601

function judgeList(parcel: Parcel, kind: ListedKind, trust: Trust): Verdict | Promise<Verdict> {
  const { server, principal, body } = parcel
  const held = trust.judgePage(server, principal.holder, kind, jsonDigest(body), () => listedIn(parcel, kind))
  return held instanceof Promise ? held.then((late) => omitted(parcel, late)) : omitted(parcel, held)
}

/** Of what a server says of itself first, its instructions are read by a model. Its capabilities bring nothing that is not pinned itself. */
function judgeIntroduction(parcel: Parcel, trust: Trust): Verdict | Promise<Verdict> {
  const said = introducedIn(parcel.body)
  if (said.length === 0) return pass
  return trust.judgeIntroduction(parcel.server, said).then((held) => {
    const findings = findingsOf(parcel, held)
    const [instructions, about] = [held.has('instructions'), held.has('about')]
    if (!instructions && !about) return { kind: 'pass', findings }
    return { kind: 'redact', body: withoutWords(parcel.body, { instructions, about }), findings }
  })
}

const omitted = (parcel: Parcel, held: Held): Verdict =>
  held.size === 0 ? pass : { kind: 'omit', names: new Set(held.keys()), findings: findingsOf(parcel, held) }

function findingsOf({ server }: Parcel, held: Held): readonly Finding[] {
  return (['changed', 'revoked', 'new'] as const).flatMap((why) => {
    const some = [...held].filter(([, one]) => one.why === why)
    if (some.length === 0) return []
    const named = some.slice(0, namedMax).map(([name, { says }]) => `${printable(name)} (${says})`)
    const more = some.length > namedMax ? `, and ${some.length - namedMax} more` : ''
    return [finding(`trust/${why}`, `kept back of server "${server}": ${named.join(', ')}${more}`)]
  })
}

const finding = (rule: string, evidence: string): Finding => ({
  rule,
  severity: rule === 'trust/changed' || rule === 'trust/server' ? 'high' : 'medium',
  evidence,
  owasp: 'MCP03',
  requirement: 'INJ-C8',
})

function block(parcel: Parcel, code: Code, standing: Fallen, { config, lookWith }: TrustGuardOptions): Verdict {
  const { server, concerns, subject } = parcel
  const name = subject === undefined ? '' : printable(subject)
  const detail = standing.why === 'server' ? server : `${concerns} "${name}" of server "${server}"`
  const findings = [finding(`trust/${standing.why}`, `${detail}: ${standing.says}`)]
  const look = standing.why === 'server' ? `${lookWith} ${server}` : `${lookWith} ${server} ${shellWord(name)}`
  if (config().changed === 'hold' && (standing.why === 'changed' || standing.why === 'new'))
    return { kind: 'hold', question: `the ${detail} is not approved: ${standing.says} (${look})`, findings }
  const fix =
    code === 'DEFINITION_REVOKED'
      ? `An operator sees who decided so, and why: ${look}`
      : `An operator looks at it and decides: ${look}`
  return { kind: 'block', code, facts: { detail, cause: standing.says, ...(code !== 'NOT_LISTED' && { fix }) }, findings }
}

/** A name as it can be pasted; one that is no plain word is put in quotes, and has none inside (see printable). */
const shellWord = (name: string): string => (/^[\w.:/-]+$/.test(name) ? name : `'${name.replaceAll("'", '?')}'`)

const refused = (error: unknown): Verdict => {
  if (!(error instanceof Refusal)) throw error
  return { kind: 'block', code: error.code, facts: error.facts, findings: [] }
}
