/** The first configuration of a new gateway, with the comments that its owner will want in a year. */
import { stringify } from 'yaml'
import { keyIdSchema } from '../identity/schema.ts'
import { serverIdSchema } from '../outbound/schema.ts'

export interface StarterServer {
  readonly id: string
  /** A local server; the other kind has a url. */
  readonly command?: readonly string[]
  readonly url?: string
}
export interface StarterKey {
  readonly id: string
  readonly sha256: string
}
export interface Starter {
  readonly servers: readonly StarterServer[]
  /** Everyone on this machine, or the holders of these keys. */
  readonly callers: 'anonymous' | readonly StarterKey[]
  /** What they may do: only tools classed `read`, or every tool. */
  readonly access: 'read' | 'everything'
}

export const exampleServer: StarterServer = { id: 'files', command: ['./node_modules/.bin/mcp-server-filesystem', './workspace'] }

/** What is wrong with the id of a server or a key; undefined for a good one. */
export const serverIdFault = (id: string): string | undefined => serverIdSchema.safeParse(id).error?.issues[0]?.message
export const keyIdFault = (id: string): string | undefined => keyIdSchema.safeParse(id).error?.issues[0]?.message

/** YAML that the schema accepts. */
export function starterConfig({ servers, callers, access }: Starter): string {
  const bindings =
    callers === 'anonymous' ? ['{ role: user, anonymous: true }'] : callers.map(({ id }) => `{ role: user, apiKey: ${id} }`)
  return `# Sekisho: who may reach which MCP server, and what they may do there. Check it with: sekisho check
# A running gateway takes a change over by itself; when there is a mistake in it, it keeps what it has.

listen: 127.0.0.1:4180          # clients connect to http://127.0.0.1:4180/<server>/mcp
admin: { listen: 127.0.0.1:4181 } # health and metrics
store: sqlite:./data/sekisho.db # the key of the gateway is made beside it: keep data/ out of git

${callers === 'anonymous' ? '# Everyone on this machine may come in. For more than this machine: mode: api-keys, and: sekisho keys new ID' : '# Only the digest of a key is kept. Another key: sekisho keys new ID'}
identity:
  mode: ${callers === 'anonymous' ? 'anonymous' : 'api-keys'}
${callers === 'anonymous' ? '' : `  keys:\n${callers.map(({ id, sha256 }) => `    - { id: ${id}, sha256: "${sha256}" }`).join('\n')}\n`}
servers:
${servers.map(serverText).join('')}
# Nothing is allowed that no rule allows; a deny rule beats every allow rule.
roles:
  user:
    - { effect: allow, server: "*", tools: ["*"]${access === 'read' ? ', class: [read]' : ''}, prompts: ["*"], resources: ["*"] }

bindings:
${bindings.map((binding) => `  - ${binding}`).join('\n')}
`
}

function serverText({ id, command, url }: StarterServer): string {
  const target =
    command === undefined ? `url: ${inline(url)}` : `command: [${command.map(inline).join(', ')}] # started without a shell`
  return `  ${id}:
    ${target}
    # A tool's class, by name: read, write or destructive. What no pattern names counts as destructive.
    tools: { read: ["read_*", "list_*", "get_*", "search_*"], write: [], destructive: [] }
`
}

const inline = (text: string | undefined): string =>
  stringify(text ?? '', { defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 }).trim()
