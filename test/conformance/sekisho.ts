/**
 * Starts Sekisho in front of one upstream, with everything allowed to everyone: the conformance runs ask whether the
 * gateway is transparent, so no policy may speak. Configuration and store live in a directory that goes with it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, ROOT } from './launch.ts'

export interface RunningSekisho {
  /** The upstream's MCP endpoint, through the gateway. */
  endpoint: string
  admin: string
  stop: () => Promise<void>
}

const configFor = (upstreamUrl: string): string => `listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
store: sqlite:./data/sekisho.db
identity: { mode: anonymous }
servers:
  fixture: { url: ${JSON.stringify(upstreamUrl)}, trust: trusted }
roles:
  everything:
    - { effect: allow, server: "*", tools: ["*"], prompts: ["*"], resources: ["*"], asks: ["*"] }
bindings:
  - { role: everything, anonymous: true }
`

export async function startSekisho(upstreamUrl: string, logFile?: string): Promise<RunningSekisho> {
  const directory = await mkdtemp(join(tmpdir(), 'sekisho-conformance-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  const configFile = join(directory, 'sekisho.yaml')
  await writeFile(configFile, configFor(upstreamUrl))
  try {
    const { ready, stop } = await launch({
      args: [join(ROOT, 'src/cli/main.ts'), 'start', '--config', configFile, '--json'],
      cwd: directory,
      ...(logFile && { logFile }),
      readyIn: readyEvent,
    })
    return { endpoint: `${ready.listen}/fixture/mcp`, admin: ready.admin, stop: () => stop().finally(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

interface ReadyEvent {
  event: 'ready'
  listen: string
  admin: string
}

function readyEvent(line: string): ReadyEvent | null {
  if (!line.startsWith('{')) return null
  const said = JSON.parse(line) as Partial<ReadyEvent>
  return said.event === 'ready' ? (said as ReadyEvent) : null
}
