/**
 * Mistakes that servers and gateways of MCP keep making, one function each (MCP 2026-07-28, Security Best Practices). A rule looks
 * for the mistake itself, a value that flows where it must not, and not for words that go with it: what is merely unusual is silent.
 */
import { argumentsOf, followed, type Span, textOf, uses } from './statics-flow.ts'
import { outermost, type SourceFunction } from './statics-functions.ts'
import { closing, type Language, type Token } from './statics-tokens.ts'

export interface Source {
  readonly language: Language
  readonly tokens: readonly Token[]
  readonly functions: readonly SourceFunction[]
  /** With the parameters that a model fills. */
  readonly handlers: readonly SourceFunction[]
  /** What a name of this file is from: `exec` → `node:child_process exec`. */
  readonly imports: ReadonlyMap<string, string>
}
export interface Hit {
  /** A token. */
  readonly at: number
  readonly says: string
}
export type Rule = (source: Source) => readonly Hit[]

const at = (tokens: readonly Token[], place: number): string => tokens[place]?.text ?? ''
const isCall = (tokens: readonly Token[], place: number): boolean =>
  tokens[place]?.kind === 'name' && at(tokens, place + 1) === '('

/** `a.b.c` that ends at `place`, as a text; and where it begins. */
function chainTo(tokens: readonly Token[], place: number): { readonly chain: string; readonly from: number } {
  let from = place
  while (from >= 2 && /^(\.|\?\.)$/.test(at(tokens, from - 1)) && tokens[from - 2]?.kind === 'name') from -= 2
  // Of something without a name, as in `/x/.exec(…)`, it is no function of this name.
  const owner = /^(\.|\?\.)$/.test(at(tokens, from - 1)) ? '?.' : ''
  return { chain: owner + textOf(tokens, { from, to: place + 1 }).replace(/ \?\. | \. /g, '.'), from }
}

/** What a call is of, with the names of imports spelled out: `node:child_process.exec`. */
function calleeAt({ tokens, imports }: Source, place: number): string {
  const { chain } = chainTo(tokens, place)
  const [first = '', ...rest] = chain.split('.')
  const origin = imports.get(first)
  return origin === undefined ? chain : [...origin.split(' '), ...rest].join('.')
}

const shells = /^(?:node:)?child_process\.(?:default\.)?(?:exec|execSync)$|^shelljs\.(?:default\.)?exec$/
const evaluators = /^(?:eval|Function|vm\.run\w+|node:vm\.run\w+|node:vm\.Script|vm\.Script)$/
const pythonShells = /^(?:os\.(?:system|popen)|commands\.getoutput|subprocess\.(?:getoutput|getstatusoutput))$/
const pythonEvaluators = /^(?:eval|exec|builtins\.eval|builtins\.exec)$/
const pythonRunners = /^(?:subprocess\.(?:run|call|check_call|check_output|Popen)|asyncio\.create_subprocess_shell)$/
const spawners = /^(?:node:)?child_process\.(?:default\.)?(?:spawn|spawnSync|execFile|execFileSync|fork)$/

const isShellOn = (tokens: readonly Token[], { from, to }: Span): boolean => {
  for (let place = from; place < to; place++)
    if (
      at(tokens, place) === 'shell' &&
      /^[:=]$/.test(at(tokens, place + 1)) &&
      /^(true|True|text)$/.test(tokens[place + 2]?.kind === 'text' ? 'text' : at(tokens, place + 2))
    )
      return true
  return false
}

