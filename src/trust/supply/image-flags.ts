/**
 * The flags of `docker run` (28), `podman run` (5.6) and `nerdctl run` (2.1): which of them take a value, for on that depends which word is
 * the image. A flag that is in no list is refused, since it could be of either kind.
 */
import { NotAdmitted } from './not-admitted.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

interface Flags {
  /** Stand alone, or have `=true` and `=false`. */
  readonly alone: ReadonlySet<string>
  readonly valued: ReadonlySet<string>
}

const all: Flags = {
  alone: new Set(
    words(
      '-d -i -t -q --detach --init --interactive --no-healthcheck --oom-kill-disable --privileged --quiet --read-only --rm --sig-proxy --tty',
    ),
  ),
  valued: new Set([
    ...words(
      '-a -e -h -l -m -p -u -v -w --add-host --annotation --attach --blkio-weight --blkio-weight-device --cap-add --cap-drop',
    ),
    ...words(
      '--cgroup-parent --cgroupns --cidfile --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpu-shares --cpus',
    ),
    ...words('--cpuset-cpus --cpuset-mems --detach-keys --device --device-read-bps --device-read-iops --device-write-bps'),
    ...words(
      '--device-write-iops --dns --dns-opt --dns-option --dns-search --entrypoint --env --env-file --expose --gpus --group-add',
    ),
    ...words(
      '--health-cmd --health-interval --health-retries --health-start-period --health-timeout --hostname --ip --ip6 --ipc',
    ),
    ...words(
      '--kernel-memory --label --label-file --log-driver --log-opt --mac-address --memory --memory-reservation --memory-swap',
    ),
    ...words(
      '--memory-swappiness --mount --name --net --network --network-alias --oom-score-adj --pid --pids-limit --platform --publish',
    ),
    ...words(
      '--pull --restart --security-opt --shm-size --stop-signal --stop-timeout --sysctl --tmpfs --ulimit --user --userns --uts',
    ),
    ...words('--volume --volumes-from --workdir'),
  ]),
}

const own: Readonly<Record<string, { readonly alone: string; readonly valued: string }>> = {
  docker: {
    alone: '-P --disable-content-trust --publish-all --use-api-socket',
    valued: `-c --cpu-count --cpu-percent --device-cgroup-rule --domainname --health-start-interval --io-maxbandwidth --io-maxiops
      --isolation --link --link-local-ip --net-alias --runtime --storage-opt --volume-driver`,
  },
  podman: {
    alone: `-P --disable-content-trust --env-host --http-proxy --no-hostname --no-hosts --passwd --publish-all --read-only-tmpfs --replace
      --rmi --tls-verify --unsetenv-all`,
    valued: `-c --arch --authfile --cert-dir --cgroup-conf --cgroups --chrootdirs --conmon-pidfile --creds --decryption-key
      --device-cgroup-rule --env-merge --gidmap --group-entry --health-log-destination --health-max-log-count --health-max-log-size
      --health-on-failure --health-startup-cmd --health-startup-interval --health-startup-retries --health-startup-success
      --health-startup-timeout --hosts-file --hostuser --image-volume --os --passwd-entry --personality --pidfile --pod --pod-id-file
      --preserve-fd --preserve-fds --rdt-class --requires --retry --retry-delay --sdnotify --seccomp-policy --secret
      --shm-size-systemd --subgidname --subuidname --systemd --timeout --tz --uidmap --umask --unsetenv --variant`,
  },
  nerdctl: {
    alone: '',
    valued: '--cgroup-conf --domainname --pidfile --rdt-class --runtime --systemd --umask',
  },
}

export interface Run {
  /** Of `run`, with their values; a cluster of short ones is taken apart. */
  readonly flags: readonly (readonly [name: string, value: string | undefined])[]
  /** The first word that is none of them, and what is given to the image. */
  readonly rest: readonly string[]
}

/** Reads what stands after `run`, as these programs do (GNU conventions, without abbreviations). Throws {@link NotAdmitted}. */
export function readRun(program: string, args: readonly string[]): Run {
  const { alone = '', valued = '' } = own[program] ?? {}
  const stands = new Set([...all.alone, ...words(alone)])
  const takes = new Set([...all.valued, ...words(valued)])
  const flags: [string, string | undefined][] = []
  const unknown = (flag: string): NotAdmitted =>
    new NotAdmitted({
      why: `the flag ${flag.slice(0, 80)} of ${program} run is not known, so that it cannot be told which word is the image`,
      fix: `remove it; the flags that are known are those that each ${program} has`,
    })
  let at = 0
  for (; at < args.length; at++) {
    const word = args[at] as string
    if (word === '--') return { flags, rest: args.slice(at + 1) }
    if (!word.startsWith('-') || word === '-') break
    if (word.startsWith('--')) {
      const [name = '', value] = word.split(/=(.*)/s, 2)
      if (!stands.has(name) && !takes.has(name)) throw unknown(name)
      flags.push([name, value ?? (takes.has(name) ? args[++at] : undefined)])
      continue
    }
    for (let rest = word.slice(1); rest !== ''; ) {
      const name = `-${rest[0]}`
      rest = rest.slice(1)
      if (stands.has(name) && !rest.startsWith('=')) {
        flags.push([name, undefined])
        continue
      }
      if (!stands.has(name) && !takes.has(name)) throw unknown(name)
      flags.push([name, rest === '' ? args[++at] : rest.replace(/^=/, '')])
      rest = ''
    }
  }
  return { flags, rest: args.slice(at) }
}
