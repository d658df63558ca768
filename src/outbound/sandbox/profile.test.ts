import assert from 'node:assert/strict'
import test from 'node:test'
import { type Profile, type ProfileOptions, profile } from './profile.ts'

const options: ProfileOptions = {
  config: {
    read: [],
    write: [],
    network: 'none',
    memoryMbMax: 512,
    cpuSecondsMax: undefined,
    processesMax: 64,
    openFilesMax: 256,
    fileMbMax: 8,
    whenUnavailable: 'refuse',
  },
  command: ['node', 'server.js', 'two words'],
  cwd: '/srv/gate',
  home: '/home/ana',
  mounts: [
    { path: '/usr', source: '/usr', writable: false },
    { path: '/home/ana/work', source: '/data/work', writable: true },
    { path: '/home/ana', source: '/home/ana', writable: false },
  ],
  links: [{ path: '/bin', target: 'usr/bin' }],
  hidden: ['/proc/keys'],
  prlimit: '/usr/bin/prlimit',
  files: [['/etc/hosts', 5]],
  seccompDescriptor: 4,
}

/** One option a line. */
const linesOf = ({ options: words, command }: Profile): string =>
  ['bwrap', ...words.map((word) => (word.startsWith('--') ? `\n  ${word}` : ` ${word}`)), `\n  -- ${command.join('|')}`].join('')

test('the whole of it', () => {
  assert.equal(
    linesOf(profile(options)),
    `bwrap
  --unshare-user
  --unshare-all
  --disable-userns
  --die-with-parent
  --new-session
  --cap-drop ALL
  --hostname sandbox
  --proc /proc
  --remount-ro /proc
  --ro-bind /dev/null /proc/keys
  --dev /dev
  --perms 0700
  --size 8388608
  --tmpfs /dev/shm
  --remount-ro /dev
  --perms 0700
  --size 8388608
  --tmpfs /tmp
  --perms 0700
  --size 8388608
  --tmpfs /home/ana
  --symlink usr/bin /bin
  --ro-bind /home/ana /home/ana
  --bind /data/work /home/ana/work
  --ro-bind /usr /usr
  --perms 0444
  --ro-bind-data 5 /etc/hosts
  --dir /srv/gate
  --remount-ro /
  --chdir /srv/gate
  --seccomp 4
  -- /usr/bin/prlimit|--core=0|--data=1610612736|--nproc=64|--nofile=256|--fsize=8388608|--|node|server.js|two words`,
  )
})

test('a folder to work in that is granted is not made a second time', () => {
  assert.ok(!profile({ ...options, cwd: '/home/ana/work/in' }).options.includes('--dir'))
})

test('a home among temporary files is a folder there', () => {
  const { options: words } = profile({ ...options, home: '/tmp/home', mounts: [] })
  assert.deepEqual(words.slice(words.indexOf('--dir'), words.indexOf('--dir') + 2), ['--dir', '/tmp/home'])
})

test('time on the processor is limited where that is wanted', () => {
  assert.ok(profile({ ...options, config: { ...options.config, cpuSecondsMax: 60 } }).command.includes('--cpu=60'))
})
