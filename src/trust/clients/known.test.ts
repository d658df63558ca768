/** Each client on each platform, and what is found in its file. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'
import { discover } from './discover.ts'
import { clients, type Places, spots } from './known.ts'

const linux: Places = { platform: 'linux', home: '/home/me' }
const mac: Places = { platform: 'darwin', home: '/Users/me' }
const windows: Places = { platform: 'win32', home: 'C:\\Users\\me', appData: 'D:\\Roaming', localAppData: 'D:\\Local' }

const user: Readonly<
  Record<string, readonly (readonly [linux: string | undefined, mac: string | undefined, windows: string | undefined])[]>
> = {
  'claude-desktop': [
    [
      '.config/Claude/claude_desktop_config.json',
      'Library/Application Support/Claude/claude_desktop_config.json',
      'D:\\Roaming\\Claude\\claude_desktop_config.json',
    ],
    [undefined, undefined, 'D:\\Local\\Packages\\Claude_*\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json'],
  ],
  'claude-code': [['.claude.json', '.claude.json', 'C:\\Users\\me\\.claude.json']],
  cursor: [['.cursor/mcp.json', '.cursor/mcp.json', 'C:\\Users\\me\\.cursor\\mcp.json']],
  vscode: [
    ['.config/Code/User/mcp.json', 'Library/Application Support/Code/User/mcp.json', 'D:\\Roaming\\Code\\User\\mcp.json'],
    [
      '.config/Code/User/profiles/*/mcp.json',
      'Library/Application Support/Code/User/profiles/*/mcp.json',
      'D:\\Roaming\\Code\\User\\profiles\\*\\mcp.json',
    ],
    [
      '.config/Code/User/settings.json',
      'Library/Application Support/Code/User/settings.json',
      'D:\\Roaming\\Code\\User\\settings.json',
    ],
    ['.vscode/mcp.json', '.vscode/mcp.json', 'C:\\Users\\me\\.vscode\\mcp.json'],
  ],
  'vscode-insiders': [
    [
      '.config/Code - Insiders/User/mcp.json',
      'Library/Application Support/Code - Insiders/User/mcp.json',
      'D:\\Roaming\\Code - Insiders\\User\\mcp.json',
    ],
  ],
  windsurf: [
    [
      '.codeium/windsurf/mcp_config.json',
      '.codeium/windsurf/mcp_config.json',
      'C:\\Users\\me\\.codeium\\windsurf\\mcp_config.json',
    ],
  ],
  gemini: [['.gemini/settings.json', '.gemini/settings.json', 'C:\\Users\\me\\.gemini\\settings.json']],
  antigravity: [
    [
      '.gemini/antigravity/mcp_config.json',
      '.gemini/antigravity/mcp_config.json',
      'C:\\Users\\me\\.gemini\\antigravity\\mcp_config.json',
    ],
  ],
  kiro: [['.kiro/settings/mcp.json', '.kiro/settings/mcp.json', 'C:\\Users\\me\\.kiro\\settings\\mcp.json']],
  'amazon-q': [
    ['.aws/amazonq/mcp.json', '.aws/amazonq/mcp.json', 'C:\\Users\\me\\.aws\\amazonq\\mcp.json'],
    ['.aws/amazonq/agents/*.json', '.aws/amazonq/agents/*.json', 'C:\\Users\\me\\.aws\\amazonq\\agents\\*.json'],
  ],
  codex: [['.codex/config.toml', '.codex/config.toml', 'C:\\Users\\me\\.codex\\config.toml']],
  opencode: [
    ['.config/opencode/opencode.json', '.config/opencode/opencode.json', 'C:\\Users\\me\\.config\\opencode\\opencode.json'],
    ['.config/opencode/opencode.jsonc', '.config/opencode/opencode.jsonc', 'C:\\Users\\me\\.config\\opencode\\opencode.jsonc'],
  ],
  zed: [['.config/zed/settings.json', '.config/zed/settings.json', 'D:\\Roaming\\Zed\\settings.json']],
  continue: [['.continue/config.yaml', '.continue/config.yaml', 'C:\\Users\\me\\.continue\\config.yaml']],
  goose: [['.config/goose/config.yaml', '.config/goose/config.yaml', 'D:\\Roaming\\Block\\goose\\config\\config.yaml']],
  'lm-studio': [['.lmstudio/mcp.json', '.lmstudio/mcp.json', 'C:\\Users\\me\\.lmstudio\\mcp.json']],
  cline: [
    [
      '.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
      'Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
      'D:\\Roaming\\Code\\User\\globalStorage\\saoudrizwan.claude-dev\\settings\\cline_mcp_settings.json',
    ],
  ],
  'roo-code': [
    [
      '.config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json',
      'Library/Application Support/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json',
      'D:\\Roaming\\Code\\User\\globalStorage\\rooveterinaryinc.roo-cline\\settings\\mcp_settings.json',
    ],
  ],
  'copilot-cli': [['.copilot/mcp-config.json', '.copilot/mcp-config.json', 'C:\\Users\\me\\.copilot\\mcp-config.json']],
  junie: [['.junie/mcp/mcp.json', '.junie/mcp/mcp.json', 'C:\\Users\\me\\.junie\\mcp\\mcp.json']],
}

