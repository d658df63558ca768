/**
 * The clients we know and where each keeps its configuration. One row for each place; docs/reference/clients.md is this table
 * in words.
 */
import { posix, win32 } from 'node:path'
import { type Dialect, dialects } from './dialects.ts'
import type { Format } from './tree.ts'

/** Where things are on this machine, as somebody who may read the environment has found it. */
export interface Places {
  readonly platform: 'linux' | 'darwin' | 'win32'
  readonly home: string
  /** %APPDATA% and %LOCALAPPDATA%, on Windows. */
  readonly appData?: string | undefined
  readonly localAppData?: string | undefined
  /** $XDG_CONFIG_HOME. */
  readonly configHome?: string | undefined
  /** $CLAUDE_CONFIG_DIR, $CODEX_HOME and $COPILOT_HOME, which move the files of one client. */
  readonly claudeHome?: string | undefined
  readonly codexHome?: string | undefined
  readonly copilotHome?: string | undefined
}
export type Platform = Places['platform']
export type Scope = 'user' | 'project'

/** `support` is where the platform keeps settings of applications; `config` is ~/.config, also where the platform has another. */
type Root = 'home' | 'config' | 'support' | 'local' | 'claude' | 'codex' | 'copilot' | 'project'

interface Location {
  readonly root: Root
  /** With `/`. One `*` stands for any name in a folder. */
  readonly path: string
  readonly dialect: Dialect
  readonly format: Format
  /** Default: on every one. */
  readonly platforms?: readonly Platform[]
}
interface Client {
  readonly id: string
  readonly title: string
  readonly locations: readonly Location[]
}

const at = (root: Root, path: string, dialect: Dialect = dialects.usual, platforms?: readonly Platform[]): Location => ({
  root,
  path,
  dialect,
  format: path.endsWith('.toml') ? 'toml' : /\.ya?ml$/.test(path) ? 'yaml' : 'json',
  ...(platforms !== undefined && { platforms }),
})
/** The same path for the user and in a project. */
const both = (path: string, dialect?: Dialect): Location[] => [at('home', path, dialect), at('project', path, dialect)]

const codeEditors = ['Code', 'Code - Insiders', 'Cursor', 'Windsurf', 'VSCodium']
const extension = (path: string): Location[] => codeEditors.map((editor) => at('support', `${editor}/User/globalStorage/${path}`))

const vscode = (editor: string): Location[] => [
  at('support', `${editor}/User/mcp.json`, dialects.vscode),
  at('support', `${editor}/User/profiles/*/mcp.json`, dialects.vscode),
  at('support', `${editor}/User/settings.json`, dialects.vscodeSettings),
]

