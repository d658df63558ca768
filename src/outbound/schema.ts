/**
 * The part of the configuration that says what stands behind us: one entry per upstream server, a local command or a
 * URL. There is no key that would send a client's own credential on (TPT-R6), and there will be none.
 */
import { z } from 'zod'
import { Secret } from '../lib/secret.ts'
import { type CredentialConfig, credentialSchema } from './credentials/schema.ts'
import { type SandboxConfig, sandboxSchema } from './sandbox/schema.ts'

export const trustLevels = ['untrusted', 'internal', 'trusted'] as const
export type Trust = (typeof trustLevels)[number]
export const transports = ['auto', 'streamable-http', 'http+sse'] as const
export const eras = ['auto', 'legacy', 'modern'] as const

/** Globs over tool names; the most harmful class that matches counts. */
export interface ToolGlobs {
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly destructive: readonly string[]
}
interface CommonServer {
  readonly trust: Trust
  readonly tools: ToolGlobs
  readonly era: (typeof eras)[number]
  readonly requestTimeoutMs: number
  readonly requestTimeoutMsMax: number
}
export interface StdioServer extends CommonServer {
  readonly kind: 'stdio'
  readonly command: readonly [string, ...string[]]
  /** Everything the child gets: loadConfig has added what is inherited. Spell it out with `plainEnvironment`. */
  readonly env: Readonly<Record<string, string | Secret>>
  readonly inheritEnv: readonly string[]
  readonly cwd: string
  /** One child for all, instead of one for each session (or principal, where there are no sessions). */
  readonly shared: boolean
  readonly childrenMax: number
  readonly idleMs: number
  readonly lineBytesMax: number
  readonly sandbox: SandboxConfig | 'off'
}
export interface UpstreamTls {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly minVersion: 'TLSv1.3' | 'TLSv1.2'
}
export interface HttpServer extends CommonServer {
  readonly kind: 'http'
  readonly url: string
  readonly transport: (typeof transports)[number]
  readonly tls: UpstreamTls
  readonly credential: CredentialConfig
}
export type ServerConfig = StdioServer | HttpServer

/** What a child needs to run at all; passed on without being asked for, because none of it is a secret. */
export const inheritedAlways: readonly string[] = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'],
  ...(process.platform === 'win32' ? ['SYSTEMROOT', 'APPDATA', 'LOCALAPPDATA', 'PATHEXT', 'USERPROFILE', 'TEMP', 'TMP'] : []),
]

/** Which server it is that stands under an id: where it is, or how it is started. */
export const whereabouts = (server: ServerConfig): string =>
  server.kind === 'http' ? server.url : JSON.stringify(server.command)

/** The child's environment in plain text. Hand it to spawn and to nothing else. */
export function plainEnvironment(server: StdioServer): Record<string, string> {
  const entries = Object.entries(server.env).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value])
  return Object.fromEntries(entries)
}

const argument = z.string().refine((value) => !value.includes('\0'), { error: 'contains a NUL character; remove it' })
const globs = z.array(z.string().min(1)).default([]).readonly()
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not the name of an environment variable; use letters, digits and "_"' })
const file = z.string().min(1)
const milliseconds = (max: number) => z.int().min(1).max(max)

