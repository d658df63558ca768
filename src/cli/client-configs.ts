/** What to paste into which file, for the clients people use. */
export interface ClientConfig {
  readonly client: string
  readonly where: string
  readonly text: string
}

export function clientConfigs(url: string): readonly ClientConfig[] {
  const json = (value: object): string => JSON.stringify(value, undefined, 2)
  return [
    { client: 'Claude Code', where: 'in a shell', text: `claude mcp add --transport http sekisho ${url}` },
    { client: 'VS Code', where: '.vscode/mcp.json', text: json({ servers: { sekisho: { type: 'http', url } } }) },
    { client: 'Cursor', where: '.cursor/mcp.json', text: json({ mcpServers: { sekisho: { url } } }) },
  ]
}
