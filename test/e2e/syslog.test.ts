/**
 * The syslog sink against a real rsyslogd on loopback, over TCP and over TLS with certificates on both sides (POS-C9): what
 * arrives, and that an outage, a kill and a restart lose nothing and change no order.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Audit } from '../../src/audit/audit.ts'
import { type LogFixture, makeLog, passMany, passOne } from '../../src/audit/fixture.test.ts'
import { type SyslogOptions, syslogSink } from '../../src/audit/sinks/syslog.ts'
import { Refusal } from '../../src/pipeline/refusal.ts'

const rsyslogd = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd', '/usr/bin/rsyslogd'].find((path) => existsSync(path))
const moduleFolders = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib/rsyslog',
  '/usr/lib64/rsyslog',
]
const driver = [
  ['ossl', 'lmnsd_ossl.so'],
  ['gtls', 'lmnsd_gtls.so'],
].find(([, file]) => moduleFolders.some((folder) => existsSync(join(folder, file as string))))?.[0]

const skipTcp = rsyslogd === undefined ? 'rsyslogd is not installed (Debian: rsyslog)' : false
const skipTls =
  skipTcp ||
  (driver === undefined && 'rsyslogd has no TLS driver (Debian: rsyslog-openssl or rsyslog-gnutls)') ||
  (spawnSync('openssl', ['version']).status !== 0 && 'openssl is not installed')

const folder = mkdtempSync(join(tmpdir(), 'sekisho-syslog-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string): string => join(folder, name)

/** A throw-away authority, and under it a certificate for the collector, one for us, and one that nobody asked for. */
function makeCertificates(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  for (const authority of ['ca', 'other-ca'])
    openssl('req', '-x509', ...key, '-keyout', `${authority}.key`, '-out', `${authority}.pem`, '-subj', `/CN=${authority}`)
  for (const name of ['collector', 'gateway']) {
    writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${name}.test\n`)
    openssl(
      'req',
      '-new',
      ...key.slice(0, 4),
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}.test`,
    )
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    )
  }
}

class Collector {
  readonly out: string
  private readonly configuration: string
  private readonly port: number
  private child: ChildProcess | undefined

  constructor(name: string, port: number, secure: boolean) {
    this.port = port
    this.out = file(`${name}.log`)
    this.configuration = file(`${name}.conf`)
    const certificates = `DefaultNetstreamDriver="${driver}" DefaultNetstreamDriverCAFile="${file('ca.pem')}" DefaultNetstreamDriverCertFile="${file('collector.pem')}" DefaultNetstreamDriverKeyFile="${file('collector.key')}"`
    const stream = ` StreamDriver.Name="${driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid"`
    writeFileSync(
      this.configuration,
      [
        `global(workDirectory="${folder}" maxMessageSize="8k" ${secure ? certificates : ''})`,
        `module(load="imtcp"${secure ? stream : ''})`,
        'template(name="all" type="string" string="%pri%\\t%timereported:::date-rfc3339%\\t%hostname%\\t%app-name%\\t%msgid%\\t%structured-data%\\t%msg%\\n")',
        `ruleset(name="keep") { action(type="omfile" file="${this.out}" template="all") }`,
        `input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="keep")`,
        '',
      ].join('\n'),
    )
  }

  async start(): Promise<void> {
    const args = ['-n', '-f', this.configuration, '-i', `${this.configuration}.pid`]
    this.child = spawn(rsyslogd as string, args, { stdio: ['ignore', 'ignore', 'ignore'] })
    for (let tries = 0; tries < 250; tries++) {
      if (await answers(this.port)) return
      await delay(20)
    }
    throw new Error('rsyslogd did not start')
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.child
    this.child = undefined
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
    rmSync(`${this.configuration}.pid`, { force: true })
  }

  lines(): string[] {
    return existsSync(this.out) ? readFileSync(this.out, 'utf8').split('\n').slice(0, -1) : []
  }

  /** Numbers of the entries that arrived, each at its first arrival: at least once means that some come again. */
  arrived(): number[] {
    return [...new Set(this.lines().map((line) => Number(/ cn1=(\d+) /.exec(`${line} `)?.[1])))]
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined)).on('error', () => resolve(false))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

const shipped = (log: LogFixture): number[] =>
  log
    .entries()
    .filter(({ kind }) => kind !== 'intent')
    .map(({ seq }) => seq)

async function untilDelivered(audit: Audit, msMax = 40_000): Promise<void> {
  const end = performance.now() + msMax
  while (audit.status().sinks[0]?.lag !== 0) {
    assert.ok(performance.now() < end, `still ${JSON.stringify(audit.status())} after ${msMax} ms`)
    await delay(50)
  }
}

type Transport = readonly [name: 'tcp' | 'tls', skip: string | false, tls: () => SyslogOptions['tls']]
const transports: readonly Transport[] = [
  ['tcp', skipTcp, () => undefined],
  [
    'tls',
    skipTls,
    () => ({ ca: file('ca.pem'), cert: file('gateway.pem'), key: file('gateway.key'), servername: 'collector.test' }),
  ],
]
if (skipTls === false) makeCertificates()

