/** Places where a machine keeps secrets. A tool that manages them names them; any other has no reason to. */
import { cyrillic } from '../confusables.ts'
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { matches, phrases, spoken } from '../phrases.ts'

/** A home directory, in the spellings of shells. */
const home = String.raw`(?:\x7e|\$home|\$\{home\}|%userprofile%|%appdata%|/root|/home/[\w.-]{1,32}|/users/[\w.-]{1,32}|[a-z]:\\users\\[\w.-]{1,32})[/\\]{1,2}`

const places = [
  String.raw`${home}\.(?:ssh|gnupg|aws|azure|kube|docker|netrc|npmrc|pypirc|pgpass|git-credentials|cursor|claude|codeium|gemini|vault-token|password-store|bash_history|zsh_history|config[/\\](?:gcloud|gh|google-chrome|chromium|claude)|mozilla|electrum|bitcoin|ethereum)\b`,
  String.raw`(?:\b|/)id_(?:rsa|ed25519|ecdsa|dsa)\b`,
  String.raw`(?:^|[^\w])\.(?:ssh|aws|gnupg|kube) (?:folder|directory)\b`,
  String.raw`/etc/(?:passwd|shadow|sudoers|ssl/private|ssh/ssh_host)\b`,
  String.raw`\.aws[/\\]{1,2}credentials\b`,
  String.raw`(?:\b|\.)(?:mcp|claude_desktop_config|mcp_settings|mcp_config|\.claude)\.json\b`,
  String.raw`\blogin data\b[^.]{0,20}(?:chrome|browser|password)|\b(?:key[34]\.db|logins\.json|cookies\.sqlite|wallet\.dat|login\.keychain|ntds\.dit)\b`,
  String.raw`/proc/(?:self|\d{1,7})/environ\b`,
  String.raw`\bservice[_-]account(?:[_-]key)?\.json\b|\bapplication_default_credentials\.json\b`,
]
const anyPlace = places.join('|')
/** Of every project one has one. */
const dotEnv = String.raw`(?:^|[\s"'(,/\\=])\.env(?:\.(?:local|production|prod|development))?(?![\w./-])`
const environment = String.raw`\bprocess\.env(?!\.(?:node_env|port|home)\b)|\bos\.environ\b|\bprintenv\b|\benvironment variables\b`

/** Before the place, in the same sentence, or as a command line says it. */
const taking =
  /\b(?:reads?|reading|opens?|loads?|access(?:es)?|fetche?s?|collects?|includes?|attach(?:es)?|sends?|pass(?:es)?|uploads?|cop(?:y|ies)|extracts?|retrieves?|gets?|provides?|steals?|dumps?|exfiltrates?|contents? of|content from|lies|lee|lis|lisez|cat|base64|curl|scp)\b[^.!?。\u2029]{0,60}$|(?:-d ?@|< ?)[^\u2029]{0,4}$|(?:読|读取|讀取)[^。\u2029]{0,20}$/
/** The same in Russian. */
const takingToo = new RegExp(
  cyrillic(String.raw`(?:прочит|прочт|читай|откро|отправ|переда|скопир|загруз|содержимое)[^.!?\u2029]{0,60}$`),
)
/** Loading `.env` is what it is for. */
const handing =
  /\b(?:collects?|attach(?:es)?|sends?|pass(?:es)?|uploads?|cop(?:y|ies)|extracts?|provides?|steals?|dumps?|exfiltrates?|contents? of|content from|cat|base64|curl|scp)\b[^.!?。\u2029]{0,60}$/
/** In Japanese the verb comes after. */
const takingAfter = /^[^.!?。\u2029]{0,16}(?:を(?:読|開|送|添付)|の(?:内容|中身))/
const beforeChars = 90

const mentioned = phrases(anyPlace, dotEnv)
/** All of the environment, and not a variable of it. */
const wholeEnvironment = phrases(
  String.raw`\b(?:dump|print|read|list|send|collect|include|return|export|steal|log|harvest)s?(?:ing)? (?:all |the |any |your |full |entire |of |contents ){0,3}(?:${environment})`,
)

function* ofText(leaf: Leaf): Generator<Mark> {
  yield* spoken(leaf, wholeEnvironment, 'trust/takes-environment')
  const { reading } = leaf
  let past = -1
  for (const { start, end } of matches(reading, mentioned, { marksMax: Number.POSITIVE_INFINITY })) {
    // `~/.ssh/id_rsa` is one place.
    const isPart = start <= past + 2 && past !== -1
    past = end
    if (isPart) continue
    const how = reading.lower.slice(start, end).includes('.env') ? handing : taking
    const before = reading.lower.slice(Math.max(0, start - beforeChars), start)
    const isTaken = how.test(before) || takingToo.test(before) || takingAfter.test(reading.lower.slice(end, end + beforeChars))
    yield { rule: isTaken ? 'trust/takes-private-file' : 'trust/private-path', leaf, ...reading.span(start, end) }
  }
}

export const privatePaths: Family = {
  rows: {
    'trust/takes-private-file': {
      severity: 'high',
      says: 'has a file of credentials read or handed over',
      owasp: 'MCP01',
      requirement: 'INJ-R3',
    },
    'trust/takes-environment': {
      severity: 'medium',
      says: 'has the environment of the machine read or handed over',
      owasp: 'MCP01',
      requirement: 'INJ-R3',
    },
    'trust/private-path': {
      severity: 'medium',
      says: 'names a place where credentials are kept',
      owasp: 'MCP01',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