/** Arguments of a tool are what a model wrote, and a model writes what others told it to. */
export const commandOfArguments: Rule = (source) => {
  const { tokens, handlers, language } = source
  return handlers.flatMap(({ parameters, body }) => {
    const held = followed(tokens, body, new Set(parameters), language)
    const hits: Hit[] = []
    for (let place = body.from; place < body.to; place++) {
      if (!isCall(tokens, place)) continue
      const callee = calleeAt(source, place)
      const span = { from: place + 2, to: closing(tokens, place + 1) }
      const [first] = argumentsOf(tokens, place + 1)
      const isShell =
        language === 'python' ? pythonShells.test(callee) || callee === 'asyncio.create_subprocess_shell' : shells.test(callee)
      const isEvaluator = language === 'python' ? pythonEvaluators.test(callee) : evaluators.test(callee)
      if ((isShell || isEvaluator) && first !== undefined && uses(tokens, first, held))
        hits.push({
          at: place,
          says: isShell ? `arguments of a tool go into a shell (${callee})` : `arguments of a tool are run as code (${callee})`,
        })
      else if ((pythonRunners.test(callee) || spawners.test(callee)) && isShellOn(tokens, span) && uses(tokens, span, held))
        hits.push({ at: place, says: `arguments of a tool go into a shell (${callee}, with shell)` })
    }
    return hits
  })
}

/** A shell for a command that is put together, wherever it is. */
export const shellForBuiltCommand: Rule = (source) => {
  const { tokens, language } = source
  const runs = language === 'python' ? pythonRunners : spawners
  return tokens.flatMap((token, place): Hit[] => {
    if (token.kind !== 'name' || at(tokens, place + 1) !== '(') return []
    const callee = calleeAt(source, place)
    const span = { from: place + 2, to: closing(tokens, place + 1) }
    if (!runs.test(callee) || !isShellOn(tokens, span)) return []
    const [first] = argumentsOf(tokens, place + 1)
    const isFixed =
      first === undefined ||
      tokens.slice(first.from, first.to).every(({ kind, text }) => kind === 'text' || /^[[\],+]$/.test(text))
    return isFixed ? [] : [{ at: place, says: `${callee} runs a command that is put together in a shell` }]
  })
}

const authorization = /^authorization$/i
/** Names of what comes in: a request, its headers, what middleware made of them. */
const incoming = /(?:^|\.)(?:req|request|ctx\.req|ctx\.request|c\.req|event|extra\.requestInfo|requestInfo|scope)(?:\.|$)/

