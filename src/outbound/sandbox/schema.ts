/**
 * The `sandbox` of a local server: what of this machine it may see, where it may connect to, how much it may use. Whatever is
 * not granted here does not exist for the server. Without the key a server runs as before, with all that our user may do.
 */
import { z } from 'zod'
import { hostPattern } from './egress/allow-list.ts'

const whenUnavailable = ['refuse', 'run-unconfined'] as const

/** Hosts and ports as they are written: `api.example.com:443`, `*.example.com:443`, `[::1]:8080`. */
export interface AllowedHosts {
  readonly hosts: readonly string[]
}
export interface SandboxConfig {
  /** Folders and files, by the path that they have outside; they have the same inside. */
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly network: 'none' | AllowedHosts
  /** Of each process, and of all of them together where a cgroup can be had. */
  readonly memoryMbMax: number
  /** Of each process. Undefined: not limited, as for a server that runs for months. */
  readonly cpuSecondsMax: number | undefined
  /** Threads count, as they do for the kernel. */
  readonly processesMax: number
  readonly openFilesMax: number
  /** One file, and each of the folders in memory that the server has to itself. */
  readonly fileMbMax: number
  readonly whenUnavailable: (typeof whenUnavailable)[number]
}

const path = z
  .string()
  .min(1)
  .refine((value) => !value.includes('\0'), { error: 'contains a NUL character; remove it' })
const paths = z.array(path).max(256).default([]).readonly()

const settings = z.strictObject({
  read: paths.describe('Folders and files that the server may read'),
  write: paths.describe('Folders and files that it may read and write'),
  network: z
    .union([
      z.literal('none'),
      z.strictObject({ hosts: z.array(hostPattern).min(1).max(256).readonly() }).describe('Hosts that it may connect to'),
    ])
    .default('none'),
  memoryMbMax: z.int().min(64).max(1_048_576).default(1024).describe('Of each process, and of all where cgroups allow it'),
  cpuSecondsMax: z.int().min(1).max(31_536_000).optional().describe('Of each process'),
  processesMax: z.int().min(16).max(32_768).default(256).describe('Processes and threads'),
  openFilesMax: z.int().min(64).max(1_048_576).default(1024).describe('Of each process'),
  fileMbMax: z.int().min(1).max(1_048_576).default(256).describe('One file; also the size of /tmp and of the home folder'),
  whenUnavailable: z
    .enum(whenUnavailable)
    .default('refuse')
    .describe('Where this machine has no sandbox: do not start the server, or start it without'),
})

export const sandboxSchema = z.union([
  z.literal('off'),
  settings.transform((given): SandboxConfig => ({ cpuSecondsMax: undefined, ...given })),
])