for (const [name, skip, tls] of transports) {
  const to = (port: number, own = tls()): SyslogOptions => ({
    host: '127.0.0.1',
    port,
    tls: own,
    facility: 'local3',
    appName: 'sekisho',
    hostname: 'gw-1',
    version: '0.1.0',
  })

  test(`${name}: what arrives is RFC 5424 with CEF, in UTF-8, one message for each outcome and operator’s action`, {
    skip,
  }, async () => {
    const port = await freePort()
    const collector = new Collector(`${name}-format`, port, name === 'tls')
    await collector.start()
    const log = makeLog()
    const audit = await log.open({ sinks: [syslogSink(to(port))] })
    await passOne(audit, { exchange: 'abc-1', subject: '関所|=\\\n"x"' })
    await passOne(audit, { exchange: 'abc-2', refusal: new Refusal('POLICY_DENIED', { detail: 'read_file' }) })
    await audit.event({ action: 'server.disabled', principal: 'cli:me', server: 'files' })
    await audit.close()
    await collector.stop('SIGTERM')

    const lines = collector.lines()
    assert.equal(lines.length, 3)
    const [delivered, refused, operator] = lines.map((line) => line.split('\t')) as [string[], string[], string[]]
    const { time } = log.entries()[1] as { time: string }
    const [pri, at, hostname, app, id, data, message] = delivered
    assert.deepEqual([pri, hostname, app, id], [String(19 * 8 + 6), 'gw-1', 'sekisho', 'outcome'])
    assert.equal(Date.parse(at as string), Date.parse(time))
    assert.equal(data, '[meta sequenceId="1"][origin software="Sekisho" swVersion="0.1.0"]')
    assert.match(
      message as string,
      /^ ?CEF:0\|Sekisho\|Sekisho\|0\.1\.0\|delivered\|MCP request delivered\|1\|rt=\d+ externalId=abc-1 /,
    )
    assert.ok((message as string).includes(' cs1=関所|\\=\\\\\\n"x" cs1Label=subject '))
    assert.deepEqual([refused[0], refused[4]], [String(19 * 8 + 4), 'outcome'])
    assert.match(
      refused[6] as string,
      /\|POLICY_DENIED\|MCP request refused\|5\|.* act=refused outcome=failure reason=POLICY_DENIED /,
    )
    assert.equal(operator[4], 'operator')
    assert.match(operator[6] as string, /\|server\.disabled\|Operator action\|4\|.* act=server\.disabled suser=cli:me /)
    log.remove()
  })

  test(`${name}: the collector is killed, stays away, and comes back: nothing is lost, nothing changes places`, {
    skip,
    timeout: 120_000,
  }, async () => {
    const port = await freePort()
    const collector = new Collector(`${name}-outage`, port, name === 'tls')
    await collector.start()
    const log = makeLog()
    const audit = await log.open({ sinks: [syslogSink(to(port))] })
    let busy = true
    const traffic = (async () => {
      while (busy) {
        await passMany(audit, 10)
        await delay(15)
      }
    })()
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      await delay(700 + Math.random() * 600)
      await collector.stop(signal)
      await delay(1500)
      assert.equal(audit.healthy(), true)
      await collector.start()
    }
    busy = false
    await traffic
    await untilDelivered(audit)
    await audit.close()
    await collector.stop('SIGTERM')
    const expected = shipped(log)
    assert.ok(expected.length > 500, `only ${expected.length} messages`)
    assert.deepEqual(collector.arrived(), expected)
    log.remove()
  })

  test(`${name}: what was recorded while nobody listened is sent after a restart`, { skip, timeout: 60_000 }, async () => {
    const port = await freePort()
    const collector = new Collector(`${name}-restart`, port, name === 'tls')
    const log = makeLog()
    for (let round = 0; round < 2; round++) {
      const deaf = await log.open({ sinks: [syslogSink(to(port))] })
      await passMany(deaf, 20)
      await delay(150)
      await deaf.close()
    }
    assert.deepEqual(collector.lines(), [])
    await collector.start()
    const audit = await log.open({ sinks: [syslogSink(to(port))] })
    await passMany(audit, 5)
    await untilDelivered(audit)
    await audit.close()
    const before = collector.lines().length
    const again = await log.open({ sinks: [syslogSink(to(port))] })
    await delay(500)
    await again.close()
    await collector.stop('SIGTERM')
    assert.deepEqual(collector.arrived(), shipped(log))
    assert.equal(collector.lines().length, before) // an orderly end leaves nothing to send twice
    log.remove()
  })
}

const impostors: readonly (readonly [name: string, tls: () => SyslogOptions['tls']])[] = [
  ['bears a certificate of another authority', () => ({ ...transports[1]?.[2](), ca: file('other-ca.pem') })],
  ['bears another name', () => ({ ...transports[1]?.[2](), servername: 'elsewhere.test' })],
]
for (const [name, tls] of impostors) {
  test(`tls: a collector that ${name} is sent nothing`, { skip: skipTls }, async () => {
    const port = await freePort()
    const collector = new Collector(`impostor-${impostors.findIndex(([one]) => one === name)}`, port, true)
    await collector.start()
    const log = makeLog()
    const sink = syslogSink({ host: '127.0.0.1', port, tls: tls(), facility: 'local0', appName: 'sekisho', hostname: 'gw-1' })
    const audit = await log.open({ sinks: [sink] })
    await passMany(audit, 5)
    await delay(800)
    assert.ok((audit.status().sinks[0]?.failures ?? 0) > 0)
    assert.equal(audit.status().sinks[0]?.lag, 10)
    await audit.close()
    await collector.stop('SIGTERM')
    assert.deepEqual(collector.lines(), [])
    log.remove()
  })
}