const shape = {
  command: z.array(argument).min(1).optional().describe('Program and arguments, started without a shell'),
  url: z.string().optional().describe('MCP endpoint of a remote server'),
  env: z.record(variable, z.string()).optional().describe('Variables of the child; secrets as env:NAME or file:PATH'),
  inheritEnv: z.array(variable).optional().describe('Variables passed on from our own environment'),
  cwd: file.optional(),
  shared: z
    .boolean()
    .optional()
    .describe('One child for everyone, instead of one for each session (or principal, where there are no sessions)'),
  childrenMax: z.int().min(1).max(1024).optional(),
  idleMs: milliseconds(86_400_000).optional(),
  lineBytesMax: z.int().min(1024).max(1_073_741_824).optional(),
  sandbox: sandboxSchema.optional().describe('What of this machine the server may see and use; off: all that we may'),
  transport: z.enum(transports).optional(),
  tls: z
    .strictObject({
      ca: file.optional(),
      cert: file.optional(),
      key: file.optional(),
      minVersion: z.enum(['TLSv1.3', 'TLSv1.2']).optional(),
    })
    .optional(),
  credential: credentialSchema.optional().describe('With whose key calls leave'),
  trust: z.enum(trustLevels).default('untrusted').describe('Whether the server is believed when it describes its own tools'),
  tools: z
    .strictObject({ read: globs, write: globs, destructive: globs })
    .prefault({})
    .describe('How much harm a tool may do, by name'),
  era: z.enum(eras).default('auto'),
  requestTimeoutMs: milliseconds(86_400_000).default(60_000),
  requestTimeoutMsMax: milliseconds(86_400_000).default(600_000).describe('However often progress is reported'),
}
const onlyFor = {
  command: ['env', 'inheritEnv', 'cwd', 'shared', 'childrenMax', 'idleMs', 'lineBytesMax', 'sandbox'],
  url: ['transport', 'tls', 'credential'],
} as const

export const serverSchema = z.strictObject(shape).transform((given, context): ServerConfig => {
  const refuse = (path: (string | number)[], message: string, fix: string) => {
    context.addIssue({ code: 'custom', path, message, params: { fix } })
    return z.NEVER
  }
  const { command, url, ...rest } = given
  const kind = command === undefined ? 'url' : 'command'
  if ((command === undefined) === (url === undefined))
    return refuse([], 'needs either "command" or "url"', 'a local server has a command, a remote one a url; none has both')
  for (const key of onlyFor[kind === 'url' ? 'command' : 'url'])
    if (rest[key] !== undefined) return refuse([key], `means nothing for a server with a ${kind}`, `remove "${key}"`)
  const common = pick(rest)
  if (common.requestTimeoutMs > common.requestTimeoutMsMax)
    return refuse(['requestTimeoutMs'], 'is more than "requestTimeoutMsMax"', 'lower it, or raise "requestTimeoutMsMax"')
  if (url !== undefined) {
    if (!isEndpoint(url))
      return refuse(
        ['url'],
        'is not an http(s) URL without credentials and fragment',
        'write for example https://crm.example.com/mcp',
      )
    const { ca, cert, key, minVersion = 'TLSv1.3' } = rest.tls ?? {}
    if ((cert === undefined) !== (key === undefined))
      return refuse(['tls'], 'has only one of "cert" and "key"', 'give both, or neither')
    return {
      kind: 'http',
      url,
      transport: rest.transport ?? 'auto',
      tls: { ca, cert, key, minVersion },
      credential: rest.credential ?? { kind: 'none' },
      ...common,
    }
  }
  if (command?.[0] === '') return refuse(['command', 0], 'is empty', 'name the program to start')
  return {
    kind: 'stdio',
    command: command as [string, ...string[]],
    env: rest.env ?? {},
    inheritEnv: rest.inheritEnv ?? [],
    cwd: rest.cwd ?? '.',
    shared: rest.shared ?? false,
    childrenMax: rest.childrenMax ?? 16,
    idleMs: rest.idleMs ?? 600_000,
    lineBytesMax: rest.lineBytesMax ?? 10_485_760,
    sandbox: rest.sandbox ?? 'off',
    ...common,
  }
})

const pick = ({ trust, tools, era, requestTimeoutMs, requestTimeoutMsMax }: CommonServer): CommonServer => ({
  trust,
  tools,
  era,
  requestTimeoutMs,
  requestTimeoutMsMax,
})

function isEndpoint(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined
  return /^https?:$/.test(url?.protocol ?? '') && url?.username === '' && url.password === '' && !value.includes('#')
}

export const reservedServerIds: readonly string[] = ['mcp', 'admin', 'console', 'oauth', 'well-known']

/** Stands in paths and, followed by `__`, before every name on the door to all servers; so it has no underscore itself. */
export const serverIdSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,23}$/, {
    error: 'must be 1 to 24 of a-z, 0-9 and "-", beginning with a letter; write for example files',
  })
  .refine((id) => !reservedServerIds.includes(id), {
    error: `is a path of our own (${reservedServerIds.join(', ')})`,
    params: { fix: 'choose another id' },
  })
