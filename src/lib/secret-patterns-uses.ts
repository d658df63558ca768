/** Secrets that are told by what they are used for: a login, a header, a key in a file, something that is assigned to a password. */
import { entropy, isHexDigest, isPlaceholder, isUuid, looksRandom } from './secret-patterns-shape.ts'

export interface SecretUse {
  readonly id: string
  readonly name: string
  readonly anchors: readonly string[]
  /** With a group `value`, or the whole of it. */
  readonly pattern: RegExp
  isSecret(value: string, match: RegExpMatchArray): boolean
}

const bits = (value: string): number => entropy(value)

/** What somebody typed as a password: nothing is known of it but that it is not a placeholder. */
const isTyped = (value: string): boolean =>
  value.length >= 3 &&
  !isPlaceholder(value) &&
  !/^[$<{[%*]/.test(value) &&
  !/^(?:user|pass|pw|xxx|yyy|abc|foo|bar|admin|root|postgres|guest)$/i.test(value)

function isBasic(value: string): boolean {
  const text = Buffer.from(value, 'base64').toString('latin1')
  const [, user = '', password] = /^([\x20-\x7e]*?):([\x20-\x7e]*)$/.exec(text) ?? []
  return password === undefined
    ? value.length >= 40 && bits(value) > 4
    : user.length + password.length >= 4 && !/example|^user(name)?:pass/i.test(text)
}

/** The last word before a value says what it is: `dbPassword`, `API_KEY`, `client-secret`. */
const secretWord =
  /^(?:password|passwd|pwd|passphrase|secret|secrets|token|apikey|authtoken|accesstoken|credential|credentials|creds|auth|bearer)$/
const keyBefore =
  /^(?:api|access|private|secret|auth|encryption|signing|master|account|service|admin|client|session|license|shared|storage)$/
/** With one of these it is about a secret and none itself. */
const about =
  /^(?:id|ids|name|names|file|files|path|paths|dir|url|uri|endpoint|host|type|kind|length|len|size|min|max|count|index|version|expiry|expires|ttl|timeout|format|prefix|suffix|header|field|param|audience|issuer|scope|public|pub|hash|digest|checksum|fingerprint|csrf|xsrf|code|codes|event|down|up|press|word|words|board|ring|pair|store|vault|schema|primary|foreign|bucket|sequence|bundle|policy|rule|rules|hint|placeholder|label|title|description|example|algorithm|location|ref|arn|usage|mapping|space|accessor|selector)$/i

export function isSecretName(name: string): boolean {
  const parts = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
  if (parts.some((part) => about.test(part))) return false
  return parts.some(
    (part, at) =>
      secretWord.test(part) || (part === 'key' && keyBefore.test(parts[at - 1] ?? '')) || /(?:api|secret|access)key$/.test(part),
  )
}

function isAssigned(value: string, { groups, input = '', index = 0 }: RegExpMatchArray): boolean {
  if (!isSecretName(groups?.['name'] ?? '')) return false
  if (isUuid(value) || isHexDigest(value))
    return (
      /api|secret|token|passw/i.test(groups?.['name'] ?? '') &&
      !/^\W*$/.test(value) &&
      !isWithin(input, index) &&
      !isUuid(value) &&
      bits(value) > 3
    )
  return looksRandom(value, value.length < 16 ? 2.8 : 3.3)
}

/** In a minified line names are cut short and everything stands beside everything. */
const isWithin = (text: string, index: number): boolean =>
  /[,{;]$/.test(text.slice(Math.max(0, index - 1), index)) && !/\s/.test(text.slice(Math.max(0, index - 40), index))

export const secretUses: readonly SecretUse[] = [
  {
    id: 'secret/private-key',
    name: 'private key',
    anchors: ['PRIVATE KEY', 'PRIVATE\\ KEY'],
    pattern:
      /-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----(?<value>[\s\S]{40,16000}?)(?:-----END|KEY(?: BLOCK)?-----|$)/g,
    isSecret: (value) => /[A-Za-z0-9+/=]{30}|(?:[A-Za-z0-9+/]{8}[^\n]{0,10}){5}/.test(value) && bits(value.slice(0, 2000)) > 3.5,
  },
  {
    id: 'secret/putty-key',
    name: 'private key of PuTTY',
    anchors: ['PuTTY-User-Key-File'],
    pattern: /Private-Lines: \d{1,3}\s(?<value>[A-Za-z0-9+/=\s]{40,8000})/g,
    isSecret: () => true,
  },
  {
    id: 'secret/url-password',
    name: 'password in a URL',
    anchors: ['://'],
    pattern: /\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s/:@"'`<>{}$%]{0,100}:(?<value>[^\s/@"'`<>]{3,200})@[\w.-]{1,253}/gi,
    isSecret: (value) => isTyped(value),
  },
  {
    id: 'secret/connection-string',
    name: 'password in a connection string',
    anchors: ['assword=', 'wd=', 'ASSWORD=', 'WD='],
    pattern:
      /(?:Server|Data Source|Host|Initial Catalog|Database|User Id|Uid)\s?=[^;\n"']{1,100};[^\n"']{0,300}?\b(?:Password|Pwd)\s?=\s?(?<value>[^;\s"']{3,200})/gi,
    isSecret: (value) => isTyped(value),
  },
  {
    id: 'secret/authorization-header',
    name: 'authorization header',
    anchors: ['uthorization', 'UTHORIZATION'],
    pattern:
      /\bauthorization["']?\s{0,4}[:=]\s{0,4}["']?(?:(?<scheme>bearer|basic|token|api-token|apikey|bot|negotiate)\s{1,4})?(?<value>[A-Za-z0-9._~+/=@-]{8,4096})/gi,
    isSecret: (value, { groups }) =>
      /^basic$/i.test(groups?.['scheme'] ?? '')
        ? isBasic(value)
        : isUuid(value) || looksRandom(value, value.length < 24 ? 2.8 : 3.3),
  },
  {
    id: 'secret/token-header',
    name: 'token in a header',
    anchors: ['-H', '--header'],
    pattern:
      /(?:-H|--header)[\s=]{1,3}["']?(?:[\w-]{0,40}?(?:api-?key|token|secret|auth)[\w-]{0,20}):\s{0,3}(?<value>[A-Za-z0-9._~+/=-]{8,4096})/gi,
    isSecret: (value) => isUuid(value) || looksRandom(value, 2.8),
  },
  {
    id: 'secret/curl-login',
    name: 'login on a command line',
    anchors: ['curl'],
    pattern:
      /\bcurl\b(?:[^\n|;]|(?<=\\)\n){0,400}?\s(?:-u|--user)[\s=]{0,3}(?<value>"[^"\n]{3,200}"(?::"[^"\n]{1,200}")?|'[^'\n]{3,200}'|[^\s"']{3,200}(?:'[^'\n]{1,200}')?)/g,
    isSecret: isLogin,
  },
  {
    id: 'secret/kubernetes',
    name: 'secret of Kubernetes',
    anchors: [
      'kind: Secret',
      'kind:Secret',
      'kind: "Secret"',
      "kind: 'Secret'",
      "kind: 'secret",
      'kind: secret',
      'kind: "secret',
    ],
    pattern: /\bdata:\s{1,40}[\w.-]{1,100}:\s{1,20}["']?(?<value>[A-Za-z0-9+/=]{10,8000})/g,
    isSecret: (value, { input = '', index = 0 }) =>
      /kind:\s{0,4}["']?secret/i.test(input.slice(Math.max(0, index - 600), index + 8400)) &&
      bits(value) > 2.5 &&
      !isPlaceholder(value),
  },
  {
    id: 'secret/config-password',
    name: 'password in a configuration',
    anchors: ['ClearTextPassword'],
    pattern: /key="ClearTextPassword"\s{1,20}value="(?<value>[^"\n]{3,200})"/g,
    isSecret: (value) => !/^[%$<{]/.test(value) && !isPlaceholder(value),
  },
  {
    id: 'secret/encoded-jwt',
    name: 'encoded JSON Web Token',
    anchors: ['ZXlK'],
    pattern: /(?<![A-Za-z0-9+/_-])ZXlK[A-Za-z0-9+/_-]{40,8000}={0,2}/g,
    isSecret: (value) => bits(value) > 3.5,
  },
  {
    id: 'secret/assigned',
    name: 'secret',
    anchors: ['=', ':'],
    pattern:
      /(?<![\w.-])["'`]?(?<name>[A-Za-z][\w.-]{2,80})["'`]?\s{0,8}(?:=>|:=|\?=|={1,3}|:)\s{0,8}["'`]?(?<value>[A-Za-z0-9_+/=.~!@#$%^&*-]{8,400})(?![\w(])/g,
    isSecret: isAssigned,
  },
]

/** `user:password`, with or without quotes, also around each of the two. */
function isLogin(value: string): boolean {
  const [, user = '', password = ''] = /^([^:]{0,100}):(.{0,200})$/s.exec(value.replace(/["']/g, '')) ?? []
  const either = [user, password].map((one) => one.replace(/^\{(.*)\}$/s, '$1'))
  if (either.some((one) => /^[$<[%]|\$\{|\$\(|\{\{/.test(one))) return false
  const said = either[1] === '' ? (either[0] as string) : (either[1] as string)
  return isTyped(said) && said.toLowerCase() !== (user || '-').toLowerCase() && !/^(?:password|test|token|secret)$/i.test(said)
}
