/**
 * What is wrong with a client's configuration as it stands, before any server of it is asked anything. One row for each rule;
 * ids appear in reports and never change.
 */
import { isLoopback } from '../../lib/loopback.ts'
import type { Finding } from '../../pipeline/guard.ts'
import type { ClientFile } from './discover.ts'
import type { FoundServer, Place } from './entries.ts'
import { guardOf, type Launcher } from './guarded.ts'
import { programOf, startedBy } from './launchers.ts'

export interface ClientFinding extends Finding {
  readonly client: string
  readonly file: string
  /** Undefined where it is about the file. */
  readonly server?: string
  readonly at?: Place
}

/** What a rule looks at: an entry with the server's own command, whether or not Sekisho stands before it. */
interface Subject {
  readonly server: FoundServer
  readonly words: readonly string[]
  /** The words with secrets replaced, for evidence. */
  readonly shown: readonly string[]
  readonly url: string | undefined
  /** Whether `value`, called `name`, is a secret written out. */
  isSecret(name: string, value: string): boolean
  isSecretUrl(url: string): boolean
  /** The words that are or hold a secret, as numbers. */
  readonly secretWords: readonly number[]
}

interface Rule extends Pick<Finding, 'severity' | 'owasp'> {
  readonly id: string
  /** What was found, after "the entry": a predicate. */
  readonly says: string
  /** One sentence for each that it finds; never a secret. */
  check(subject: Subject): readonly string[]
}

/** Headers that hold nothing else. */
const credentialHeader = /^(proxy-)?authorization$|^cookie$/i

const shells = ['sh', 'bash', 'zsh', 'dash', 'ksh', 'fish', 'cmd', 'powershell', 'pwsh']
const dangerousFlags: readonly RegExp[] = [
  /^--dangerously-/,
  /^--?(allow-all|allow-run|allow-dangerous|yolo|no-sandbox|disable-sandbox|privileged|disable-auth|no-auth|insecure|trust-all-tools)$/,
  /^--(network|net|pid|ipc|userns)=host$/,
  /^--cap-add=(all|sys_admin)$/i,
  /(^|=|:)\/var\/run\/docker\.sock(:|$)/,
  /^(-v=?|--volume=)?\/:\//,
]
const dangerousVariables: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(NODE_TLS_\w+_UNAUTHORIZED|PYTHONHTTPSVERIFY)$/, /^0$/],
  [/^(LD_PRELOAD|DYLD_INSERT_LIBRARIES)$/, /./],
]

const rules: readonly Rule[] = [
  {
    id: 'clients/plain-secret',
    says: 'holds a secret, written out',
    severity: 'high',
    owasp: 'MCP01',
    check({ server, secretWords, url, isSecret, isSecretUrl }) {
      const said = (what: string, name: string): string => `the ${what} ${name} holds a secret, written out`
      return [
        ...server.env.reveal().flatMap(([name, value]) => (isSecret(name, value) ? [said('variable', name)] : [])),
        ...server.headers
          .reveal()
          .flatMap(([name, value]) =>
            isSecret(credentialHeader.test(name) ? 'token' : name, value) ? [said('header', name)] : [],
          ),
        ...secretWords.map((at) => (at === 0 ? 'the command holds a secret' : `argument ${at} holds a secret, written out`)),
        ...(url !== undefined && isSecretUrl(url) ? ['the URL holds a secret, written out'] : []),
      ]
    },
  },
  {
    id: 'clients/http-not-https',
    says: 'is called over the network without TLS',
    severity: 'high',
    owasp: 'MCP07',
    check({ url }) {
      const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
      if (parsed?.protocol !== 'http:' || isLoopback(parsed.hostname)) return []
      return ['everything goes over the network in plain text, where anybody on the way reads and changes it']
    },
  },
  {
    id: 'clients/shell',
    says: 'is started by a shell, or runs what it downloads',
    severity: 'medium',
    owasp: 'MCP05',
    check({ words }) {
      const program = programOf(words)
      const script = words.slice(1).join(' ')
      if (/\b(curl|wget|iwr|invoke-webrequest)\b[^|]*\|\s*(sudo\s+)?(ba|z|da|k)?sh\b|\biex\b/i.test(script))
        return ['what is downloaded is run at once, by a shell, unseen']
      // `cmd /c npx` is how Windows starts what npm installs.
      if (program === 'cmd' && !/[&|<>^%]/.test(words.slice(2).join(' '))) return []
      const isScript = words.slice(1).some((word) => /^(-\w*c|\/c|-command|-encodedcommand|-e|-enc)$/i.test(word))
      return shells.includes(program) && isScript ? [`${program} interprets the command`] : []
    },
  },
  {
    id: 'clients/unpinned',
    says: 'is whatever is newest when it starts',
    severity: 'medium',
    owasp: 'MCP04',
    check({ shown }) {
      const started = startedBy(programOf(shown) === 'cmd' ? shown.slice(2) : shown)
      if (started === undefined || started.isPinned) return []
      const { named, kind } = started
      const how = { npm: 'write @ and a version', pypi: 'write == and a version', image: 'write @sha256: and its digest' }[kind]
      return [`${brief(named)} is whatever is newest when it starts; ${how}`]
    },
  },
  {
    id: 'clients/sudo',
    says: 'is started with more rights than you have',
    severity: 'high',
    owasp: 'MCP02',
    check({ words }) {
      const program = programOf(words)
      return ['sudo', 'doas', 'pkexec', 'runas', 'gsudo', 'su'].includes(program) ? [`it is started with ${program}`] : []
    },
  },
  {
    id: 'clients/dangerous-flag',
    says: 'is configured without a protection',
    severity: 'high',
    owasp: 'MCP02',
    check({ server, shown }) {
      const flags = shown.slice(1).filter((word) => dangerousFlags.some((flag) => flag.test(word)))
      const variables = server.env
        .reveal()
        .filter(([name, value]) => dangerousVariables.some(([names, values]) => names.test(name) && values.test(value)))
      return [
        ...flags.map((flag) => `${brief(flag)} takes a protection away`),
        ...variables.map(([name]) => `the variable ${name} takes a protection away`),
        ...server.unasked.map((key) => `${key} lets every tool act without asking`),
      ]
    },
  },
]

