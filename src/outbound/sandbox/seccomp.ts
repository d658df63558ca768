/**
 * The filter of system calls, as a program for the kernel (seccomp(2), linux/seccomp.h, linux/filter.h): classic BPF, which reads
 * a number and its arguments, and answers. Handed to bubblewrap, which loads it last of all. Everything is allowed but what
 * syscalls.ts names, new namespaces, sockets that no namespace keeps apart, and typing on our terminal.
 */
import { absentCalls, examinedCalls, type Numbers, refusedCalls } from './syscalls.ts'

/** What is known of an architecture: its place in the table, and its mark (linux/audit.h). */
const architectures = {
  x64: { column: 0, audit: 0xc000003e },
  arm64: { column: 1, audit: 0xc00000b7 },
} as const
export type Architecture = keyof typeof architectures

export const isFiltered = (architecture: string): architecture is Architecture => Object.hasOwn(architectures, architecture)

const load = 0x20 // BPF_LD | BPF_W | BPF_ABS
const equal = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
const atLeast = 0x35 // BPF_JMP | BPF_JGE | BPF_K
const anyOf = 0x45 // BPF_JMP | BPF_JSET | BPF_K
const answer = 0x06 // BPF_RET | BPF_K

/** Offsets in struct seccomp_data; of an argument the low half, which is all that the calls examined here look at. */
const field = { number: 0, architecture: 4, argument0: 16, argument1: 24 } as const

const errno = (number: number): number => 0x00050000 | number
const answers = {
  allow: 0x7fff0000,
  kill: 0x80000000,
  refuse: errno(1), // EPERM
  absent: errno(38), // ENOSYS
  family: errno(97), // EAFNOSUPPORT
} as const

/** On x86-64, calls with this bit are those of the x32 interface: the same calls under other numbers. */
const x32Bit = 0x40000000
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = 0x7e020000
/** TIOCSTI and TIOCLINUX: put words into a terminal as if its user had typed them. */
const typing = [0x5412, 0x541c] as const
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Others, such as AF_VSOCK, reach the host from any network namespace. */
const families = [1, 2, 10, 16] as const

interface Step {
  readonly code: number
  readonly value: number
  /** Where to go on when the comparison holds, or does not; undefined: at the next step. */
  readonly yes?: Label
  readonly no?: Label
  readonly label?: Label
}
type Label = keyof typeof answers | keyof typeof examinedCalls

/** The program for this architecture, as the kernel reads it on a little-endian machine. */
export function seccompFilter(architecture: Architecture): Buffer {
  const { column, audit } = architectures[architecture]
  const numbersOf = (calls: Readonly<Record<string, Numbers>>): number[] =>
    Object.values(calls).flatMap((numbers) => numbers[column] ?? [])
  const when = (value: number, yes: Label): Step => ({ code: equal, value, yes })
  return assemble([
    { code: load, value: field.architecture },
    { code: equal, value: audit, no: 'kill' },
    { code: load, value: field.number },
    ...(architecture === 'x64' ? [{ code: atLeast, value: x32Bit, yes: 'kill' } as const] : []),
    ...numbersOf(refusedCalls).map((number) => when(number, 'refuse')),
    ...numbersOf(absentCalls).map((number) => when(number, 'absent')),
    ...(['clone', 'ioctl', 'socket'] as const).map((name) => when(examinedCalls[name][column], name)),
    { code: answer, value: answers.allow },
    { code: load, value: field.argument0, label: 'clone' },
    { code: anyOf, value: newNamespaces, yes: 'refuse', no: 'allow' },
    { code: load, value: field.argument1, label: 'ioctl' },
    ...typing.map((request) => when(request, 'refuse')),
    { code: answer, value: answers.allow },
    { code: load, value: field.argument0, label: 'socket' },
    ...families.map((family) => when(family, 'allow')),
    { code: answer, value: answers.family, label: 'family' },
    { code: answer, value: answers.allow, label: 'allow' },
    { code: answer, value: answers.absent, label: 'absent' },
    { code: answer, value: answers.refuse, label: 'refuse' },
    { code: answer, value: answers.kill, label: 'kill' },
  ])
}

/** Eight bytes a step: code, two jumps counted in steps from the next one, value (struct sock_filter). Jumps lead forward only. */
function assemble(steps: readonly Step[]): Buffer {
  const program = Buffer.alloc(steps.length * 8)
  for (const [at, { code, value, yes, no }] of steps.entries()) {
    const jump = (label: Label | undefined): number =>
      label === undefined ? 0 : steps.findIndex((step, place) => place > at && step.label === label) - at - 1
    program.writeUInt16LE(code, at * 8)
    program.writeUInt8(jump(yes), at * 8 + 2)
    program.writeUInt8(jump(no), at * 8 + 3)
    program.writeUInt32LE(value >>> 0, at * 8 + 4)
  }
  return program
}
