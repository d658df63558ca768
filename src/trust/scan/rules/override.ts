/** Text that claims to outrank what the model was told: by saying so, or by looking like another speaker. */
import type { Family, Mark } from '../finding.ts'
import type { Leaf } from '../leaves.ts'
import { phrases, spoken } from '../phrases.ts'

const dismiss =
  '(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|overrul(?:e|ing)|supersed(?:e|es|ing)|set aside|pay no attention to|do not (?:follow|obey)|stop (?:following|obeying))'

const override = phrases(
  String.raw`\b${dismiss} (?:<all> ){0,3}(?:previous|prior|preceding|above|earlier|former|foregoing|system|safety|other|existing|original|initial|developer)(?: \w{1,12})? <rules>`,
  String.raw`\b${dismiss} (?:all|any|every|your|these|those|the)(?: of)?(?: your| the)? (?:instructions?|prompts?|directives?|guardrails?|safeguards?|safety \w{1,12})\b`,
  String.raw`\b${dismiss} (?:everything|anything|all|whatever)(?: that)?(?: (?:was|has been|you were|you have been|you've been|i|we|they|(?:the |your )?(?:users?|developers?|system|operators?|owner)(?: has| have)?))? (?:said|told|written|above|before|previously|learned|instructed)\b`,
  String.raw`\b(?:your|these are|here are(?: your)?|follow (?:these|the|my)) new (?:instructions?|rules|directives?|orders|objective|goal|task)\b`,
  String.raw`\b(?:these|this|the following)(?: \w{1,20})? (?:take|takes|has|have|override|overrides|supersede|supersedes)(?: precedence| priority)?(?: over)? (?:<all> ){1,3}(?:<rules>|tools?\b)`,
  String.raw`\byou are (?:now|no longer) (?:an? |in |the |bound|required|restricted|allowed|subject)`,
  String.raw`\b(?:previous|prior|preceding|above|earlier|former|foregoing|other|existing|original|initial) (?:\w{1,12} )?(?:<rules>|message)~\b(?:no longer appl(?:y|ies)|do(?:es)? not apply|don'?t apply|(?:is|are|was|were) (?:void|invalid|obsolete|outdated|cancelled|canceled|revoked|superseded|replaced|a test|only a test|suspended))\b`,
  String.raw`\b(?:treat|regard|consider|interpret|accept)~ as (?:coming|being|if (?:it|they) (?:came|were)|instructions?|commands?|orders?) (?:from|of|by) (?:the |an? )?(?:system|administrators?|admin|developers?|user|operator|owner|root)\b`,
  // German
  String.raw`\b(?:ignoriere|ignorieren sie|vergiss|vergessen sie|missachte|missachten sie|beachte nicht)\b~\b(?:alle|alles|samtliche|vorherig\w{1,2}|vorig\w{1,2}|bisherig\w{1,2}|obig\w{1,2}|fruher\w{1,3}|ander\w{1,3}|deine|ihre)\b~\b(?:anweisung|instruktion|regel|vorgabe|befehl|anordnung|richtlinie)`,
  // French
  String.raw`\b(?:ignore|ignorez|oublie|oubliez|ne (?:tiens|tenez) pas compte de|ne (?:respecte|respectez|suis|suivez) pas|fais abstraction de|faites abstraction de)\b~\b(?:toutes?|tous|precedentes?|anterieures?|autres|tes|vos|ci-dessus)\b~\b(?:instructions?|consignes?|regles?|directives?|ordres)\b`,
  String.raw`\b(?:ignore|ignorez|oublie|oubliez) (?:les |ces |tes |vos )?(?:instructions?|consignes?|directives?) (?:precedentes?|anterieures?|ci-dessus|du systeme)`,
  // Spanish
  String.raw`\b(?:ignora|ignore|ignorad|olvida|olvide|omite|descarta|desobedece)\b~\b(?:todas?|todos|cualquier|anteriores|previas|previos|tus|sus|demas|otras)\b~\b(?:instruccion|reglas?|ordenes|indicacion|directric)`,
  String.raw`\b(?:ignora|ignore|olvida|olvide) (?:las |los |esas |tus |sus )?(?:instrucciones|reglas|ordenes|indicaciones) (?:anteriores|previas|del sistema)`,
  // Japanese
  '(?:これまで|今まで|以前|上記|前述|直前|先ほど|従来|すべて|全て|全部|他|元|システム)の?[^。\u2029]{0,10}(?:指示|命令|ルール|規則|プロンプト|指令|制約)[^。\u2029]{0,4}(?:無視|忘れ|破棄|従わな)',
  // Chinese
  '(?:忽略|忽視|忽视|无视|無視|忘记|忘記|忘掉|不要理会|不要遵守|抛开|跳过|绕过)[^。\u2029]{0,8}(?:之前|以前|先前|上述|上面|以上|所有|一切|任何|其他|其它|此前|前面|系统|系統|安全)[^。\u2029]{0,6}(?:指令|指示|命令|规则|規則|提示|要求|限制|约束)',
)

