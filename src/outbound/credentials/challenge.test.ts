import assert from 'node:assert/strict'
import test from 'node:test'
import { challengeOf } from './challenge.ts'

const of = (status: number, header?: string) => challengeOf({ status, header: () => header })
const none = { error: undefined, scope: undefined, resourceMetadata: undefined, claims: undefined }

const notOurs: readonly (readonly [status: number, header: string | undefined])[] = [
  [200, 'Bearer error="invalid_token"'],
  [403, undefined],
  [403, 'Bearer error="invalid_token"'],
  [403, 'Basic error="insufficient_scope"'],
  [404, 'Bearer'],
  [407, 'Bearer error="invalid_token"'],
  [500, 'Bearer error="insufficient_scope"'],
]
for (const [status, header] of notOurs)
  test(`${status} ${header} says nothing of the credential`, () => assert.equal(of(status, header), undefined))

const unread: readonly (readonly [says: string, header: string | undefined])[] = [
  ['no header', undefined],
  ['another scheme', 'Basic realm="x", error="invalid_token"'],
  ['a quote that does not end', 'Bearer error="invalid'],
  ['a header beyond measure', `Bearer error="${'x'.repeat(9000)}"`],
  ['parameters of the scheme before', 'Digest error="a", nonce="b", Bearer'],
]
for (const [says, header] of unread)
  test(`a 401 with ${says} is a challenge without particulars`, () => assert.deepEqual(of(401, header), { status: 401, ...none }))

test('the particulars of RFC 6750, RFC 9728 and Entra are read, quoted or not', () =>
  assert.deepEqual(
    of(
      401,
      'Bearer realm="a \\"b\\", c", error=invalid_token , scope="mcp:read  mcp:write", resource_metadata="https://a.example/x?y=1,2", claims="eyJhIjoxfQ=="',
    ),
    {
      status: 401,
      error: 'invalid_token',
      scope: ['mcp:read', 'mcp:write'],
      resourceMetadata: 'https://a.example/x?y=1,2',
      claims: 'eyJhIjoxfQ==',
    },
  ))

test('ours is found among other schemes, in any letters, and may be spread over two', () =>
  assert.deepEqual(
    of(401, 'Negotiate abc==, bEaReR Scope="a", ERROR="x", Basic realm="r", scope="theirs", Bearer scope="b", claims="c"'),
    {
      status: 401,
      error: 'x',
      scope: ['a'],
      resourceMetadata: undefined,
      claims: 'c',
    },
  ))

test('a scope that could end a parameter is left out', () =>
  assert.deepEqual(of(401, 'Bearer scope="a\\"b c\\\\d ok"')?.scope, ['ok']))

test('403 counts with insufficient_scope only', () =>
  assert.deepEqual(of(403, 'Bearer error="insufficient_scope", scope="w"'), {
    status: 403,
    ...none,
    error: 'insufficient_scope',
    scope: ['w'],
  }))

const hostile = [`Bearer ${'a='.repeat(4000)}`, `Bearer "${'\\'.repeat(8000)}`, ' ,'.repeat(4000), `${'a '.repeat(4000)}=`]
for (const header of hostile)
  test(`${header.slice(0, 10)}… without end is read to its end, and has no particulars`, () =>
    assert.deepEqual(of(401, header), { status: 401, ...none }))
