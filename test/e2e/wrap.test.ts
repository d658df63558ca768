/**
 * A home with the file of every client that we know: `discover` finds all servers, `wrap` puts Sekisho before them, a client that
 * starts what its file then says calls a tool through it, and `unwrap` gives back every byte. The files are read by readers
 * that are not ours. Sekisho and the server both live in folders with spaces and quotes in their names.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import { guardId } from '../../src/admin/local-command.ts'
import { clients } from '../../src/trust/clients/known.ts'
import { ROOT } from '../conformance/launch.ts'
import { connect, flavours } from './support/peers.ts'
import { upstreamOne, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const home = join(yard.folder(), "Ada's home")
const project = join(home, 'work')
mkdirSync(project, { recursive: true })
const program = join(home, 'my "own" programs')
symlinkSync(ROOT, program)
const ourCli = join(program, 'src/cli/main.ts')
const command = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(program, upstreamOne.slice(ROOT.length)),
  '--transport',
  'stdio',
]
const id = guardId('files', command, '')
const [node, ...args] = command as [string, ...string[]]
const env = { MARKER_OF_THE_TEST: 'a "b" $c' }

interface Written {
  readonly command: readonly string[]
  readonly env: Record<string, string>
}
type Read = (text: string) => Written
interface File {
  readonly client: string
  readonly path: string
  readonly text: string
  readonly read: Read
}

const j = (value: unknown, indent?: number): string => JSON.stringify(value, undefined, indent)
const entry = { command: node, args, env }
/** The entry as most clients write it. */
const usual = (value: unknown): Written => {
  const { command: program, args: rest = [], env: variables = {} } = value as typeof entry
  return { command: [program, ...rest], env: variables }
}
const noComments = (text: string): string => text.replace(/^\s*\/\/.*$/gm, '').replace(/,(\s*[}\]])/g, '$1')
const inJson =
  (...path: string[]): Read =>
  (text) =>
    usual(path.reduce((at, key) => (at as Record<string, unknown>)[key], JSON.parse(noComments(text)) as unknown))
const mcpServers = (path: string, client: string, text = j({ mcpServers: { files: entry } }, 2)): File => ({
  client,
  path,
  text,
  read: inJson('mcpServers', 'files'),
})