/** Marks by which a chat is put together: only a program that builds one has a use for them. */
const chatMarks = phrases(
  String.raw`<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|eom_id|start_header_id|end_header_id|begin_of_text|end_of_turn|channel|message)\|>`,
  String.raw`<</?sys>>|\[/?inst\]|<(?:start|end)_of_turn>`,
)

/** Brackets and tags around a heading that speaks with another voice. */
const voice = '(?:system|admin|administrator|root|developer|ai|assistant|model|agent|llm|security|god)'
const opening = String.raw`(?:\[{1,3}|\{{2,3}|\|{2,4}|#{1,6}|={2,6}|-{3,6}|<{2,3})`
const closing = String.raw`(?:\]{1,3}|\}{2,3}|\|{2,4}|#{2,6}|={2,6}|-{3,6}|>{2,3})`
const tags = phrases(
  '</?(?:very[-_ ])?(?:important|critical|urgent|mandatory)(?:[-_ ](?:instructions?|notes?|notice|message|info|rules?))?>',
  '</?(?:secret|hidden|confidential|internal)[-_ ](?:instructions?|notes?|notice|message|info|rules?)>',
  `</?(?:system|assistant|${voice}[-_ ](?:prompt|message|instructions?|note|notice|reminder|override|directive|command|rules?))>`,
  '</?(?:instructions?|directives?|rules?)[-_ ](?:for|to)[-_ ][a-z_ -]{1,30}>',
  '</(?:tool|tools|function|functions|tool_description|description|available_tools|user|human|context|documents?)>(?=.{0,40}(?:<system|<important|system:|instruction|important|\\byou ))',
  String.raw`${opening} ?/?(?:begin |start of |start |end of |end |new |hidden |secret |internal |critical |important ){0,2}${voice}[ _-](?:prompt|message|instructions?|override|note|notice|directive|command|update|mode)s?(?: \w{1,12}){0,2} ?${closing}`,
  `${opening} ?/?(?:begin |start |end |hidden |secret |special |important |critical ){0,2}(?:instructions?|directives?|notes?|message)(?: (?:for|to))(?: the| all| any)? <model>~${closing}`,
  String.raw`\[/?system\]`,
)

/** `SYSTEM: Do this` at the beginning of a line or sentence. In capitals, since lists of arguments have a `system:` too. */
const speaker = phrases(
  String.raw`(?:^|[\n\u2029]|[^A-Z\s] )(?:CRITICAL |URGENT |IMPORTANT |NEW |MANDATORY ){0,2}(?:SYSTEM|ADMIN|ADMINISTRATOR|DEVELOPER|ROOT|ASSISTANT|SECURITY)(?: (?:NOTE|MESSAGE|PROMPT|OVERRIDE|UPDATE|NOTICE|INSTRUCTIONS?|ALERT|COMMAND|DIRECTIVE|MODE|POLICY)){0,2} ?: ?["']?[A-Z][a-z]`,
)

function* ofText(leaf: Leaf): Generator<Mark> {
  yield* spoken(leaf, override, 'trust/override')
  yield* spoken(leaf, chatMarks, 'trust/chat-marks')
  yield* spoken(leaf, tags, 'trust/prompt-tag')
  yield* spoken(leaf, speaker, 'trust/speaker', 'text')
}

export const overrides: Family = {
  rows: {
    'trust/override': {
      severity: 'high',
      says: 'tells the model to drop instructions that others gave it',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/chat-marks': {
      severity: 'critical',
      says: 'has the marks that separate speakers in a chat',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/prompt-tag': {
      severity: 'high',
      says: 'has a tag or heading that poses as another voice, such as the system',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/speaker': {
      severity: 'high',
      says: 'speaks under a name such as SYSTEM',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
  },
  ofText,
}
