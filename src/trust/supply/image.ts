/**
 * Which image `docker run` and its like start. Only a digest says which (OCI Distribution Specification, Pulling manifests): a tag
 * is whatever its registry makes of it today.
 */
import { NotAdmitted } from './not-admitted.ts'

const runtimes = /^(docker|podman|nerdctl)$/
/** Flags of `run` that stand alone. Any other takes the next word, unless it has its value after `=`. */
const alone =
  /^(-[itdPq]+|--(rm|init|interactive|tty|detach|privileged|read-only|publish-all|no-healthcheck|oom-kill-disable|sig-proxy|quiet|disable-content-trust|replace|rmi|no-hosts|tls-verify))$/

/** The image; undefined for what is no such command. Throws {@link NotAdmitted}. */
export function imageOf(program: string, args: readonly string[]): string | undefined {
  if (!runtimes.test(program)) return undefined
  const words = args[0] === 'container' ? args.slice(1) : args
  if (words[0] !== 'run') throw refuse(`${program} is not told to "run" an image`, `begin with: ${program} run --rm -i`)
  for (let at = 1; at < words.length; at++) {
    const word = words[at] as string
    if (word === '--') return pinned(words[at + 1], program)
    if (!word.startsWith('-')) return pinned(word, program)
    if (word.startsWith('--pull') && !/^--pull=(missing|never)$/.test(word))
      throw refuse(`the flag ${word} may replace the image`, 'remove it, or write --pull=never')
    if (!alone.test(word) && !word.includes('=') && !/^-[a-zA-Z]./.test(word)) at++
  }
  throw refuse(`${program} run names no image`, 'name it, with its digest')
}

function pinned(image: string | undefined, program: string): string {
  if (image !== undefined && /^[a-z0-9][\w./:-]*@sha256:[0-9a-f]{64}$/i.test(image)) return image
  throw new NotAdmitted({
    package: image,
    why: 'is an image without its digest, so that anything could be behind it',
    fix: `write ${image?.replace(/@.*/, '') ?? 'IMAGE'}@sha256:…, as shown by: ${program} image inspect --format "{{index .RepoDigests 0}}" ${image ?? 'IMAGE'}`,
  })
}

const refuse = (why: string, fix: string): NotAdmitted => new NotAdmitted({ why, fix })
