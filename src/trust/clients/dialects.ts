/** How each client writes a server down. Every client has words of its own for the same few things. */
import type { Path } from './tree.ts'

export type Transport = 'stdio' | 'http' | 'sse'

export interface Dialect {
  /** Where servers stand in the file. `*` stands for every key. */
  readonly containers: readonly (readonly string[])[]
  /** Servers are a list, and their name is a member. */
  readonly listed?: true
  readonly command: string
  /** Program and arguments are one list. */
  readonly commandIsList?: true
  readonly env: string
  /** Members that hold the URL of a remote server, and what it speaks where `type` does not say. */
  readonly urls: Readonly<Record<string, Transport>>
  /** Members whose members are headers. */
  readonly headers: readonly Path[]
  /** What `type` says of a server that the client starts. */
  readonly local: string
  /** Kinds that are built into the client: nothing is started and nobody is called. */
  readonly builtIn?: readonly string[]
}

const usual: Dialect = {
  containers: [['mcpServers']],
  command: 'command',
  env: 'env',
  urls: { url: 'http', serverUrl: 'http', httpUrl: 'http' },
  headers: [['headers']],
  local: 'stdio',
}

export const dialects = {
  usual,
  claudeCode: { ...usual, containers: [['mcpServers'], ['projects', '*', 'mcpServers']] },
  vscode: { ...usual, containers: [['servers']] },
  vscodeSettings: { ...usual, containers: [['mcp', 'servers']] },
  gemini: { ...usual, urls: { url: 'sse', httpUrl: 'http', serverUrl: 'http' } },
  copilot: { ...usual, local: 'local' },
  codex: { ...usual, containers: [['mcp_servers']], urls: { url: 'http' }, headers: [['http_headers']] },
  opencode: { ...usual, containers: [['mcp']], commandIsList: true, env: 'environment', urls: { url: 'http' }, local: 'local' },
  zed: { ...usual, containers: [['context_servers']], urls: { url: 'http' } },
  continue: { ...usual, listed: true, urls: { url: 'http' }, headers: [['requestOptions', 'headers'], ['headers']] },
  goose: {
    ...usual,
    containers: [['extensions']],
    command: 'cmd',
    env: 'envs',
    urls: { uri: 'http', url: 'http' },
    builtIn: ['builtin', 'platform', 'frontend', 'inline_python'],
  },
} as const satisfies Record<string, Dialect>

/** What a dialect is called in a record, and the other way round. */
export const dialectName = (dialect: Dialect): string =>
  Object.entries(dialects).find(([, one]) => one === dialect)?.[0] ?? 'usual'
export const dialectOf = (name: string): Dialect | undefined =>
  Object.hasOwn(dialects, name) ? dialects[name as keyof typeof dialects] : undefined
