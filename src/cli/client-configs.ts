/** What to paste into which file, for the clients people use. */
export interface ClientConfig {
  readonly client: string
  readonly where: string
  readonly text: string
}

/** `keyed`: whether callers need an API key; KEY stands for it. */
export function clientConfigs(url: string, keyed: boolean): readonly ClientConfig[] {
  const json = (value: object): string => JSON.stringify(value, undefined, 2)
  const headers = (key: string) => (keyed ? { headers: { Authorization: `Bearer ${key}` } } : {})
  const flag = keyed ? ' --header "Authorization: Bearer KEY"' : ''
  const input = { id: 'sekisho', type: 'promptString', description: 'Sekisho API key', password: true }
  const code = {
    servers: { sekisho: { type: 'http', url, ...headers(`\${input:${input.id}}`) } },
    ...(keyed && { inputs: [input] }),
  }
  return [
    { client: 'Claude Code', where: 'in a shell', text: `claude mcp add --transport http sekisho ${url}${flag}` },
    { client: 'VS Code', where: '.vscode/mcp.json', text: json(code) },
    { client: 'Cursor', where: '.cursor/mcp.json', text: json({ mcpServers: { sekisho: { url, ...headers('KEY') } } }) },
  ]
}
