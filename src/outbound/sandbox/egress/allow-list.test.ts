import assert from 'node:assert/strict'
import test from 'node:test'
import { allowList, hostPattern, readTarget } from './allow-list.ts'

const targets: readonly (readonly [text: string, read: string | undefined])[] = [
  ['', undefined],
  ['a.example', undefined],
  ['a.example:', undefined],
  ['a.example:0', undefined],
  ['a.example:65536', undefined],
  ['a.example:443/path', undefined],
  ['a.example:443#', undefined],
  ['user@a.example:443', undefined],
  ['http://a.example:443', undefined],
  ['a.example.:443', undefined],
  ['.a.example:443', undefined],
  ['a..example:443', undefined],
  ['*.a.example:443', undefined],
  ['-a.example:443', undefined],
  [`${'a'.repeat(64)}.example:443`, undefined],
  ['a.exa mple:443', undefined],
  ['a.example\0:443', undefined],
  ['a%2eexample:443', 'a.example 443'],
  ['::1:443', undefined],
  ['[::1]', undefined],
  ['[fe80::1%25eth0]:443', undefined],
  ['256.1.1.1:443', undefined],
  ['a.example:443', 'a.example 443'],
  ['A.EXAMPLE:0443', 'a.example 443'],
  ['bücher.example:443', 'xn--bcher-kva.example 443'],
  ['127.0.0.1:80', '127.0.0.1 80'],
  ['127.1:80', '127.0.0.1 80'],
  ['2130706433:80', '127.0.0.1 80'],
  ['0x7f000001:80', '127.0.0.1 80'],
  ['0177.0.0.1:80', '127.0.0.1 80'],
  ['１２７.0.0.1:80', '127.0.0.1 80'],
  ['[::1]:80', '::1 80'],
  ['[0:0::1]:80', '::1 80'],
  ['[::ffff:127.0.0.1]:80', '::ffff:7f00:1 80'],
  ['localhost:80', 'localhost 80'],
]

test('one spelling for each host and port, and none for what is none', () => {
  for (const [text, read] of targets) {
    const target = readTarget(text)
    assert.equal(target && `${target.host} ${target.port}`, read, JSON.stringify(text))
  }
})

const patterns: readonly (readonly [pattern: string, asked: string, allowance: 'literal' | 'suffix' | undefined])[] = [
  ['*.example.com:443', 'example.com:443', undefined],
  ['*.example.com:443', 'badexample.com:443', undefined],
  ['*.example.com:443', 'a.example.com:80', undefined],
  ['*.example.com:443', 'a.example.com.evil.test:443', undefined],
  ['a.example.com:443', 'b.a.example.com:443', undefined],
  ['a.example.com:443', 'a.example.com:8443', undefined],
  ['*.0.0.1:80', '127.0.0.1:80', undefined],
  ['a.example.com:443', 'a.example.com:443', 'literal'],
  ['A.Example.COM:443', 'a.example.com:443', 'literal'],
  ['*.example.com:443', 'a.example.com:443', 'suffix'],
  ['*.example.com:443', 'a.b.example.com:443', 'suffix'],
  ['127.0.0.1:80', '2130706433:80', 'literal'],
  ['[::1]:80', '[0::1]:80', 'literal'],
]

test('a pattern allows what it says', () => {
  for (const [pattern, asked, allowance] of patterns)
    assert.equal(
      allowList([pattern])(readTarget(asked) as NonNullable<ReturnType<typeof readTarget>>),
      allowance,
      `${pattern} ${asked}`,
    )
})

test('what is no pattern is refused by the schema, and allows nothing', () => {
  for (const text of [
    '*',
    '*:443',
    '*.com:443',
    '**.a.example:443',
    'a.*.example:443',
    '*.127.0.0.1:80',
    '*a.example:443',
    'a.example',
  ]) {
    assert.equal(hostPattern.safeParse(text).success, false, text)
    assert.equal(allowList([text])({ host: 'a.example', port: 443 }), undefined)
  }
})