const support = '.config'
const files: readonly File[] = [
  mcpServers(
    `${support}/Claude/claude_desktop_config.json`,
    'claude-desktop',
    `${j({ globalShortcut: '', mcpServers: { files: entry } }, 4)}\n`,
  ),
  {
    client: 'claude-code',
    path: '.claude.json',
    text: j({
      numStartups: 3,
      projects: { '/p': { history: ['"mcpServers"'], mcpServers: { files: { type: 'stdio', ...entry } } } },
    }),
    read: inJson('projects', '/p', 'mcpServers', 'files'),
  },
  mcpServers(
    '.cursor/mcp.json',
    'cursor',
    `{\r\n\t// mine\r\n\t"mcpServers": {\r\n\t\t"files": ${j(entry, 1).replaceAll('\n', '\r\n')},\r\n\t},\r\n}\r\n`,
  ),
  {
    client: 'vscode',
    path: `${support}/Code/User/mcp.json`,
    text: j({ inputs: [], servers: { files: { type: 'stdio', ...entry } } }, 1),
    read: inJson('servers', 'files'),
  },
  {
    client: 'vscode-insiders',
    path: `${support}/Code - Insiders/User/settings.json`,
    text: `{\n  // mine\n  "editor.fontSize": 9,\n  "mcp": ${j({ servers: { files: entry } })},\n}\n`,
    read: inJson('mcp', 'servers', 'files'),
  },
  mcpServers('.codeium/windsurf/mcp_config.json', 'windsurf'),
  mcpServers('.gemini/settings.json', 'gemini', j({ theme: 'x', mcpServers: { files: entry } }, 2)),
  mcpServers('.gemini/antigravity/mcp_config.json', 'antigravity'),
  mcpServers('.kiro/settings/mcp.json', 'kiro', j({ mcpServers: { files: { ...entry, disabled: false, autoApprove: [] } } }, 2)),
  mcpServers(
    '.aws/amazonq/agents/default.json',
    'amazon-q',
    j({ name: 'default', mcpServers: { files: entry }, tools: ['*'] }, 2),
  ),
  {
    client: 'codex',
    path: '.codex/config.toml',
    text: `model = "o" # mine\n\n[mcp_servers.files]\n  command = ${j(node)}\n  args = [ # all of them\n${args.map((word) => `    ${j(word)},\n`).join('')}  ]\n\n[mcp_servers.files.env]\n${Object.entries(
      env,
    )
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join('')}`,
    read: (text) => usual((parseToml(text) as unknown as { mcp_servers: { files: unknown } }).mcp_servers.files),
  },
  {
    client: 'opencode',
    path: '.config/opencode/opencode.jsonc',
    text: `// mine\n${j({ mcp: { files: { type: 'local', command, environment: env, enabled: true } } }, 2)}`,
    read: (text) => {
      const { command: words, environment } = JSON.parse(noComments(text)).mcp.files as {
        command: string[]
        environment: Record<string, string>
      }
      return { command: words, env: environment }
    },
  },
  {
    client: 'zed',
    path: '.config/zed/settings.json',
    text: j({ context_servers: { files: { source: 'custom', command: { path: node, args }, env } } }, 2),
    read: (text) => {
      const { command: given, env: variables } = JSON.parse(text).context_servers.files as {
        command: { path: string; args: string[] }
        env: Record<string, string>
      }
      return { command: [given.path, ...given.args], env: variables }
    },
  },
  {
    client: 'continue',
    path: '.continue/config.yaml',
    text: `name: mine\nmcpServers:\n  - name: files\n    command: ${j(node)}\n    args:\n${args.map((word) => `      - ${j(word)} # x\n`).join('')}    env: ${j(env)}\n`,
    read: (text) => usual((parseYaml(text) as { mcpServers: unknown[] }).mcpServers[0]),
  },
  {
    client: 'goose',
    path: '.config/goose/config.yaml',
    text: `extensions:\n  developer:\n    type: builtin\n  files:\n    type: stdio\n    cmd: ${j(node)}\n    args: ${j(args)}\n    envs: ${j(env)}\n    enabled: true\n`,
    read: (text) => {
      const {
        cmd,
        args: rest,
        envs,
      } = (parseYaml(text) as { extensions: { files: { cmd: string; args: string[]; envs: Record<string, string> } } }).extensions
        .files
      return { command: [cmd, ...rest], env: envs }
    },
  },
  mcpServers('.lmstudio/mcp.json', 'lm-studio'),
  mcpServers(`${support}/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json`, 'cline'),
  mcpServers(`${support}/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json`, 'roo-code'),
  {
    client: 'copilot-cli',
    path: '.copilot/mcp-config.json',
    text: j({ mcpServers: { files: { type: 'local', ...entry, tools: ['*'] } } }),
    read: inJson('mcpServers', 'files'),
  },
  mcpServers('.junie/mcp/mcp.json', 'junie'),
]
const textOf = ({ path }: File): string => readFileSync(join(home, path), 'utf8')
for (const { path, text } of files) {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
}

/** The command line, as it is started from its folder with spaces. */
async function cli(...words: string[]): Promise<string> {
  const running = yard.start([ourCli, ...words, '--home', home])
  const { code } = await running.ended
  assert.equal(code, 0, [...running.errors, ...running.out].join('\n'))
  return running.out.join('\n')
}

