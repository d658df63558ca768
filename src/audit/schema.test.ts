import assert from 'node:assert/strict'
import test from 'node:test'
import { auditSchema } from './schema.ts'

const syslog = { kind: 'syslog', host: '127.0.0.1', port: 514 }
const refused: readonly (readonly [name: string, audit: object, path: string])[] = [
  ['an unknown key', { file: 'x' }, ''],
  ['an unknown key of a sink', { sinks: [{ ...syslog, protocol: 'udp' }] }, 'sinks.0'],
  ['another kind of sink', { sinks: [{ ...syslog, kind: 'webhook' }] }, 'sinks.0.kind'],
  ['a port that is none', { sinks: [{ ...syslog, port: 0 }] }, 'sinks.0.port'],
  ['a facility that is none', { sinks: [{ ...syslog, facility: 'local8' }] }, 'sinks.0.facility'],
  ['plain TCP to another machine', { sinks: [{ ...syslog, host: 'collector.example.com' }] }, 'sinks.0.tls'],
  ['a name that only looks like loopback', { sinks: [{ ...syslog, host: '127.0.0.1.example.com' }] }, 'sinks.0.tls'],
  ['a certificate without its key', { sinks: [{ ...syslog, tls: { cert: 'a.pem' } }] }, 'sinks.0.tls'],
  ['an anchor that is the log', { path: 'x', anchor: 'x' }, 'anchor'],
  ['an excerpt without a limit', { excerpts: {} }, 'excerpts.bytesMax'],
]
for (const [name, audit, path] of refused) {
  test(`${name} is refused`, () => {
    const read = auditSchema.safeParse(audit)
    assert.equal(read.success, false)
    assert.equal(read.error?.issues[0]?.path.join('.'), path)
  })
}

test('nothing said means a log beside the data, no excerpts, no sinks', () => {
  assert.deepEqual(auditSchema.parse(undefined), { path: './data/audit.db', anchor: './data/audit.anchor', sinks: [] })
})

test('a collector elsewhere is spoken to with TLS', () => {
  const { sinks } = auditSchema.parse({ sinks: [{ ...syslog, host: 'collector.example.com', tls: {} }] })
  assert.deepEqual(sinks, [{ ...syslog, host: 'collector.example.com', tls: {}, facility: 'local0' }])
})
