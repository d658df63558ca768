/**
 * The system calls that a sandboxed server is refused, with their numbers on x86-64 and on arm64 (Linux, asm/unistd_64.h and
 * asm-generic/unistd.h; undefined where there is none). No server that answers questions needs them; nearly every way out of a
 * sandbox that became known went through one of them. Numbers never change; a new call gets a row.
 */
export type Numbers = readonly [x64: number | undefined, arm64: number | undefined]

export const refusedCalls: Readonly<Record<string, Numbers>> = {
  // other processes: their memory, their file descriptors, their behaviour
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  // file systems and namespaces: what is seen stays what was given
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  move_mount: [429, 429],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  setns: [308, 268],
  unshare: [272, 97],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  // the kernel: code in it, watching it, turning it off
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
  uselib: [134, undefined],
  modify_ldt: [154, undefined],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  syslog: [103, 116],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  vhangup: [153, 58],
  // keys of our user, which no namespace keeps apart
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  // the clock
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
}

/** Refused as if the kernel did not have them, because their callers then do it another way. */
export const absentCalls: Readonly<Record<string, Numbers>> = {
  /** Its flags stand in memory, where a filter cannot look; `clone` does the same. */
  clone3: [435, 435],
  /** Does what other calls do without being filtered as they are. */
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
}

export const examinedCalls = { clone: [56, 220], ioctl: [16, 29], socket: [41, 198] } as const satisfies Record<string, Numbers>
