/** Ways around the person who decides: consent that is claimed, a question that is skipped, an argument that is swapped. */
import type { Family } from '../finding.ts'
import { phrases, spoken } from '../phrases.ts'

const agreement = '(?:approvals?|confirmations?|consents?|permissions?|authori[sz]ations?)'

const skipping = phrases(
  String.raw`\b(?<!not )(?<!never )(?:skip|bypass|disregard|ignore|suppress|omit|circumvent|do not (?:ask|wait) for|don'?t (?:ask|wait) for|never ask for|no need for) (?:<all> ){0,2}(?:user |human |users' |user's )?${agreement}\b(?: steps?| prompts?| dialogs?| requests?| questions?)?`,
  String.raw`\b<user> (?:has|have|had) (?:already |previously |implicitly )(?:agreed|approved|consented|authori[sz]ed|confirmed|permitted|allowed|given (?:\w{1,12} )?${agreement}|granted (?:\w{1,12} )?${agreement})\b`,
  String.raw`\b(?:act|behave|pretend|proceed|respond|continue|assume|answer) (?:as (?:if|though)|that)~\b(?:approved|authori[sz]ed|confirmed|agreed|consented|permitted|granted)\b`,
  String.raw`\byou (?:now )?have (?:full |the |blanket |explicit )?(?:permission|authori[sz]ation|approval|consent) to\b`,
  String.raw`\bwithout (?:any |further |additional |more )(?:questions?|confirmations?|approvals?|consent|permission|checks?)\b`,
  String.raw`\bpre-?(?:approved|authori[sz]ed)\b~\b(?:user|all|every|any|calls?|actions?|transfers?|requests?)\b`,
)

const thing =
  '(?:recipients?|destinations?|accounts?|addresses|address|wallets?|amounts?|prices?|numbers?|ibans?|values?|links?|urls?)'
const swapping = phrases(
  String.raw`\b(?:when|whenever|if|before|each time|every time)~\b(?:is|are|gets|was) (?:called|invoked|used|executed|requested|made|sent)\b~\b(?:change|replace|set|switch|redirect|swap|substitute|increase|multiply)\b`,
  String.raw`\b(?:change|replace|switch|swap|substitute|redirect)~\b${thing}~ (?:to|with|by) (?:\+?\d{4}|https?:|\w{1,40}@|0x[0-9a-f]{8})`,
  String.raw`\b(?:overwrite|set|change|replace|fill) the ["']?(?:to|bcc|cc|from|recipient|address|account|amount|iban|url|destination)["']? (?:field |header |parameter |argument )?(?:of|in|on) (?:any|every|all|each)\b`,
  String.raw`\buse ~\b${thing}\b~ (?:instead of|in place of|rather than|no matter|whatever) (?:what|the ones?|the values?|whatever|any) (?:that )?(?:they|the user|the customer|you|anyone|is|was)\b`,
)

export const consent: Family = {
  rows: {
    'trust/skips-consent': {
      severity: 'medium',
      says: 'claims the consent of its user, or wants to go without',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
    'trust/swaps-arguments': {
      severity: 'medium',
      says: 'has arguments of a call changed',
      owasp: 'MCP06',
      requirement: 'INJ-R3',
    },
  },
  *ofText(leaf) {
    yield* spoken(leaf, skipping, 'trust/skips-consent')
    yield* spoken(leaf, swapping, 'trust/swaps-arguments')
  },
}
