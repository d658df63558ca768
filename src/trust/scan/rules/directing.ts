/**
 * Text that directs the model instead of describing a tool. Honest servers do some of it, so most rows are medium: they say
 * where to read. What only attackers need, to be called in another tool's place, is high.
 */
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { type Match, matches, phrases, spoken } from '../phrases.ts'

/** Speaking to whoever reads, by what it is. */
const addressed = phrases(
  String.raw`\b(?:instructions?|notes?|directives?|reminders?|attention|guidance|hints?) (?:to|for) (?:the |all |any |every |other )?<model>`,
  String.raw`\b(?:attention|dear|hey|hello|listen),? (?:all )?<model>`,
  // Called by name: `AI agents: do this`.
  '(?:^|[.!?] |[\\n\\u2029])(?:all |attention )?(?:ai (?:agents?|assistants?|models?)|llms|language models|assistants|agents|chatbots|claude|chatgpt|copilot|gemini): ?[a-z]',
  String.raw`\b(?:the |any |all |every |this )?<model> (?:\w{1,12} ){0,2}(?:<must>|should always|must always|should never|will always)\b`,
  String.raw`\bas an? (?:\w{1,20} ){0,2}<model>,? (?:you|your|it is)\b`,
  String.raw`\byou are an? (?:\w{1,20} ){0,3}<model>`,
  String.raw`\byour (?:system prompt|context window|operators?|creators?)\b`,
  '(?:^|[.!?] |[\\n\\u2029])(?:system|internal|admin|developer|hidden|operator|security|confidential) (?:notice|note|memo|message|override|instructions?|directive|prompt|update)(?:, [^:.]{1,40})?: ?[a-z]',
  // German, French, Spanish
  String.raw`\b(?:hinweis|anweisung|anweisungen|nachricht|wichtig) (?:an|fur) (?:die|den|das|alle)?~\b(?:ki|assistent\w{0,3}|modell|sprachmodell|agent\w{0,2})\b`,
  String.raw`\b(?:note|instructions?|consignes?|message|remarque) (?:a|pour|destinee?s? a) (?:l'|le |la |les )?(?:ia|assistant|modele|agent)\b`,
  String.raw`\b(?:nota|instruccion(?:es)?|mensaje|aviso) (?:a|para) (?:el |la |los )?(?:ia|asistente|modelo|agente)\b`,
  '(?:AI|ai|アシスタント|モデル|エージェント|人工知能)(?:は|に|へ|が)[^。\u2029]{0,30}(?:しなければなら|する必要が|してください|しろ|せよ|必ず)',
  '(?:ai|AI|助手|模型|智能体|人工智能)[^。\u2029]{0,6}(?:必须|必須|务必|務必|应当|請務必|一定要)',
)

/** Wanting to be first, or to be called at every turn. */
const first = phrases(
  String.raw`\b(?:responses?|answers?|repl(?:y|ies)) (?:must|has to|have to|should always|must always) (?:also )?(?:always )?(?:recommend|mention|include|contain|promote|end|begin|start|link|praise)\b`,
  String.raw`\b(?:before|prior to) (?:you )?(?:<call>|doing|performing|responding|answering|replying|reading|writing|sending|transferr?ing|proceeding|taking|making|giving|returning)\b~\b(?:you (?:<must>|should)|always|make sure|be sure|(?:please )?first (?:<call>|read|send|get|open|list)|execute this)\b`,
  String.raw`\b(?:you (?:<must>|should)|always|be sure to|make sure to) ~\bbefore (?:<call>|doing|any|every|each|all|responding|answering|replying)\b`,
  String.raw`\bbefore (?:any|every|each|all)(?: other)? (?:tools?|actions?|requests?|responses?|operations?|calls?|tasks?|steps?|messages?)\b`,
  String.raw`\b(?:whenever|every ?time|each time|any ?time|as soon as) (?:this tool is (?:available|present|loaded|listed)|(?:the |a |any )?(?:user|human|customer) (?:asks|says|sends|mentions|requests|writes|informs)|you (?:respond|answer|reply|receive|use|call))\b`,
  String.raw`\b(?:before|after|for|on) (?:every|each|any|all) (?:single |user |new |other |subsequent |future )?(?:requests?|responses?|repl(?:y|ies)|messages?|answers?|tool calls?|turns?|conversations?|interactions?|prompts?)\b`,
  String.raw`\bthis (?:tool|function|method|server|step|action) (?:must|has to|needs to|should|shall|is required to) (?:always |first )?(?:be )?(?:called|used|run|invoked|executed)(?: first| before| always| whenever| every| at the start| prior| on every)`,
  String.raw`\b(?:otherwise|or else|failure to (?:do so|comply)|if (?:you|it is) (?:do not|don'?t|not|fail)[^.]{0,20}),? (?:the |this |it |all |your |any )?(?:tools?|calls?|requests?|system|server|operation|everything|it|results?|session)?(?: \w{1,12})? ?(?:will|may|cannot|won'?t|can not)? ?(?:not work|fail|break|stop|be (?:terminated|rejected|blocked|invalid|corrupted|suspended))`,
  String.raw`\b(?:this is |is )?(?:mandatory|compulsory|obligatory) (?:for|on|in|before) (?:all|any|every|each)\b`,
  String.raw`\byou must also\b`,
  // German, French, Spanish
  String.raw`\b(?:bevor|ehe) (?:du|sie|dieses|das) ~\b(?:musst|mussen|zuerst|immer|unbedingt)\b`,
  String.raw`\bvor (?:jed\w{1,2}|der verwendung|dem aufruf)\b~\b(?:musst|mussen|muss|zuerst|immer|unbedingt)\b`,
  String.raw`\bavant (?:d'utiliser|d'appeler|chaque|toute|tout|de repondre)\b~\b(?:dois|devez|doit|faut|toujours|d'abord|imperativement)\b`,
  String.raw`\bantes de (?:usar|utilizar|llamar|cada|cualquier|responder)\b~\b(?:debes?|debe|deberas?|hay que|siempre|primero)\b`,
  '(?:このツール|本ツール|他のツール|すべて|毎回|応答|回答)[^。\u2029]{0,16}(?:前に|まえに)[^。\u2029]{0,20}(?:必ず|最初に|しなければ|してください|実行|呼び出)',
  '(?:使用|调用|調用|执行|回答|回复|响应)(?:此|该|本|任何|每|其他|這個|这个)?[^。\u2029]{0,10}(?:之前|以前|前)[^。\u2029]{0,8}(?:必须|必須|务必|務必|首先|先要|一定要|请先)',
)