test('every client that we know is in this table', () =>
  assert.deepEqual(Object.keys(user).sort(), clients.map(({ id }) => id).sort()))

for (const [client, rows] of Object.entries(user))
  test(`${client}: where it keeps its settings`, () => {
    const patterns = (places: Places) =>
      spots(places, [])
        .filter((spot) => spot.client === client)
        .map(({ pattern }) => pattern)
    for (const [onLinux, onMac, onWindows] of rows) {
      if (onLinux) assert.ok(patterns(linux).includes(`/home/me/${onLinux}`), onLinux)
      if (onMac) assert.ok(patterns(mac).includes(`/Users/me/${onMac}`), onMac)
      if (onWindows) assert.ok(patterns(windows).includes(onWindows), onWindows)
      const expected = [onLinux, onMac, onWindows].map((one) => one !== undefined)
      if (!expected[0]) assert.ok(!patterns(linux).some((pattern) => pattern.includes('Packages')))
    }
  })

test('variables move some of them', () => {
  const places: Places = { ...linux, configHome: '/cfg', claudeHome: '/claude', codexHome: '/codex' }
  const patterns = spots(places, []).map(({ pattern }) => pattern)
  for (const path of [
    '/cfg/Claude/claude_desktop_config.json',
    '/cfg/zed/settings.json',
    '/claude/.claude.json',
    '/codex/config.toml',
  ])
    assert.ok(patterns.includes(path), path)
})

test('in a project', () => {
  const found = spots(linux, ['/work/a']).filter(({ scope }) => scope === 'project')
  assert.deepEqual([...new Set(found.map(({ within }) => within))], ['/work/a'])
  const paths = found.map(({ client, pattern }) => `${client} ${pattern.slice('/work/a/'.length)}`)
  for (const path of [
    'claude-code .mcp.json',
    'cursor .cursor/mcp.json',
    'vscode .vscode/mcp.json',
    'gemini .gemini/settings.json',
    'kiro .kiro/settings/mcp.json',
    'codex .codex/config.toml',
    'opencode opencode.json',
    'opencode opencode.jsonc',
    'zed .zed/settings.json',
    'continue .continue/mcpServers/*.yaml',
    'roo-code .roo/mcp.json',
    'amazon-q .amazonq/mcp.json',
    'junie .junie/mcp/mcp.json',
  ])
    assert.ok(paths.includes(path), path)
})

const home = mkdtempSync(join(tmpdir(), 'sekisho-clients-'))
after(() => rmSync(home, { recursive: true, force: true }))

