/**
 * `npm start -- --sso`: the example workspace behind a login. Starts a stand-in for Microsoft Entra ID with three people
 * and no passwords, and then `sekisho start` with examples/sso/sekisho.yaml. `--port 4180` is the first of three ports in a
 * row (gateway, its metrics, provider), 0 for any that are free; `--folder` is where the workspace is.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { writeExample } from '../src/cli/example.ts'
import { table } from '../src/cli/table.ts'
import { startEntra } from '../test/stand-ins/entra/entra.ts'
import { clientId, company, people, secret, tenant } from './sso/company.ts'

const options = { port: { type: 'string', default: '4180' }, folder: { type: 'string', default: '.sekisho/sso' } } as const
const { values } = parseArgs({ options })
const folder = resolve(values.folder)
const first = Number(values.port)
const port = (nth: number): number => (first === 0 ? 0 : first + nth)

function fail(message: string): never {
  process.stderr.write(`sekisho: ${message}\n`)
  process.exit(1)
}

const clientSecret = secret()
const provider = await startEntra({
  ...company(clientSecret),
  plainHttpOnLoopback: true,
  host: 'localhost', // a name that is not the gateway's, so that neither sees the cookies of the other
  port: port(2),
}).catch((error: NodeJS.ErrnoException) =>
  fail(
    error.code === 'EADDRINUSE'
      ? `port ${port(2)} is taken; end what listens there, or name other ports: npm start -- --sso --port 4190`
      : `the stand-in for the identity provider does not start: ${error.message}`,
  ),
)

await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'provider-secret'), clientSecret, { mode: 0o600 })
const file = await writeExample(folder, 'sso', {
  LISTEN: `127.0.0.1:${port(0)}`,
  ADMIN: `127.0.0.1:${port(1)}`,
  PROVIDER: provider.url,
  TENANT: tenant,
  CLIENT: clientId,
})
if (!(await readFile(file, 'utf8')).includes(provider.url))
  fail(`${file} is for another provider than ${provider.url}; remove it, and it is written anew`)

console.log(`\n${styleText('bold', 'Who can log in')}  ${styleText('gray', `at ${provider.url}, without a password`)}\n`)
console.log(
  table(
    people.map(({ name, username, may }) => [name, username, `may ${may}`]),
    '  ',
  ).trimEnd(),
)
console.log(`
Connect a client as shown below. It opens a browser: allow the client, then choose who you are. To come back as somebody
else, have the client forget its login; what you have allowed is at /oauth/consents of the gateway.`)

const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const gateway = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'start', '--config', file], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => gateway.kill(signal))
process.on('exit', () => gateway.kill())
gateway.on('exit', async (code, signal) => {
  await provider.close()
  process.exit(signal ? 1 : code)
})