export const clients: readonly Client[] = [
  {
    id: 'claude-desktop',
    title: 'Claude Desktop',
    locations: [
      at('support', 'Claude/claude_desktop_config.json'),
      at('local', 'Packages/Claude_*/LocalCache/Roaming/Claude/claude_desktop_config.json', dialects.usual, ['win32']),
    ],
  },
  {
    id: 'claude-code',
    title: 'Claude Code',
    locations: [at('claude', '.claude.json', dialects.claudeCode), at('project', '.mcp.json')],
  },
  { id: 'cursor', title: 'Cursor', locations: both('.cursor/mcp.json') },
  {
    id: 'vscode',
    title: 'VS Code',
    locations: [
      ...vscode('Code'),
      at('home', '.vscode/mcp.json', dialects.vscode),
      at('project', '.vscode/mcp.json', dialects.vscode),
      at('project', '.vscode/settings.json', dialects.vscodeSettings),
    ],
  },
  { id: 'vscode-insiders', title: 'VS Code Insiders', locations: vscode('Code - Insiders') },
  {
    id: 'windsurf',
    title: 'Windsurf',
    locations: [at('home', '.codeium/windsurf/mcp_config.json'), at('home', '.codeium/mcp_config.json')],
  },
  { id: 'gemini', title: 'Gemini CLI', locations: both('.gemini/settings.json', dialects.gemini) },
  { id: 'antigravity', title: 'Antigravity', locations: [at('home', '.gemini/antigravity/mcp_config.json')] },
  { id: 'kiro', title: 'Kiro', locations: both('.kiro/settings/mcp.json') },
  {
    id: 'amazon-q',
    title: 'Amazon Q',
    locations: [
      ...['mcp.json', 'default.json', 'agents/*.json', 'cli-agents/*.json'].flatMap((path) => [
        at('home', `.aws/amazonq/${path}`),
        at('project', `.amazonq/${path}`),
      ]),
    ],
  },
  {
    id: 'codex',
    title: 'Codex',
    locations: [at('codex', 'config.toml', dialects.codex), at('project', '.codex/config.toml', dialects.codex)],
  },
  {
    id: 'opencode',
    title: 'opencode',
    locations: [
      ...['opencode.json', 'opencode.jsonc', 'config.json'].map((path) => at('config', `opencode/${path}`, dialects.opencode)),
      ...['opencode.json', 'opencode.jsonc', '.opencode/opencode.json', '.opencode/opencode.jsonc'].map((path) =>
        at('project', path, dialects.opencode),
      ),
    ],
  },
  {
    id: 'zed',
    title: 'Zed',
    locations: [
      at('config', 'zed/settings.json', dialects.zed, ['linux', 'darwin']),
      at('support', 'Zed/settings.json', dialects.zed, ['win32']),
      at('project', '.zed/settings.json', dialects.zed),
    ],
  },
  {
    id: 'continue',
    title: 'Continue',
    locations: [
      ...both('.continue/config.yaml', dialects.continue),
      ...both('.continue/mcpServers/*.yaml', dialects.continue),
      ...both('.continue/mcpServers/*.yml', dialects.continue),
      ...both('.continue/mcpServers/*.json'),
    ],
  },
  {
    id: 'goose',
    title: 'Goose',
    locations: [
      at('config', 'goose/config.yaml', dialects.goose, ['linux', 'darwin']),
      at('support', 'Block/goose/config/config.yaml', dialects.goose, ['win32']),
    ],
  },
  {
    id: 'lm-studio',
    title: 'LM Studio',
    locations: [at('home', '.lmstudio/mcp.json'), at('home', '.cache/lm-studio/mcp.json')],
  },
  {
    id: 'cline',
    title: 'Cline',
    locations: [
      ...extension('saoudrizwan.claude-dev/settings/cline_mcp_settings.json'),
      at('home', '.cline/data/settings/cline_mcp_settings.json'),
    ],
  },
  {
    id: 'roo-code',
    title: 'Roo Code',
    locations: [
      ...extension('rooveterinaryinc.roo-cline/settings/mcp_settings.json'),
      ...extension('rooveterinaryinc.roo-cline/settings/cline_mcp_settings.json'),
      at('project', '.roo/mcp.json'),
    ],
  },
  {
    id: 'copilot-cli',
    title: 'GitHub Copilot CLI',
    locations: [at('copilot', 'mcp-config.json', dialects.copilot)],
  },
  { id: 'junie', title: 'JetBrains Junie', locations: both('.junie/mcp/mcp.json') },
]

/** A place to look in. */
export interface Spot {
  readonly client: string
  readonly scope: Scope
  /** The folder that the file has to be in, wherever links lead. */
  readonly within: string
  /** Absolute, with the platform's separators; may have one `*`. */
  readonly pattern: string
  readonly format: Format
  readonly dialect: Dialect
}

/** Every place on this machine, in the order of the table; first those of the user, then those of each project. */
export function spots(places: Places, projects: readonly string[]): readonly Spot[] {
  const { join } = places.platform === 'win32' ? win32 : posix
  const of = (scope: Scope, folder: (root: Root) => string | undefined): Spot[] =>
    clients.flatMap(({ id, locations }) =>
      locations.flatMap(({ root, path, platforms, format, dialect }) => {
        const from = platforms?.includes(places.platform) === false ? undefined : folder(root)
        if (from === undefined) return []
        return [
          {
            client: id,
            scope,
            within: scope === 'user' && isIn(places.home, from) ? places.home : from,
            pattern: join(from, ...path.split('/')),
            format,
            dialect,
          },
        ]
      }),
    )
  const isIn = (folder: string, path: string): boolean => `${path}${join('/')}`.startsWith(`${folder}${join('/')}`)
  const roots = userRoots(places, join)
  return [
    ...of('user', (root) => roots[root]),
    ...projects.flatMap((project) => of('project', (root) => (root === 'project' ? project : undefined))),
  ]
}

function userRoots(places: Places, join: (...parts: string[]) => string): Readonly<Partial<Record<Root, string>>> {
  const { platform, home } = places
  const config = places.configHome ?? join(home, '.config')
  const appData = places.appData ?? join(home, 'AppData', 'Roaming')
  const support = { linux: config, darwin: join(home, 'Library', 'Application Support'), win32: appData }[platform]
  return {
    home,
    config,
    support,
    local: places.localAppData ?? join(home, 'AppData', 'Local'),
    claude: places.claudeHome ?? home,
    codex: places.codexHome ?? join(home, '.codex'),
    copilot: places.copilotHome ?? join(home, '.copilot'),
  }
}