describe('what is found in a file', () => {
  const local = {
    transport: 'stdio',
    command: 'npx',
    args: ['-y', 'x'],
    env: ['TOKEN'],
    url: undefined,
    headers: [],
    disabled: false,
  }
  const remote = (transport: string, headers: readonly string[] = []) => ({
    transport,
    command: undefined,
    args: [],
    env: [],
    url: 'https://x/mcp',
    headers,
    disabled: false,
  })
  const usual =
    '{ "mcpServers": { "l": { "command": "npx", "args": ["-y", "x"], "env": { "TOKEN": "t" } }, "r": { "url": "https://x/mcp", "headers": { "H": "v" } } } }'
  const found = { l: local, r: remote('http', ['H']) }
  const cases: readonly (readonly [client: string, path: string, text: string, expected: object])[] = [
    ['claude-desktop', '.config/Claude/claude_desktop_config.json', usual, found],
    [
      'claude-code',
      '.claude.json',
      `{ "projects": { "/p": ${usual}, "/q": {} }, "mcpServers": { "s": { "type": "sse", "url": "https://x/mcp" } } }`,
      { s: remote('sse'), l: { ...local, project: '/p' }, r: { ...remote('http', ['H']), project: '/p' } },
    ],
    ['cursor', '.cursor/mcp.json', usual, found],
    [
      'vscode',
      '.config/Code/User/mcp.json',
      `// mine\n${usual.replace('mcpServers', 'servers').replace('"url"', '"type": "http", "url"')}`,
      found,
    ],
    [
      'vscode',
      '.config/Code/User/profiles/abc/mcp.json',
      '{"servers":{"l":{"type":"stdio","command":"npx","args":["-y","x"],"env":{"TOKEN":"t"},},},}',
      { l: local },
    ],
    [
      'vscode',
      '.config/Code/User/settings.json',
      `{ "editor.fontSize": 1, "mcp": ${usual.replace('mcpServers', 'servers')} }`,
      found,
    ],
    ['vscode-insiders', '.config/Code - Insiders/User/mcp.json', usual.replace('mcpServers', 'servers'), found],
    ['windsurf', '.codeium/windsurf/mcp_config.json', usual.replace('"url"', '"serverUrl"'), found],
    ['gemini', '.gemini/settings.json', usual, { ...found, r: remote('sse', ['H']) }],
    ['antigravity', '.gemini/antigravity/mcp_config.json', usual.replace('"url"', '"serverUrl"'), found],
    [
      'kiro',
      '.kiro/settings/mcp.json',
      usual.replace('"command"', '"disabled": true, "command"'),
      { ...found, l: { ...local, disabled: true } },
    ],
    ['amazon-q', '.aws/amazonq/agents/mine.json', usual, found],
    [
      'codex',
      '.codex/config.toml',
      '[mcp_servers.l]\ncommand = "npx"\nargs = ["-y", "x"]\n[mcp_servers.l.env]\nTOKEN = "t"\n[mcp_servers.r]\nurl = "https://x/mcp"\nhttp_headers = { H = "v" }\n',
      found,
    ],
    [
      'opencode',
      '.config/opencode/opencode.jsonc',
      '{ "mcp": { "l": { "type": "local", "command": ["npx", "-y", "x"], "environment": { "TOKEN": "t" }, "enabled": false }, "r": { "type": "remote", "url": "https://x/mcp", "headers": { "H": "v" } } } }',
      { ...found, l: { ...local, disabled: true } },
    ],
    [
      'zed',
      '.config/zed/settings.json',
      '{ "context_servers": { "l": { "command": { "path": "npx", "args": ["-y", "x"] }, "env": { "TOKEN": "t" } }, "r": { "url": "https://x/mcp", "headers": { "H": "v" } }, "ext": { "settings": {} } } }',
      found,
    ],
    [
      'continue',
      '.continue/config.yaml',
      'name: x\nmcpServers:\n  - name: l\n    command: npx\n    args: [-y, x]\n    env: { TOKEN: t }\n  - name: r\n    type: streamable-http\n    url: https://x/mcp\n    requestOptions: { headers: { H: v } }\n',
      found,
    ],
    ['continue', '.continue/mcpServers/a.json', usual, found],
    [
      'goose',
      '.config/goose/config.yaml',
      'extensions:\n  developer: { type: builtin }\n  l:\n    type: stdio\n    cmd: npx\n    args: [-y, x]\n    envs: { TOKEN: t }\n    enabled: true\n  r:\n    type: streamable_http\n    uri: https://x/mcp\n    headers: { H: v }\n',
      found,
    ],
    ['lm-studio', '.lmstudio/mcp.json', usual, found],
    [
      'cline',
      '.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
      usual.replace('"url"', '"type": "streamableHttp", "url"'),
      found,
    ],
    ['roo-code', '.config/Cursor/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json', usual, found],
    ['copilot-cli', '.copilot/mcp-config.json', usual.replace('"command"', '"type": "local", "command"'), found],
    ['junie', '.junie/mcp/mcp.json', usual, found],
  ]
  for (const [at, [client, path, text, expected]] of cases.entries())
    test(`${client}: ${path}`, () => {
      const folder = join(home, String(at))
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
      const files = discover({ platform: 'linux', home: folder }, [])
      assert.deepEqual(
        files.map((file) => [file.client, file.file, file.problems]),
        [[client, join(folder, path), []]],
      )
      const servers = files[0]?.servers.map(({ name, at: _at, path: _path, unasked: _unasked, ...server }) => [name, server])
      assert.deepEqual(JSON.parse(JSON.stringify(Object.fromEntries(servers ?? []))), JSON.parse(JSON.stringify(expected)))
    })
})