const fileRules = {
  'clients/writable-by-others': { severity: 'high', owasp: 'MCP02', says: 'stands in a file that others may write' },
  'clients/same-name': { severity: 'low', owasp: 'MCP09', says: 'has a name under which another client has another server' },
} as const satisfies Readonly<Record<string, Omit<ClientRow, 'requirement'>>>

/** What a rule means. */
export interface ClientRow extends Pick<Finding, 'severity' | 'owasp' | 'requirement'>, Pick<Rule, 'says'> {}
const requirement = 'SUP-R1'

/** Every rule there is. */
export const clientRules: Readonly<Record<string, ClientRow>> = Object.fromEntries([
  ...rules.map(({ id, severity, owasp, says }) => [id, { severity, owasp, says, requirement }]),
  ...Object.entries(fileRules).map(([id, row]) => [id, { ...row, requirement }]),
])

const brief = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text)

export interface Eyes {
  /** Whether a value of that name is a secret written out. */
  isSecret(name: string, value: string): boolean
  /** Whether whoever reads the URL could use it, too. */
  isSecretUrl(url: string): boolean
  /** The words of a command, secrets replaced. */
  masked(words: readonly string[]): readonly string[]
  readonly launcher: Launcher
}

/** In the order of files, servers and rules. */
export function findings(files: readonly ClientFile[], eyes: Eyes): readonly ClientFinding[] {
  const each = files.flatMap((file) => [
    ...writable(file),
    ...file.servers.flatMap((server) => serverFindings(file, server, eyes)),
  ])
  return [...each, ...sameNames(files, eyes.launcher)]
}

function serverFindings(
  { client, file }: ClientFile,
  server: FoundServer,
  { isSecret, isSecretUrl, masked, launcher }: Eyes,
): ClientFinding[] {
  const { words, url } = ownCommand(server, launcher)
  const shown = masked(words)
  const secretWords = [...words.keys()].filter((at) => words[at] !== shown[at] && !isPlaceholder(words[at] as string))
  const subject: Subject = {
    server,
    words,
    shown,
    url,
    secretWords,
    isSecret: (name, value) => !isPlaceholder(value) && isSecret(name, value),
    isSecretUrl,
  }
  return rules.flatMap(({ id, severity, owasp, check }) =>
    check(subject).map((evidence) => ({
      ...{ rule: id, severity, evidence, owasp, requirement },
      ...{ client, file, server: server.name, at: server.at },
    })),
  )
}

/** What the entry starts or calls itself, without Sekisho before it. */
export function ownCommand(server: FoundServer, launcher: Launcher): { words: readonly string[]; url: string | undefined } {
  if (server.command === undefined) return { words: [], url: server.url }
  const words = [server.command, ...server.args]
  const inner = guardOf(server, launcher)?.inner ?? words
  return inner.length === 1 && /^https?:\/\//i.test(inner[0] as string)
    ? { words: [], url: inner[0] }
    : { words: inner, url: undefined }
}

/** Filled in by the client when it starts the server: `${input:token}`, `${TOKEN}`, `{env:TOKEN}`, `$TOKEN`. */
export const isPlaceholder = (value: string): boolean =>
  /\$\{[^}]+\}|\{(env|file):[^}]+\}|^(Bearer )?\$[A-Z_][A-Z0-9_]*$|^<[^>]*>$|^(env|file):/.test(value)

function writable({ client, file, source }: ClientFile): ClientFinding[] {
  const mode = source?.stat.mode ?? 0
  if (process.platform === 'win32' || (mode & 0o022) === 0) return []
  const evidence = `others may write it (mode ${(mode & 0o777).toString(8)}), and so choose what is started as you; chmod go-w`
  const { severity, owasp } = fileRules['clients/writable-by-others']
  return [{ rule: 'clients/writable-by-others', severity, evidence, owasp, requirement, client, file }]
}

/** One name for different servers: what one client was allowed, the other does with something else. */
function sameNames(files: readonly ClientFile[], launcher: Launcher): ClientFinding[] {
  const all = files.flatMap((file) =>
    file.servers.map((server) => {
      const { words, url } = ownCommand(server, launcher)
      return { file, server, own: JSON.stringify([words, url]) }
    }),
  )
  const named = Map.groupBy(all, ({ server }) => server.name)
  return [...named.values()].flatMap(([first, ...others]) =>
    others
      .filter(({ own, file }) => own !== first?.own && file.client !== first?.file.client)
      .map(({ file, server }) => ({
        ...{ rule: 'clients/same-name', severity: fileRules['clients/same-name'].severity, requirement },
        owasp: fileRules['clients/same-name'].owasp,
        evidence: `${first?.file.client} calls another server by the same name`,
        ...{ client: file.client, file: file.file, server: server.name, at: server.at },
      })),
  )
}