describe('discover, wrap, unwrap', () => {
  let data = ''
  before(() => (data = yard.folder()))

  it('has a file of every client', () =>
    assert.deepEqual(files.map(({ client }) => client).sort(), clients.map(({ id }) => id).sort()))

  it('finds every server, and shows the value of no variable (SUP-R1, K-35)', async () => {
    const out = await cli('discover', '--json', project)
    const found = JSON.parse(out) as {
      files: { client: string; servers: { name: string; command: string[]; env: string[] }[]; problems: unknown[] }[]
    }
    assert.deepEqual(found.files.map(({ client }) => client).sort(), files.map(({ client }) => client).sort())
    for (const { client, servers, problems } of found.files)
      assert.deepEqual(
        [servers.map(({ name, command: words, env: names }) => [name, words, names]), problems],
        [[['files', command, ['MARKER_OF_THE_TEST']]], []],
        client,
      )
    assert.ok(!out.includes(env.MARKER_OF_THE_TEST))
    assert.match(await cli('discover', project), /20 clients, 20 servers, 0 through Sekisho/)
  })

  it('changes nothing in a dry run', async () => {
    assert.match(await cli('wrap', '--all', '--dry-run'), /20 servers would be wrapped; nothing was changed/)
    for (const file of files) assert.equal(textOf(file), file.text, file.client)
    assert.ok(!existsSync(join(home, '.sekisho')))
  })

  it('wraps them all', async () => {
    assert.match(await cli('wrap', '--all'), /20 servers wrapped/)
    for (const file of files) {
      const now = file.read(textOf(file))
      assert.deepEqual(
        now.command,
        [node, '--disable-warning=ExperimentalWarning', ourCli, 'run', '--id', id, '--', ...command],
        file.client,
      )
      assert.deepEqual({ ...now.env }, env, file.client)
    }
    assert.match(await cli('discover', project), /20 servers, 20 through Sekisho/)
    assert.match(await cli('wrap', '--all'), /nothing to wrap/)
  })

  for (const [at, client] of ['claude-desktop', 'codex', 'continue', 'opencode'].entries())
    it(`${client}: what its file says now is started, and a tool is called through Sekisho`, async () => {
      const file = files.find((one) => one.client === client) as File
      const now = file.read(textOf(file))
      const folder = join(data, client)
      const flavour = flavours[at % flavours.length] as (typeof flavours)[number]
      const peer = await connect(flavour, { command: now.command, cwd: project, env: { ...now.env, XDG_DATA_HOME: folder } })
      try {
        assert.equal((await peer.call('test_simple_text')).text, 'Plain text from the fixture.')
        assert.equal((await peer.call('environment', { name: 'MARKER_OF_THE_TEST' })).text, env.MARKER_OF_THE_TEST)
      } finally {
        await peer.close()
      }
      const tail = yard.start([ourCli, 'audit', 'tail', '--path', join(folder, `sekisho/${id}.audit.db`), '-n', '20'])
      await tail.ended
      assert.ok(
        tail.out.some((line) => line.includes('test_simple_text')),
        tail.out.join('\n'),
      )
    })

  it('gives back every byte', async () => {
    assert.match(await cli('unwrap', '--dry-run'), /20 servers would be unwrapped/)
    assert.match(await cli('unwrap'), /20 servers unwrapped/)
    for (const file of files) assert.equal(textOf(file), file.text, file.client)
    assert.deepEqual(readdirSync(join(home, '.sekisho/wrapped')), [])
    assert.match(await cli('unwrap'), /nothing is wrapped/)
  })
})

it('a remote server: the client starts Sekisho, and Sekisho calls the server', async () => {
  const upstream = await yard.upstream(upstreamOne)
  const folder = join(yard.folder(), 'home')
  mkdirSync(join(folder, '.vscode'), { recursive: true })
  const file = join(folder, '.vscode/mcp.json')
  const text = j({ servers: { remote: { type: 'http', url: upstream.url } } }, 2)
  writeFileSync(file, text)
  const run = async (...words: string[]): Promise<void> => {
    const running = yard.start([ourCli, ...words, '--home', folder])
    assert.equal((await running.ended).code, 0, running.errors.join('\n'))
  }
  await run('wrap', '--client', 'vscode')
  const now = JSON.parse(readFileSync(file, 'utf8')).servers.remote as { type: string; command: string; args: string[] }
  assert.equal(now.type, 'stdio')
  const peer = await connect('SDK 2 legacy', {
    command: [now.command, ...now.args],
    cwd: project,
    env: { XDG_DATA_HOME: yard.folder() },
  })
  assert.equal((await peer.call('test_simple_text')).text, 'Plain text from the fixture.')
  await peer.close()
  await run('unwrap')
  assert.equal(readFileSync(file, 'utf8'), text)
})
