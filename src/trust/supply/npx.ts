/** What `npx` and its like are asked for: a package, a version of it, one of its commands, and the arguments of that. */
import { NotAdmitted } from './not-admitted.ts'

export interface NpxRequest {
  readonly name: string
  readonly version: string | undefined
  readonly bin: string | undefined
  readonly args: readonly string[]
}

/** The words with which each says "run a command of a package". */
const askers: Readonly<Record<string, readonly (readonly string[])[]>> = {
  npx: [[]],
  bunx: [[]],
  pnpx: [[]],
  npm: [['exec'], ['x']],
  pnpm: [['dlx'], ['exec']],
  yarn: [['dlx'], ['exec']],
  bun: [['x']],
}

/** Undefined for any other command. Throws {@link NotAdmitted} for what cannot be told apart. */
export function npxRequest(program: string, args: readonly string[]): NpxRequest | undefined {
  const words = Object.hasOwn(askers, program)
    ? askers[program]?.find((one) => one.every((word, at) => args[at] === word))
    : undefined
  if (words === undefined) return undefined
  let wanted: string | undefined
  let at = words.length
  for (; at < args.length; at++) {
    const arg = args[at] as string
    const [flag = '', value] = arg.split(/=(.*)/s, 2)
    if (arg === '--') {
      at++
      break
    }
    if (!arg.startsWith('-')) break
    if (/^(-y|--yes|-q|--quiet|--silent|--prefer-offline|--offline|--prefer-online|--no-install|--bun)$/.test(arg)) continue
    if (flag !== '-p' && flag !== '--package') throw refuse(program, `the flag ${flag} of ${program} is not understood`)
    if (wanted !== undefined) throw refuse(program, `${program} is asked for more than one package`)
    wanted = value ?? args[++at]
  }
  const [first, ...rest] = args.slice(at)
  const spec = wanted ?? first
  const [, name, version] = /^((?:@[^@/]+\/)?[^@/:]+)(?:@(.*))?$/.exec(spec ?? '') ?? []
  if (name === undefined || name.startsWith('.'))
    throw refuse(program, `${program} is asked for ${spec?.slice(0, 80) ?? 'nothing'}, which is not the name of a package`)
  return { name, version, bin: wanted === undefined ? undefined : first, args: rest }
}

const refuse = (program: string, why: string): NotAdmitted =>
  new NotAdmitted({ why, fix: `write: ${program} PACKAGE@VERSION, and what the server is to be given` })
