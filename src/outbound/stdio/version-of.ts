/** What an interpreter says it is. Only for programs that are known to have `--version`; a server is never asked. */
import { execFile } from 'node:child_process'

const answerWithinMs = 5000

/** The first line it says; undefined where it says nothing, fails, or takes too long. */
export const versionOf = (program: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = { env: {}, timeout: answerWithinMs, maxBuffer: 65_536, shell: false }
    execFile(program, ['--version'], options, (error, stdout, stderr) => {
      const [line = ''] = `${stdout}${stderr}`.split(/\r?\n/)
      const version = /\d+(\.\d+)+[\w.+-]*/.exec(line)?.[0]
      resolve(error === null ? version : undefined)
    })
  })
