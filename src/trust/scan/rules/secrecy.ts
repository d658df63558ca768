/** Whoever asks a model to keep something from its user has something to hide: no tool needs that to work. */
import { cyrillic } from '../confusables.ts'
import type { Family } from '../finding.ts'
import { phrases, spoken } from '../phrases.ts'

const told =
  '(?:tell|mention|inform|notify|alert|warn|disclose|reveal|report|admit|confess|confide|divulge|hint|discuss|telling|mentioning|informing|notifying|alerting|disclosing|revealing|reporting|discussing)'

const conceal = phrases(
  String.raw`\b<not> (?:ever |also |explicitly |directly )?(?:${told})\b~\b<user>`,
  String.raw`\b<user> (?:should|must|may|can|need|will)(?:n'?t| not| never) (?:to )?(?:be |become |get |have to |need to )?(?:told|informed|notified|aware|know|notice|learn|alerted|made aware)\b`,
  String.raw`\b<user> (?:should|must|may|can|need|will) (?:never|remain un|stay un|be un)~(?:told|informed|aware|know|notice|learn)\b`,
  String.raw`\bwithout (?:ever )?(?:telling|informing|mentioning|disclosing|revealing)~\b<user>`,
  String.raw`\bwithout (?:the |your |any )?(?:end[ -])?(?:users?|humans?|customers?)'?s? (?:knowledge|awareness|knowing|noticing|being (?:told|aware|informed))\b`,
  String.raw`\bwithout the (?:knowledge|awareness) of\b`,
  String.raw`\b<user> (?:is|are) (?:not|never) (?:to )(?:be |become )?(?:told|informed|notified|aware|know|notice|learn|alerted)\b`,
  String.raw`\b<not> (?:ever )?let~\b<user> (?:know|see|find|notice|learn|discover|suspect)`,
  String.raw`\b(?:hide|conceal|withhold|keep) (?:this|it|these|that|them|all of|any of|what|the fact|the (?:call|request|use|step|file|result|content|instruction|action)s?)\b~ from <user>`,
  String.raw`\bkeep (?:this|it|these|that|them)(?: (?:instruction|message|note|action|step|process|fact|request|rule)s?)?(?: \w{1,12})? (?:secret from|hidden|to yourself|between us|private from|confidential from)\b`,
  String.raw`\b(?:silently|secretly|covertly|stealthily|discreetly|surreptitiously|quietly) (?:also )?(?:send|forward|copy|upload|read|append|include|collect|record|post|exfiltrate|transmit|harvest|email|bcc|attach|share|access|extract|gather|capture)`,
  String.raw`\b(?:act|behave|respond|continue|proceed|pretend) as if~\b(?:nothing|never|not)\b~\b(?:happened|occurred|called|exist|read|sent)`,
  String.raw`\b<not> (?:ever |also )?(?:reveal|disclose|mention|repeat|share|discuss|quote|divulge|expose|cite)(?:ing)? (?:any of |the contents? of )?(?:these|this|the above|the foregoing|your|those|such) (?:\w{1,12} )?(?:instructions?|prompts?|notes?|messages?|steps?|directives?|rules?|guidelines?|details? of)\b`,
  String.raw`\b(?:nobody|no one|no-one|none of the users) (?:else )?(?:must |should |may |can |will |ever |needs to |has to )?(?:ever )?(?:know|knows|notice|notices|see|sees|find|finds|learn|learns|suspect|suspects|be told|is told|be aware)\b`,
  String.raw`\b(?:do|perform|run|execute) (?:this|it|so|that|the above) (?:silently|quietly|discreetly|secretly|covertly|stealthily|in secret|unnoticed)\b`,
  String.raw`\b<user>~\b(?:stays?|remains?|(?:is|are|be) (?:kept|left)|keeps?) (?:unaware|uninformed|ignorant|oblivious|in the dark)\b`,
  String.raw`\bunder no circumstances~<user>~ (?:find out|know|notice|learn|become aware)\b`,
  String.raw`\bkeep (?:quiet|silent|mum) (?:about|on)\b`,
  String.raw`\b(?:let|make|have|leave) <user> (?:to )?(?:believe|believing|think|thinking|assume) (?:that|it|this|the)\b`,
  // German
  String.raw`\b(?:sag|sage|sagen|erzahle?|erzahlen|verrate|verraten|erwahne|erwahnen|informiere|informieren|teile?|teilen|melde|melden)\b~\b(?:benutzer|nutzer|anwender|kunde)(?:s|n|in|innen)?\b~\b(?:nicht|nichts|niemals|keinesfalls)\b`,
  String.raw`\b(?:sag|sage|sagen|erzahle?|erzahlen|verrate|verraten|erwahne|erwahnen)\b~\b(?:nicht|nichts|niemals)\b~\b(?:benutzer|nutzer|anwender|kunde)`,
  String.raw`\b(?:benutzer|nutzer|anwender|kunde)(?:n|in|innen)? (?:darf|durfen|soll|sollen|muss) (?:davon |hiervon )?(?:nichts?|nie|niemals) ~\b(?:erfahren|wissen|merken|mitbekommen)`,
  String.raw`\bohne (?:das )?wissen (?:des|der) (?:benutzer|nutzer|anwender|kunde)`,
  // French
  String.raw`\bn(?:e |')(?:le |lui |leur |l'|en |les )?(?:dis|dites|mentionne|mentionnez|informe|informez|revele|revelez|parle|parlez|previens|prevenez|avertis|avertissez|signale|signalez)\b~\b(?:pas|rien|jamais)\b~\b(?:utilisateur|utilisatrice|usager|client)`,
  String.raw`\bsans (?:en |le |lui |l'en )?(?:informer|prevenir|avertir|dire)~\b(?:utilisateur|usager|client)`,
  String.raw`\ba l'insu (?:de|du|des)\b`,
  // Spanish
  String.raw`\bno (?:se )?(?:le |lo |les |la )?(?:digas?|menciones?|informes?|reveles?|avises?|cuentes?|notifiques?|comuniques?)\b~\b(?:usuari[oa]|cliente)`,
  String.raw`\bsin (?:informar|avisar|decir|decirle|notificar|mencionar)~\b(?:usuari[oa]|cliente)`,
  String.raw`\ba espaldas (?:del|de la|de los) (?:usuari|client)`,
  // Russian; a capital `Н` is read as `h`
  cyrillic(
    '(?:не|hе) (?:говори|сообщай|рассказывай|упоминай|раскрывай|информируй|уведомляй|показывай|предупреждай)(?:те)?[^.!?\u2029]{0,30}(?:пользовател|клиент|никому)',
  ),
  cyrillic(
    '(?:пользовател|клиент)(?:ь|и|ю|ям|у|ы)? (?:не|ничего не|об этом не) (?:долж|следует|нужно)[^.!?\u2029]{0,20}(?:знать|узнать|сообщать|говорить|видеть|замет)',
  ),
  // Japanese
  '(?:ユーザー?|利用者|使用者|お客様|顧客)[^。\u2029]{0,20}(?:伝え|知らせ|言わ|言っ|話さ|話し|明かさ|明かし|教え|通知し|報告し|気付か|気づか|漏らさ)[^。\u2029]{0,3}(?:ない|ず|いけな|いけま|なら|禁止|だめ|ダメ)',
  '(?:ユーザー?|利用者|使用者|お客様|顧客)(?:には?|に対して)(?:秘密|内緒|黙って|内密)',
  // Chinese
  '(?:不要|不得|不能|不可|不应|不應|禁止|切勿|请勿|請勿|别|別|勿|无需|不必|绝不|絕不)[^。\u2029]{0,8}(?:告诉|告訴|告知|通知|提及|透露|说明|說明|提醒|泄露)[^。\u2029]{0,8}(?:用户|用戶|使用者|客户|客戶|任何人)',
  '(?:不要|不得|不能|不可|不应|不應|禁止|切勿|请勿|請勿|别|別|勿|无需|不必)(?:向|对|對|跟|让|讓)(?:用户|用戶|使用者|客户|客戶|任何人)[^。\u2029]{0,6}(?:透露|提及|提到|说|說|知道|知晓|报告|發現|发现)',
  '(?:对|對|向)(?:用户|用戶|使用者|客户)(?:保密|隐瞒|隱瞞)|(?:瞒着|瞞著|背着)(?:用户|用戶|使用者|客户)',
)