/** Where the token that a client came with is taken from. */
function clientTokens(source: Source, { from, to }: Span): readonly number[] {
  const { tokens } = source
  const found: number[] = []
  for (let place = from; place < to; place++) {
    const token = tokens[place] as Token
    const isMember = token.kind === 'name' && authorization.test(token.text) && /^(\.|\?\.)$/.test(at(tokens, place - 1))
    const isKey = token.kind === 'text' && authorization.test(token.text) && /^[[(]$/.test(at(tokens, place - 1))
    if (isMember || isKey) {
      const end = isMember ? place : place - 2
      const before = at(tokens, end) === '?.' ? end - 1 : end
      if (incoming.test(`${chainTo(tokens, before).chain}.`)) found.push(place)
    }
    if (token.kind !== 'name') continue
    const { chain } = chainTo(tokens, place)
    if (/(?:^|\.)(?:authInfo|auth)\.token$/.test(chain) && at(tokens, place + 1) !== '=') found.push(place)
    if (/^(?:get_access_token|get_http_headers)$/.test(token.text) && at(tokens, place + 1) === '(') found.push(place)
  }
  return found
}

const requesters =
  /^(?:fetch|node-fetch\.default|undici\.(?:fetch|request)|axios(?:\.default)?(?:\.(?:get|post|put|patch|delete|request|create))?|got(?:\.default)?(?:\.(?:get|post|put|patch|delete))?|ky(?:\.default)?(?:\.\w+)?|superagent\.\w+|(?:node:)?https?\.request|requests\.(?:get|post|put|patch|delete|request)|httpx\.(?:get|post|put|patch|delete|request|AsyncClient|Client)|aiohttp\.ClientSession)$/
/** Methods of a client that somebody made before: `client.get(…)`. */
const clientMethods = /^(?:\w*(?:client|session|http|api|axios)\w*)\.(?:get|post|put|patch|delete|request|fetch)$/i
/** Whom one may ask about a token with that token. */
const issuers = /introspect|userinfo|\/revoke|tokeninfo|oidc|openid/i

/** TPT: the token of a client is for us; whoever sends it on makes every check of the next server worthless. */
export const tokenPassedOn: Rule = (source) => {
  const { tokens, functions, language } = source
  const seen = new Set<number>()
  return outermost(functions).flatMap(({ body }) => {
    const places = clientTokens(source, body)
    if (places.length === 0) return []
    const held = namesOfValues(tokens, places, body, language)
    const hits: Hit[] = []
    for (let place = body.from; place < body.to; place++) {
      if (!isCall(tokens, place) || seen.has(place)) continue
      const callee = calleeAt(source, place)
      if (!requesters.test(callee) && !clientMethods.test(callee)) continue
      const close = closing(tokens, place + 1)
      const span = { from: place + 2, to: close }
      const header = headerValue(tokens, span, held)
      const isDirect = places.some((one) => header !== undefined && one >= header.from && one < header.to)
      if (header === undefined || issuers.test(textOf(tokens, span))) continue
      if (isDirect || uses(tokens, header, held)) {
        seen.add(place)
        hits.push({ at: place, says: `the token that a client came with is sent on to another server (${callee})` })
      }
    }
    return hits
  })
}

/** Names that are given one of the values, and what follows from them. */
function namesOfValues(tokens: readonly Token[], places: readonly number[], body: Span, language: Language): ReadonlySet<string> {
  const first = new Set<string>()
  for (const place of places)
    for (let back = place; back > body.from && back > place - 40; back--) {
      const { text, kind, indent } = tokens[back] as Token
      if (kind === 'sign' && text === '=') {
        const name = tokens[back - 1]
        if (name?.kind === 'name') first.add(name.text)
        break
      }
      if (kind === 'sign' && /^[;{}]$/.test(text)) break
      if (indent !== undefined && language === 'python') break
    }
  return first.size === 0 ? first : followed(tokens, body, first, language)
}

/** The value of `Authorization` in the arguments of a call; or a name that holds the headers whole. */
function headerValue(tokens: readonly Token[], { from, to }: Span, held: ReadonlySet<string>): Span | undefined {
  for (let place = from; place < to; place++) {
    const { text } = tokens[place] as Token
    if (authorization.test(text) && at(tokens, place + 1) === ':') return { from: place + 2, to: valueEnd(tokens, place + 2, to) }
    if (text === 'headers' && /^[:=]$/.test(at(tokens, place + 1))) {
      const value = { from: place + 2, to: valueEnd(tokens, place + 2, to) }
      const isWhole = value.to - value.from <= 5 && /(?:^|\. )(?:req|request)(?: \. \w+)* \. headers$/.test(textOf(tokens, value))
      if (isWhole || (value.to - value.from === 1 && held.has(at(tokens, value.from)))) return value
    }
  }
  return undefined
}

function valueEnd(tokens: readonly Token[], from: number, to: number): number {
  for (let place = from; place < to; place++) {
    const { kind, text } = tokens[place] as Token
    if (kind !== 'sign') continue
    if (/^(\(|\[|\{|\$\{)$/.test(text)) place = closing(tokens, place, to)
    else if (/^[,)}\]]$/.test(text)) return place
  }
  return to
}

/** The headers of the request, whole: with everything that is in them. */
export const headersPassedOn: Rule = (source) => {
  const { tokens } = source
  return tokens.flatMap((token, place): Hit[] => {
    if (
      token.kind !== 'name' ||
      at(tokens, place + 1) !== '(' ||
      !(requesters.test(calleeAt(source, place)) || clientMethods.test(calleeAt(source, place)))
    )
      return []
    const close = closing(tokens, place + 1)
    for (let inside = place + 2; inside < close; inside++) {
      if (at(tokens, inside) !== 'headers' || !/^[:=]$/.test(at(tokens, inside + 1))) continue
      const value = textOf(tokens, { from: inside + 2, to: valueEnd(tokens, inside + 2, close) })
      if (
        /^(?:\{ \.\.\. )?(?:req|request|ctx \. req(?:uest)?|c \. req) \. (?:raw \. )?headers(?: ,? ?\})?$|^dict \( request \. headers \)$/.test(
          value,
        )
      )
        return [{ at: place, says: 'the headers of a client are sent on whole, with its token' }]
    }
    return []
  })
}

const javascriptVerifiers =
  /^(?:jsonwebtoken\.(?:default\.)?verify|jose\.jwtVerify|fast-jwt\.createVerifier|express-jwt\.expressjwt|jsonwebtoken\.verify)$/
const pythonVerifiers = /^(?:jwt\.decode|jose\.jwt\.decode|authlib\.jose\.jwt\.decode)$/

/** A token for somebody else is none for us, whoever signed it (RFC 8707; RFC 9068, section 4). */
export const audienceNotChecked: Rule = (source) => {
  const { tokens, language } = source
  const verifiers = language === 'python' ? pythonVerifiers : javascriptVerifiers
  const looksAtAudience = tokens.some(
    ({ kind, text }, place) =>
      /^(?:aud|audience|audiences)$/.test(text) && (kind === 'name' || kind === 'text') && isRead(tokens, place),
  )
  return tokens.flatMap((token, place): Hit[] => {
    if (token.kind !== 'name' || at(tokens, place + 1) !== '(') return []
    const callee = calleeAt(source, place)
    if (!verifiers.test(callee)) return []
    const span = { from: place + 2, to: closing(tokens, place + 1) }
    const said = textOf(tokens, span)
    // A proof of possession (RFC 9449) has no audience.
    if (/dpop/i.test(said)) return []
    if (/verify_aud\W{1,4}False|verify_signature\W{1,4}False/.test(said) && !looksAtAudience)
      return [
        { at: place, says: `${callee} is told not to check ${/verify_signature/.test(said) ? 'the signature' : 'the audience'}` },
      ]
    if (/\baudience\b|\baud\b|\ballowedAud\b/.test(said) || looksAtAudience) return []
    const given = argumentsOf(tokens, place + 1)
    const options = given[2]
    const isOpaque =
      options !== undefined &&
      tokens
        .slice(options.from, options.to)
        .some(({ kind, text }, index, all) => kind === 'name' && all.length <= 3 && text !== 'algorithms' && index === 0)
    if (isOpaque && language === 'javascript') return []
    if (said.includes('** ')) return []
    return [{ at: place, says: `${callee} accepts a token for any audience` }]
  })
}

/** Compared, or read from claims: not only named as an option. */
const isRead = (tokens: readonly Token[], place: number): boolean =>
  /^(\.|\?\.|\[|\()$/.test(at(tokens, place - 1)) && !/^[:=]$/.test(at(tokens, place + 1))

const decoders =
  /^(?:jsonwebtoken\.(?:default\.)?decode|jose\.decodeJwt|jwt-decode\.(?:default|jwtDecode)|jwt\.get_unverified_claims|jose\.jwt\.get_unverified_claims)$/
const anyVerifier =
  /^(?:verify|jwtVerify|verifyAccessToken|introspect|createVerifier|verifyJwt|verify_token|introspect_token|validateToken)$/

/** What is only decoded was written by anybody. */
export const decodedNotVerified: Rule = (source) => {
  const { tokens } = source
  if (tokens.some(({ kind, text }, place) => kind === 'name' && anyVerifier.test(text) && at(tokens, place + 1) === '('))
    return []
  return tokens.flatMap((token, place): Hit[] =>
    token.kind === 'name' && at(tokens, place + 1) === '(' && decoders.test(calleeAt(source, place))
      ? [{ at: place, says: `${calleeAt(source, place)} reads a token that nobody has verified` }]
      : [],
  )
}

const sessionName = /^(?:sessionId|session_id|mcpSessionId|mcp_session_id|sid)$/
const identityMember =
  /^(?:user|userId|user_id|principal|account|accountId|role|roles|isAdmin|is_admin|tenant|tenantId|scopes|permissions|email)$/
const authenticates =
  /^(?:authorization|Authorization|requireBearerAuth|verifyAccessToken|authInfo|jwtVerify|verify|passport|introspect|verify_token|require_auth|login_required|get_access_token|bearer|isAuthenticated|authenticate)$/

/** "MCP Servers MUST NOT use sessions for authentication" (2025-11-25, Security Best Practices, Session Hijacking). */
export const sessionForAuthentication: Rule = (source) => {
  const { tokens, functions } = source
  return outermost(functions).flatMap(({ body }): Hit[] => {
    const inside = tokens.slice(body.from, body.to)
    const takesId = inside.some(
      ({ kind, text }) => (kind === 'name' && sessionName.test(text)) || (kind === 'text' && /^mcp-session-id$/i.test(text)),
    )
    if (!takesId || inside.some(({ text }) => authenticates.test(text))) return []
    for (let place = body.from; place < body.to; place++) {
      const isLookup =
        (at(tokens, place) === '[' &&
          tokens[place - 1]?.kind === 'name' &&
          sessionName.test(at(tokens, place + 1)) &&
          at(tokens, place + 2) === ']') ||
        (/^get$/.test(at(tokens, place)) && at(tokens, place + 1) === '(' && sessionName.test(at(tokens, place + 2)))
      if (!isLookup) continue
      const close = closing(tokens, at(tokens, place) === '[' ? place : place + 1)
      const member = /^(\.|\?\.)$/.test(at(tokens, close + 1))
        ? at(tokens, close + 2)
        : /^(\[|\?\.)$/.test(at(tokens, close + 1))
          ? at(tokens, close + 2)
          : ''
      const target = assignedBefore(tokens, place, body.from)
      if (identityMember.test(member) || identityMember.test(target))
        return [{ at: place, says: 'who somebody is follows from a session id alone; whoever learns it is that person' }]
    }
    return []
  })
}

/** The name that the statement with the lookup gives a value: `user = sessions[id]`, `req.user = …`. */
function assignedBefore(tokens: readonly Token[], place: number, from: number): string {
  for (let back = place; back > Math.max(from, place - 12); back--)
    if (at(tokens, back) === '=' && tokens[back - 1]?.kind === 'name') return at(tokens, back - 1)
  return ''
}

const guessable =
  /^(?:Math\.random|Date\.now|performance\.now|random\.(?:random|randint|choice|choices|getrandbits|randrange)|time\.time)$/

/** A session id that can be guessed is one that everybody has (2025-11-25, Transports, Session Management). */
export const guessableSession: Rule = (source) => {
  const { tokens, language } = source
  return tokens.flatMap((token, place): Hit[] => {
    if (token.kind !== 'name' || at(tokens, place + 1) !== '(' || !guessable.test(calleeAt(source, place))) return []
    for (let back = place; back > Math.max(0, place - 25); back--) {
      const { text, kind, indent } = tokens[back] as Token
      if (/^(?:;|const|let|var|return|function)$/.test(text)) return []
      if (
        kind === 'name' &&
        /^(?:sessionIdGenerator|sessionId|session_id|newSessionId|generateSessionId|mcpSessionId)$/.test(text) &&
        /^[:=(]$/.test(at(tokens, back + 1))
      )
        return [{ at: place, says: `a session id is made with ${calleeAt(source, place)}, which can be guessed` }]
      if (language === 'python' && indent !== undefined) return []
    }
    return []
  })
}