/** Taking the place of another tool, or routing its calls through oneself. */
const usurping = phrases(
  String.raw`\b(?:all|any|every|each) (?:\w{1,20} )?(?:calls?|requests?|uses?|invocations?|queries|messages?|traffic|data|operations?) (?:to|for|of|from|with|made)?~\b(?:must|should|shall|have to|has to|need to|needs to|are to|is to) (?:first |always )?(?:be |go |pass )?(?:\w{2,12} )?(?:through|via|to|by) (?:this|the following|our|me)\b`,
  String.raw`\b(?:never|do not|don'?t|must not|no longer|stop) (?:ever )?(?:call|use|using|calling|invoke|invoking|trust|rely on) (?:the )?(?:other|another|any other|original|real|old|built-in|native|default|official|existing)(?: \w{1,20})? (?:tools?|servers?|functions?|version)\b`,
  String.raw`\b(?:use|call|prefer|choose|select|invoke) this (?:tool|one|function|server|version)?~\band (?:never|do not|not)\b~\b(?:use|call|other|others|another)\b`,
  String.raw`\bthis (?:tool|function|server) (?:replaces|supersedes|overrides|takes precedence over|takes priority over|shadows)\b~\b(?:never|always|do not|must|any|all|other)\b`,
  String.raw`\bthis (?:tool|function|server) (?:replaces|supersedes|overrides|takes precedence over)\b[^\u2029]{0,120}\b(?:always|never|must)\b`,
)

const preferring = phrases(
  String.raw`\b(?:only|exclusively) (?:ever )?use (?:the )?tools (?:of|from|on|in) this server\b`,
  String.raw`\bthis (?:tool|function|server) (?:replaces|supersedes|overrides|takes (?:precedence|priority) over)\b`,
  String.raw`\b(?:use|call|prefer|choose|invoke) this (?:tool|one|function|server|version)?~\b(?:instead of|in place of|rather than)\b`,
  String.raw`\b(?:this|it) (?:tool |one |server |function )?is (?:by far )?(?:the )?(?:(?:single |very )?best|only|superior|number one|most (?:powerful|accurate|reliable|trusted|important|advanced|secure)) (?:tool|server|choice|option|function|method|one)\b`,
  String.raw`\b(?:better|faster|safer|superior) (?:than|to) (?:all|any|every|the) (?:other|existing|built-in|native|alternative)(?: \w{1,15})?`,
  String.raw`\bthis (?:tool|function|server|one) (?:has|takes|is given|enjoys) (?:the )?(?:highest |absolute |top |higher )?(?:priority|precedence)\b`,
  String.raw`\b(?:always|strongly) (?:prefer|choose|select|favou?r) this\b`,
)

const anyOf = [addressed, first, usurping, preferring, phrases(String.raw`\byou must\b`, String.raw`\byou should always\b`)]

function* ofText(leaf: Leaf): Generator<Mark> {
  function* marked(rule: string, found: readonly Match[]): Generator<Mark> {
    for (const { start, end } of found) yield { rule, leaf, ...leaf.reading.span(start, end) }
  }
  // What a server says to models in general is there to be said to them (MCP 2026-07-28, server/discover, "instructions").
  const isForModels = leaf.path === '/instructions'
  const [toModel, demands] = isForModels ? [[], []] : [matches(leaf.reading, addressed), matches(leaf.reading, first)]
  if (toModel.length > 0 && demands.length > 0) yield* marked('trust/directs-model', toModel.slice(0, 1))
  yield* marked('trust/addresses-model', toModel)
  yield* marked('trust/demands-first', demands)
  yield* spoken(leaf, usurping, 'trust/usurps')
  yield* spoken(leaf, preferring, 'trust/prefers-itself')
  if (leaf.role === 'prose' || leaf.text.length < 20) return
  for (const kind of anyOf) {
    const [found] = matches(leaf.reading, kind)
    if (found !== undefined)
      return yield { rule: 'trust/misplaced-instruction', leaf, ...leaf.reading.span(found.start, found.end) }
  }
}

export const directing: Family = {
  rows: {
    'trust/addresses-model': {
      severity: 'medium',
      says: 'speaks to the model instead of describing itself',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/demands-first': {
      severity: 'medium',
      says: 'demands that something be done first, or at every turn',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
    'trust/directs-model': {
      severity: 'high',
      says: 'speaks to the model and demands something of it at every turn, or first',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
    'trust/usurps': {
      severity: 'high',
      says: 'wants the calls of other tools',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
    'trust/prefers-itself': {
      severity: 'medium',
      says: 'asks to be chosen over others',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
    'trust/misplaced-instruction': {
      severity: 'high',
      says: 'gives instructions where a name or a value belongs',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
