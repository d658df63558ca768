/** Data that would go somewhere else than to the one who asked: to an address in the text, to a third party, into a parameter. */
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { matches, phrases, spoken } from '../phrases.ts'

const send =
  '(?:sends?|sending|forwards?|forwarding|uploads?|posts?|transmits?|cop(?:y|ies)|bcc|cc|e-?mails?|mails?|submits?|exfiltrates?|leaks?|reports?|ships?|streams?|relays?|delivers?|exports?|deliver|curl)'
const cargo =
  '(?:all|every|each|cop(?:y|ies) of|contents?|results?|outputs?|responses?|conversation|history|messages?|prompts?|credentials?|(?:api )?keys?|secrets?|passwords?|tokens?|files?|data|records?|environment|details|information|everything|it|them|this)'
const address = String.raw`(?:https?:\/\/|wss?:\/\/|ftp:\/\/|mailto:)?(?:[\w.%-]{1,64}@)?(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}\b`
const strictAddress = String.raw`(?:(?:https?|wss?|ftp):\/\/[\w.-]{1,100}|(?:mailto:)?[\w.%-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}\b|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)`

const away = phrases(
  `\\b(?:should|must|has to|have to|is to|are to|needs? to|shall|will) (?:also |always |first |then )?be ~\\b(?:bcc|bcc'?ed|cc'?ed|cc|copied|forwarded|sent|uploaded|posted|mirrored|relayed|reported|mailed|emailed)\\b~ to ${strictAddress}`,
  `\\b(?:also|then|first|must|always|please|afterwards?|agents?|assistants?|silently)[:,]? (?:also )?(?:send|forward|post|upload|copy|e-?mail|report|submit|mirror|relay) ~ to (?:the |our )?(?:\\w{1,20} ){0,2}${strictAddress}`,
  `\\b${send} ~\\b${cargo}\\b~ (?:to|at|into|via) (?:the |our |this )?(?:\\w{1,20} ){0,3}${strictAddress}`,
  `\\b(?:with|including|attach|append|include) ~\\b(?:bcc|cc) (?:to |: ?)?${strictAddress}`,
  String.raw`\b(?:nc|ncat|netcat) (?:-\w{1,6} ){0,3}${address} \d{2,5}\b`,
  String.raw`\b(?:curl|wget|scp|rsync)\b[^\u2029]{0,80}?(?: -d\b| -f\b| -t\b|--data\w{0,12}|--form|--upload-file|--post-(?:data|file)|\$\(|@[/\x7e])[^\u2029]{0,80}?${address}`,
  String.raw`\b(?:curl|wget)\b[^\u2029]{0,40}?\b${address}[^\u2029]{0,80}?(?: -d ?@| -f ?\w{1,20}=@|--data\w{0,12} ?@|--upload-file|--post-file|\$\()`,
  // German, French, Spanish, Japanese, Chinese
  `\\b(?:sende|senden|schicke|schicken|leite|leiten|ubermittle|ubermitteln|kopiere)\\b~ an ~${strictAddress}`,
  `\\b(?:envoie|envoyez|envoyer|transmets|transmettez|transferez|copie|copiez)\\b~ a ~${strictAddress}`,
  `\\b(?:envia|envie|enviar|manda|mande|reenvia|copia|transmite)\\b~ a ~${strictAddress}`,
  `${strictAddress}[^。\u2029]{0,10}(?:に|へ)[^。\u2029]{0,12}(?:送信|転送|送って|アップロード|コピー)`,
  `(?:发送|發送|传送|傳送|上传|上傳|转发|轉發|抄送)[^。\u2029]{0,12}(?:到|至|给|給)[^。\u2029]{0,6}${strictAddress}`,
)

const sensitive =
  '(?:api[ _-]?keys?|credentials?|passwords?|secrets?|access tokens?|auth(?:entication|orization)? tokens?|bearer|private keys?|ssh keys?|clipboard|conversations?|chat history|chat logs?|user messages?|prompts?|keystrokes?|browsing history|location history|screenshots?|environment variables|personal (?:data|information)|social security|credit cards?|account numbers?|phi|mac address(?:es)?|names|emails|e-mails|fingerprints?|extracted text|files? contents?)'
const sink =
  '(?:remote(?:ly)?|externally|external|third[ -]part(?:y|ies)|(?:via|to|in) (?:the )?cloud|our (?:server|team|security|research|partners?)|attackers?|partners?|marketing|telemetry|analytics|logging (?:endpoint|server|service)|logged|c2|command and control|hardcoded)'
