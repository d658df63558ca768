/** Parameters through which a tool would learn what it was not told: the conversation, the prompt, other tools' data. */
import type { Family, Mark, Read } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { matches, phrases, spoken } from '../phrases.ts'

/** What a parameter is called that has no other use. In snake case. */
const telling =
  /^(?:side_?notes?|(?:full_|entire_|complete_|whole_|previous_|prior_|current_|all_)?(?:conversation|chat|dialog(?:ue)?)(?:_history|_context|_log|_transcript|_summary|_so_far)?|(?:full|entire|complete|all|previous)_(?:context|history|messages|prompts?)|messages?_history|history_messages|system_?(?:prompt|message|instructions?)|(?:your|model|agent|assistant)_(?:instructions?|context|memory|thoughts|reasoning|prompt)|chain_of_thought|internal_thoughts|original_(?:user_)?(?:prompt|message)|available_tools|tools?_list|other_tools|previous_tool_(?:results?|outputs?|calls?)|llm_?model(?:_name)?|(?:calling|current)_model(?:_name)?|secret_?notes?|hidden_(?:context|data|notes?))$/

/** What its description asks for. */
const asksConversation = phrases(
  String.raw`\b(?:full|entire|complete|whole|all(?: of)?(?: the)?|exact|verbatim|raw|previous|prior|current)(?: \w{1,15}){0,2} (?:conversation|chat|dialogue|message|session|prompt|context)s?(?: history| logs?| transcript| window| so far)\b`,
  String.raw`\b(?:full|entire|complete|whole|verbatim)(?: \w{1,15}){0,2} (?:conversation|chat|dialogue|context window)\b`,
  String.raw`\b(?:everything|all|anything|whatever)(?: that)? (?:the user|you|was|we|has been)(?:'ve| have| has)? (?:said|told|wrote|written|discussed|seen|read|know|learned|asked)\b`,
  String.raw`\b(?:all|any|the) (?:previous|prior|earlier|recent|other) (?:tool (?:results?|outputs?|calls?|responses?)|messages?|user (?:inputs?|messages?))\b`,
  '(?:会話|チャット|対話)(?:の)?(?:全て|すべて|全文|全体|履歴|内容)',
  '(?:完整|全部|所有)(?:的)?(?:对话|對話|聊天|会话)(?:记录|記錄|历史|歷史|内容|內容)?',
)
const asksSecrets = phrases(
  String.raw`\b(?:your |the (?:full |entire |model'?s |assistant'?s |current )?)(?:system (?:prompt|message|instructions?)|hidden instructions|initial (?:prompt|instructions))\b`,
  String.raw`\b(?:all|any|every|the user'?s|your|available|found|known)(?: \w{1,15}){0,2} (?:api keys?|credentials?|passwords?|secrets|access tokens?|private keys?|environment variables|seed phrases?|recovery phrases?)\b~\b(?:you (?:have|know|can|find|see)|in (?:the |your )?(?:context|memory|conversation|environment|files?)|available|found|stored|accessible)\b`,
  String.raw`\b(?:a |the )?(?:list|names?|names and \w{1,14}|schemas?) of (?:all )?(?:the |your )?(?:other |available |installed |connected )?(?:\w{1,12} )?(?:tools|mcp servers|functions) (?:that )?(?:you|available to you|the (?:model|agent|assistant))\b`,
  String.raw`\b(?:full |entire |whole |complete )?(?:contents?|text) of (?:the |your |any |all |every )?(?:\w{1,15} )?(?:\.env|config(?:uration)?|credentials?|secrets?|key|private|ssh|password|token|\.ssh|id_rsa)(?: \w{1,10})? ?files?\b`,
)
const asksCaller = phrases(
  String.raw`\b(?:name|version|identity|identifier|id|type|kind) of (?:the |your )?(?:\w{1,15} ){0,3}(?:ai|llms?|models?|agents?|assistants?)(?: \w{1,10})?(?:,)? (?:that|which|who|you|making|calling|using|invoking|being used)\b`,
  String.raw`\b(?:ai|llm|model|agent|assistant) (?:\w{1,10} )?(?:that|which|who) (?:is )?(?:calls?|calling|uses?|using|invokes?|invoking|makes|making)(?: of)? (?:this|the) (?:tool|function|call|request)\b`,
  String.raw`\b(?:which|what) (?:ai |llm |language )?model (?:are you|you are|is (?:calling|being used|making))\b`,
)

/** Nobody nests a parameter deeper than this, or calls it so. */
const pathCharsMax = 500

const property = /\/(?:properties|arguments)\/([^/]+)#$/

function* ofDefinition({ leaves }: Read): Generator<Mark> {
  for (const leaf of leaves) {
    if (leaf.role !== 'key' || leaf.path.length > pathCharsMax) continue
    const isParameter = property.test(leaf.path) || /^\/arguments\/\d+\/name$/.test(leaf.path)
    if (!isParameter || leaf.path.startsWith('/outputSchema') || leaf.text.length > 60) continue
    if (telling.test(snake(leaf.text))) yield { rule: 'trust/telling-parameter', leaf, start: 0, end: leaf.text.length }
  }
}

/** `conversationHistory`, `Conversation-History` and `conversation history` are one name. */
const snake = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/[\s.-]/g, '_')
    .replace(/^_/, '')
    .toLowerCase()

function* ofText(leaf: Leaf): Generator<Mark> {
  yield* spoken(leaf, asksCaller, 'trust/asks-about-caller')
  // What a description of the whole tool says of a conversation is its subject; a parameter's is a request.
  const isParameter =
    leaf.path.length < pathCharsMax && /\/(?:properties|arguments)\/[^/]+\/(?:.*\/)?description$/.test(leaf.path)
  if (!isParameter || leaf.path.startsWith('/outputSchema')) return
  yield* spoken(leaf, asksSecrets, 'trust/asks-for-secrets')
  if (matches(leaf.reading, asksSecrets).length === 0) yield* spoken(leaf, asksConversation, 'trust/asks-for-conversation')
}

export const parameters: Family = {
  rows: {
    'trust/telling-parameter': {
      severity: 'medium',
      says: 'has a parameter whose name asks for the conversation or the prompt',
      owasp: 'MCP10',
      requirement: 'INJ-C7',
    },
    'trust/asks-for-conversation': {
      severity: 'medium',
      says: 'asks for the conversation in a parameter',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
    'trust/asks-for-secrets': {
      severity: 'high',
      says: 'asks in a parameter for secrets, files or the prompt of the model',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
    'trust/asks-about-caller': {
      severity: 'medium',
      says: 'asks which model calls it',
      owasp: 'MCP10',
      requirement: 'INJ-R3',
    },
  },
  ofDefinition,
  ofText,
}
