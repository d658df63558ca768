/**
 * Which image `docker run` and its like start. Only a digest says which (OCI Distribution Specification, Pulling manifests): a tag
 * is whatever its registry makes of it today.
 */
import { type Run, readRun } from './image-flags.ts'
import { NotAdmitted } from './not-admitted.ts'

const runtimes = /^(docker|podman|nerdctl)$/

/** The image; undefined for what is no such command. Throws {@link NotAdmitted}. */
export function imageOf(program: string, args: readonly string[]): string | undefined {
  if (!runtimes.test(program)) return undefined
  const { flags, rest } = runOf(program, args)
  for (const [name, value] of flags)
    if (name === '--pull' && !/^(missing|never)$/.test(value ?? ''))
      throw refuse(`the flag --pull=${value ?? ''} may replace the image`, 'remove it, or write --pull=never')
  if (rest[0] === undefined) throw refuse(`${program} run names no image`, 'name it, with its digest')
  return pinned(rest[0], program)
}

function runOf(program: string, args: readonly string[]): Run {
  const words = args[0] === 'container' ? args.slice(1) : args
  if (words[0] !== 'run') throw refuse(`${program} is not told to "run" an image`, `begin with: ${program} run --rm -i`)
  return readRun(program, words.slice(1))
}

function pinned(image: string, program: string): string {
  if (/^[a-z0-9][\w./:-]*@sha256:[0-9a-f]{64}$/i.test(image)) return image
  throw new NotAdmitted({
    package: image,
    why: 'is an image without its digest, so that anything could be behind it',
    fix: `write ${image.replace(/@.*/, '')}@sha256:…, as shown by: ${program} image inspect --format "{{index .RepoDigests 0}}" ${image}`,
  })
}

const refuse = (why: string, fix: string): NotAdmitted => new NotAdmitted({ why, fix })

/** Flags with which a container has more than its image: of this machine, of whoever starts it, of the runtime. */
const rights = /^--(privileged|use-api-socket|env-host|device|cap-add|security-opt|volumes-from|pod|runtime|gpus)$/
const namespaces = /^--(net|network|pid|ipc|uts|userns|cgroupns)$/

/** What a command gives its container of this machine, for whoever reviews the lock; empty for what is no such command. */
export function rightsOf(program: string, args: readonly string[]): readonly string[] {
  if (!runtimes.test(program)) return []
  return runOf(program, args).flags.flatMap(([name, value]) => {
    if (value === 'false') return []
    const isMount = name === '-v' || name === '--volume' || name === '--mount'
    const isOfHost = isMount ? /^[./~]|(^|,)type=bind(,|$)/.test(value ?? '') : namespaces.test(name) && value === 'host'
    return isOfHost || rights.test(name) ? [value === undefined ? name : `${name} ${value}`] : []
  })
}
