/** The product, started for one test file, with keys, an audit log that can be read, and words to judge an answer by. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { newApiKey } from '../../../src/identity/api-keys.ts'
import { until } from '../../e2e/support/until.ts'
import { cli, type Gateway, Yard } from '../../e2e/support/yard.ts'
import type { Got } from './client.ts'
import type { Echo, Json } from './echo.ts'

export { until, within } from '../../e2e/support/until.ts'
export { node, type Yard } from '../../e2e/support/yard.ts'

export const all = { effect: 'allow', server: '*', tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] }

/** Everyone may do everything, nobody is limited, servers may call their tools what they like; a test takes away what it is about. */
export const open = (servers: object, changes: object = {}): object => ({
  listen: '127.0.0.1:0',
  admin: { listen: '127.0.0.1:0' },
  store: 'sqlite:./data/sekisho.db',
  servers,
  roles: { all: [all] },
  bindings: [{ role: 'all', anonymous: true }],
  limits: { principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
  guards: [{ guard: 'trust', mode: 'off' }],
  ...changes,
})

export interface Keyed {
  readonly identity: object
  readonly bindings: readonly object[]
  readonly tokens: Readonly<Record<string, string>>
}

/** One key for each id, each with `role`. */
export function keyed(ids: readonly string[], role = 'all'): Keyed {
  const made = ids.map((id) => ({ id, ...newApiKey(id) }))
  return {
    identity: { mode: 'api-keys', keys: made.map(({ id, sha256 }) => ({ id, sha256 })) },
    bindings: ids.map((apiKey) => ({ role, apiKey })),
    tokens: Object.fromEntries(made.map(({ id, key }) => [id, key])),
  }
}

export const yard = (): Yard => new Yard()

/** The product with an environment of its own; `url` is empty where it refused to start. */
export async function startIn(
  house: Yard,
  config: object,
  env: Record<string, string> = {},
  folder = house.folder(),
): Promise<Pick<Gateway, 'url' | 'folder' | 'child' | 'out' | 'errors'>> {
  writeFileSync(join(folder, 'sekisho.yaml'), JSON.stringify(config))
  const running = house.start([cli, 'start', '--config', join(folder, 'sekisho.yaml'), '--json'], {
    cwd: folder,
    env: { ...process.env, ...env },
  })
  const ready = await until(
    'the gateway is ready',
    () => running.out.find((line) => line.startsWith('{"event":"ready"')) ?? (running.child.exitCode !== null && 'null'),
  )
  return { ...running, folder, url: (JSON.parse(ready) as { listen?: string } | null)?.listen ?? '' }
}

export const httpServer = ({ url }: Echo, era: 'legacy' | 'modern' | 'auto' = 'modern', more: Json = {}): Json => ({
  url,
  era,
  transport: 'streamable-http',
  ...more,
})

/** The entries of the audit log so far, oldest first. */
export function recordOf(gateway: Pick<Gateway, 'folder'>): Json[] {
  const store = new DatabaseSync(join(gateway.folder, 'data/audit.db'), { readOnly: true })
  try {
    return store
      .prepare('SELECT text FROM entry ORDER BY seq')
      .all()
      .map((row) => JSON.parse((row as { text: string }).text) as Json)
  } finally {
    store.close()
  }
}

/** The stable code of a refusal, wherever it stands: an error's data, or the `_meta` of a tool result. */
export function codeOf({ json }: Pick<Got, 'json'>): string | undefined {
  const { error, result } = json as { error?: { data?: Json }; result?: { _meta?: Json } }
  const reason = (error?.data ?? result?._meta)?.['dev.sekisho/refusal'] as { code?: string } | undefined
  return reason?.code
}

/** What a refusal says, to a program or in a chat. */
export function saysOf({ json }: Pick<Got, 'json'>): string {
  const { error, result } = json as { error?: { message?: string }; result?: { content?: { text?: string }[] } }
  return error?.message ?? result?.content?.[0]?.text ?? ''
}

/** Refused by us: this status, this code, a sentence like this. */
export function refused(got: Got, status: number, code: string, says: RegExp): void {
  assert.deepEqual([got.status, codeOf(got)], [status, code], got.text.slice(0, 500))
  assert.match(saysOf(got), says)
}

/** The result of a call that passed. */
export function passed(got: Got): Json {
  const { result } = got.json as { result?: Json }
  assert.ok(got.status === 200 && result !== undefined && codeOf(got) === undefined, `${got.status} ${got.text.slice(0, 500)}`)
  return result
}
export const textOf = (got: Got): string => ((passed(got)['content'] as { text: string }[])[0] as { text: string }).text