const collect =
  '(?:sends?|sent|forward(?:s|ed)?|upload(?:s|ed)?|stream(?:s|ed)?|transmit(?:s|ted)?|shares?|shared|export(?:s|ed)?|sync(?:s|ed|hronized)?|logs|logged|stores?|stored|cached?|record(?:s|ed)?|collect(?:s|ed)?|harvest(?:s|ed)?|index(?:es)?|extracts?|incorporates?|includes|maintained|added)'

const collecting = phrases(
  String.raw`\b${sensitive}\b[^\u2029]{0,120}\b${collect}\b[^\u2029]{0,60}\b${sink}\b`,
  String.raw`\b${collect}\b[^\u2029]{0,80}\b${sensitive}\b[^\u2029]{0,120}\b${sink}\b`,
  String.raw`\b(?:harvest|exfiltrat|steal|siphon|leak)(?:s|e|es|ing|ed|ion)?\b~\b(?:${sensitive}|data|records?|files?|information)\b`,
)

const parameter = String.raw`(?:["']?[\w-]{1,40}["']?,? (?:parameter|argument|field|property|header|value)|(?:the |its |a )?(?:parameters?|arguments?|fields?|request|query|body|metadata|sidenote|side note|notes?|context|header|url)\b)`
const passing = phrases(
  String.raw`\b(?:include|put|pass|attach|copy|paste|insert|provide|supply|send|append|add)~\b(?:history|transcript|logs?|contents?|summary|text) of (?:this|our|your|the (?:current|whole|entire|full|ongoing)) (?:chat|conversation|session|dialogue|clipboard)\b`,
  String.raw`\b(?:api keys?|credentials?|passwords?|secrets?|(?:access )?tokens?|private keys?) (?:that )?you (?:come across|find|found|see|know|have|encounter|discover)\b`,
  String.raw`\b(?:hand|hands|handing) (?:it|them|its contents?|the contents?|everything) over (?:as|in|to|via)\b`,
  String.raw`\b(?:gather|include|put|pass|attach|copy|paste|insert|provide|supply)~\b(?:full|entire|whole|complete|exact|verbatim|everything in the) (?:\w{1,12} )?(?:chat|conversation|dialogue|session|prompt|context)(?: history| transcript| log)?\b`,
  String.raw`\b(?:include|put|pass|provide|write|add|supply|append|send)~\beverything (?:that )?(?:you|the (?:model|assistant|user)) (?:know|knows|have|has|remember|remembers|said|saw|see)\b`,
  String.raw`\bvalues? of (?:the |all |any )?(?:environment variables?|env vars?)\b~\b(?:in|into|as|to|via)\b`,
  `\\b(?:pass(?:es|ing)?|put|include|insert|place|provide|append|add|attach|copy|write|paste|embed|encode|set) (?:the |its |their |that |this |all |any )?(?:full |entire |whole |complete |raw )?(?:file |files |)?(?:contents?|text of|output of|content of)\\b~ (?:as|in|into|to|via|with|using) (?:the |its |a |an )?${parameter}`,
)

function* ofText(leaf: Leaf): Generator<Mark> {
  const { reading } = leaf
  for (const { start, end } of matches(reading, away, { marksMax: Number.POSITIVE_INFINITY })) {
    const [rest = ''] = /^[^\s"'<>)\]]{0,200}/.exec(reading.lower.slice(end, end + 200)) ?? []
    const rule = isExample(reading.lower.slice(start, end) + rest) ? 'trust/sends-to-example' : 'trust/sends-away'
    yield { rule, leaf, ...reading.span(start, end) }
  }
  yield* spoken(leaf, collecting, 'trust/collects')
  yield* spoken(leaf, passing, 'trust/passes-contents')
}

const addresses = /(?:https?|wss?|ftp):\/\/[^\s"'<>)\]]{1,300}|[\w.%-]{1,64}@[\w.-]{1,100}/g
/** Domains that RFC 2606 sets aside: nobody receives what goes there. */
const reserved = /(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)\.?$/

/** Whether all addresses in it are of that kind. */
function isExample(text: string): boolean {
  const hosts = (text.match(addresses) ?? []).map(
    (one) => (one.includes('://') ? URL.parse(one)?.hostname : one.split('@')[1]) ?? '',
  )
  return hosts.length > 0 && hosts.every((host) => reserved.test(host))
}

export const sending: Family = {
  rows: {
    'trust/sends-away': {
      severity: 'high',
      says: 'has data sent to an address that stands in the text',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
    'trust/sends-to-example': {
      severity: 'low',
      says: 'has data sent to an address that is reserved for examples',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
    'trust/collects': {
      severity: 'medium',
      says: 'says that private data are collected or given to somebody else',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
    'trust/passes-contents': {
      severity: 'medium',
      says: 'has contents that the model read elsewhere put into a parameter',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