/** Said of output that is ugly as well as of what is to be hidden. */
const withhold = phrases(
  String.raw`\bno (?:need|reason) to (?:mention|raise|discuss|report|disclose|bring) (?:this|it|that)\b`,
  String.raw`\b(?:mentioning|discussing|explaining|disclosing) (?:this|it|that) (?:would|will|may|might|could)\b`,
  String.raw`\b<not> (?:ever |also |explicitly |directly )?(?:show|display|expose|ask|bother|print|share|explain)\b~\b(?:to |with )?<user>`,
  String.raw`\bwithout (?:asking|notifying|alerting|confirming|consulting|confirmation|approval|permission|consent)~\b<user>`,
  String.raw`\b<not>~\bimplementation details?\b|\bimplementation details?\b~\b(?:<not>|irrelevant|not relevant|will (?:only )?(?:confuse|worry|upset))`,
  String.raw`\b(?:confuse|worry|upset|alarm|scare|bother)s? (?:the )?(?:user|customer|human)s?\b`,
  String.raw`\b(?:secretly|covertly|stealthily|surreptitiously|clandestinely)\b`,
)

export const secrecy: Family = {
  rows: {
    'trust/secrecy': {
      severity: 'high',
      says: 'asks the model to keep something from its user',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/withholding': {
      severity: 'medium',
      says: 'asks the model not to show or ask its user something',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
  },
  *ofText(leaf) {
    yield* spoken(leaf, conceal, 'trust/secrecy')
    yield* spoken(leaf, withhold, 'trust/withholding')
  },
}
