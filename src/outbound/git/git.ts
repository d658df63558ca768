/**
 * Asks the git of this machine about a repository, without letting the repository run anything: no pager, no file system monitor, no
 * external diff. The environment stays, because git tells its hooks in variables which index is meant (githooks(5)).
 */
import { execFile } from 'node:child_process'

export type Git = (args: readonly string[]) => Promise<Buffer>

/** A change of a hundred megabytes is not read by anybody. */
const bytesMax = 134_217_728
const answerWithinMs = 300_000
const quiet = ['--no-pager', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=true', '-c', 'log.showRoot=true']

export const gitIn =
  (folder: string): Git =>
  (args) =>
    new Promise((resolve, reject) => {
      const options = { cwd: folder, encoding: 'buffer', timeout: answerWithinMs, maxBuffer: bytesMax, shell: false } as const
      execFile('git', [...quiet, ...args], options, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout)
        const code = (error as NodeJS.ErrnoException).code
        if (code === 'ENOENT') return reject(refused('git is not installed here', 'install git, or give paths to read instead'))
        if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
          return reject(
            refused(`git has more than ${bytesMax} bytes to show`, 'look at less at a time, or give paths to read instead'),
          )
        const [said = ''] = stderr.toString('utf8').trim().split('\n')
        reject(refused(`git ${args[0] ?? ''}: ${said.slice(0, 300) || error.message}`, 'run it in a repository of git'))
      })
    })

const refused = (why: string, fix: string): Error => Object.assign(new Error(why), { fix })
