/** `npm run build`: src/ becomes dist/, from nothing, and what came out runs. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, runChild } from './child.ts'

/** Undefined when all is well, else why not. */
export async function build(): Promise<string | undefined> {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const compiled = await runChild(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json', '--pretty', 'false'])
  if (compiled.code !== 0) return compiled.lines.join('\n')
  const started = await runChild('node', [join('dist', 'cli', 'main.js'), 'version'])
  return started.code === 0 && /^sekisho \d/.test(started.lines[0] ?? '')
    ? undefined
    : `dist/cli/main.js version: ${started.lines.join('\n')}`
}

if (import.meta.main) {
  const why = await build()
  if (why !== undefined) process.stderr.write(`${why}\n`)
  process.exitCode = why === undefined ? 0 : 1
}
