import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { type Architecture, isFiltered, seccompFilter } from './seccomp.ts'
import { absentCalls, examinedCalls, type Numbers, refusedCalls } from './syscalls.ts'

/** What the kernel does with a filter, for the five instructions that ours are made of (linux/filter.h). */
function answerOf(program: Buffer, call: { audit: number; number: number; arguments?: readonly bigint[] }): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(call.number, 0)
  data.writeUInt32LE(call.audit, 4)
  for (const [at, value] of (call.arguments ?? []).entries()) data.writeBigUInt64LE(value, 16 + at * 8)
  let loaded = 0
  for (let at = 0; at < program.length / 8; at++) {
    const [code, then, otherwise] = [program.readUInt16LE(at * 8), program[at * 8 + 2], program[at * 8 + 3]] as [
      number,
      number,
      number,
    ]
    const value = program.readUInt32LE(at * 8 + 4)
    const jump = (holds: boolean): number => (at += holds ? then : otherwise)
    if (code === 0x06) return value
    if (code === 0x20) loaded = data.readUInt32LE(value)
    else if (code === 0x15) jump(loaded === value)
    else if (code === 0x35) jump(loaded >= value)
    else if (code === 0x45) jump((loaded & value) !== 0)
    else assert.fail(`an instruction that we do not use: ${code}`)
  }
  assert.fail('the program has no end')
}

const [allow, kill, refuse, absent, family] = [0x7fff0000, 0x80000000, 0x00050001, 0x00050026, 0x00050061]
const audits = { x64: 0xc000003e, arm64: 0xc00000b7 } as const
const [newUser, thread] = [0x10000000n, 0x3d0f00n]
const big = 0xffffffff00000000n

for (const architecture of ['x64', 'arm64'] as const) {
  const column = architecture === 'x64' ? 0 : 1
  const program = seccompFilter(architecture)
  const audit = audits[architecture]
  const ask = (number: number, ...args: bigint[]): number => answerOf(program, { audit, number, arguments: args })
  const numberOf = (name: keyof typeof examinedCalls): number => examinedCalls[name][column]

  test(`${architecture}: calls that are refused`, () => {
    for (const [name, numbers] of Object.entries(refusedCalls))
      if (numbers[column] !== undefined) assert.equal(ask(numbers[column]), refuse, name)
    for (const [name, numbers] of Object.entries(absentCalls)) assert.equal(ask(numbers[column] as number), absent, name)
  })

  const examined: readonly (readonly [string, keyof typeof examinedCalls, readonly bigint[], number])[] = [
    ['a thread', 'clone', [thread], allow],
    ['a child', 'clone', [17n], allow],
    ['a user namespace', 'clone', [newUser | 17n], refuse],
    ['a mount namespace', 'clone', [0x20000n], refuse],
    ['a network namespace, with bits above that nobody reads', 'clone', [big | 0x40000000n], refuse],
    ['typing', 'ioctl', [0n, 0x5412n], refuse],
    ['typing, with bits above that nobody reads', 'ioctl', [0n, big | 0x5412n], refuse],
    ['a console', 'ioctl', [0n, 0x541cn], refuse],
    ['the size of a terminal', 'ioctl', [0n, 0x5413n], allow],
    ['unix', 'socket', [1n, 1n], allow],
    ['IPv4', 'socket', [2n, 1n], allow],
    ['IPv6', 'socket', [10n, 1n], allow],
    ['netlink', 'socket', [16n, 3n], allow],
    ['the hypervisor', 'socket', [40n, 1n], family],
    ['packets', 'socket', [17n, 3n], family],
    ['ciphers of the kernel', 'socket', [38n, 5n], family],
  ]
  test(`${architecture}: calls whose arguments decide`, () => {
    for (const [what, call, args, answer] of examined) assert.equal(ask(numberOf(call), ...args), answer, what)
  })

  test(`${architecture}: everything else is allowed, in its own tongue only`, () => {
    const named = new Set(
      [refusedCalls, absentCalls, examinedCalls].flatMap((calls) => Object.values<Numbers>(calls).map((one) => one[column])),
    )
    for (let number = 0; number < 600; number++) if (!named.has(number)) assert.equal(ask(number), allow, `${number}`)
    for (const other of [0x40000003, 0xc00000b7, 0xc000003e, 0].filter((one) => one !== audit))
      assert.equal(answerOf(program, { audit: other, number: 39 }), kill)
    assert.equal(ask(0x40000000 + 101), architecture === 'x64' ? kill : allow)
  })

  test(`${architecture}: the program is one that the kernel takes`, () => {
    assert.equal(program.length % 8, 0)
    assert.ok(program.length / 8 < 4096)
    assert.equal(program.readUInt16LE(program.length - 8), 0x06, 'it ends with an answer')
  })
}

test('no filter for other machines', () => {
  for (const one of ['ia32', 'arm', 'riscv64', 's390x', 'toString'] satisfies string[]) assert.equal(isFiltered(one), false)
  for (const one of ['x64', 'arm64'] satisfies Architecture[]) assert.equal(isFiltered(one), true)
})

const headers = [
  ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h', 0],
  ['/usr/include/asm-generic/unistd.h', 1],
] as const
for (const [file, column] of headers)
  test(`numbers as in ${file}`, { skip: existsSync(file) ? false : 'the headers of the kernel are not here' }, () => {
    const known = new Map(
      [...readFileSync(file, 'utf8').matchAll(/__NR(?:3264)?_(\w+)\s+(\d+)$/gm)].map(([, name, number]) => [
        name,
        Number(number),
      ]),
    )
    const ours = [refusedCalls, absentCalls, examinedCalls].flatMap((calls) => Object.entries<Numbers>(calls))
    const compared = ours.filter(([name]) => known.has(name))
    for (const [name, numbers] of compared) assert.equal(numbers[column], known.get(name), name)
    assert.ok(compared.length > 45)
  })
