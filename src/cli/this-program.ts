/** What starts this program again from anywhere: absolute, with the flags of Node that it runs with. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { version } from '../lib/version.ts'

export interface Process {
  readonly platform: NodeJS.Platform
  readonly execPath: string
  readonly execArgv: readonly string[]
  readonly argv: readonly string[]
}

/** Flags that are about this one run. */
const passing = /^(--(inspect|test|watch|eval|print|input-type|import|require|cpu-prof|heap-prof)|-[epr]$)/

/** From the cache of npx, which is swept now and then, it is this version of the package by its name. */
export function thisProgram({ platform, execPath, execArgv, argv }: Process = process): readonly string[] {
  const script = argv[1] ?? ''
  if (!/[\\/]_npx[\\/]/.test(script)) return [execPath, ...execArgv.filter((flag) => !passing.test(flag)), script]
  if (platform !== 'win32') return ['npx', '-y', `sekisho@${version}`]
  const npx = join(dirname(execPath), 'node_modules', 'npm', 'bin', 'npx-cli.js')
  if (existsSync(npx)) return [execPath, npx, '-y', `sekisho@${version}`]
  throw new Error('clients cannot be told how to start this program from the cache of npx; install it: npm install -g sekisho')
}
