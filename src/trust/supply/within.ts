/**
 * What keeps Node to the copy. Left to itself it looks for a package in every folder above, and then in NODE_PATH, `$HOME/.node_modules`,
 * `$HOME/.node_libraries` and `$PREFIX/lib/node` (Node.js documentation, "Loading from node_modules folders", "Loading from the global
 * folders"), where nobody has looked. To the server a package that lies outside is one that is not there, as many need not be.
 */
import { NotAdmitted } from './not-admitted.ts'

const oldest = [22, 15] as const

/** An argument of Node, before the script. It holds all of it, so that there is no file that could be another one by then. */
export const onlyWithin = (folder: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`(${keepWithin})(${JSON.stringify(folder)})\n//# sourceURL=sekisho:within`)}`

/** Throws {@link NotAdmitted} for a Node that cannot be kept. One that does not say its version is found out when it starts. */
export function mustBeRecent({ path, version }: { readonly path: string; readonly version?: string | undefined }): void {
  const [, major, minor] = /^v(\d+)\.(\d+)\.\d+$/.exec(version ?? '')?.map(Number) ?? []
  if (major === undefined || minor === undefined || major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw new NotAdmitted({
    file: path,
    why: `is Node ${version}, which cannot be kept to the packages that are locked`,
    fix: `name one from ${oldest.join('.')} on; or write "node", which is the one that runs the gateway`,
  })
}

/** Runs in the server's Node, from its text alone: nothing of ours is there. Once for each of its threads. */
function keepWithin(folder: string): void {
  const builtin = process.getBuiltinModule
  const nodeModule = builtin?.('node:module')
  if (nodeModule?.registerHooks === undefined) {
    process.stderr.write('sekisho: this Node cannot be kept to what was locked; use 22.15 or later\n')
    process.exit(1)
  }
  const { realpathSync } = builtin('node:fs')
  const { isAbsolute, relative, sep } = builtin('node:path')
  const { fileURLToPath } = builtin('node:url')
  const real = (path: string): string => {
    try {
      return realpathSync(path)
    } catch {
      return path
    }
  }
  const root = real(folder)
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      if (!found.url.startsWith('file:')) return found
      const path = real(fileURLToPath(found.url))
      const from = relative(root, path)
      // JSON is data, and some read their settings so.
      if ((from.split(sep)[0] !== '..' && !isAbsolute(from)) || path.endsWith('.json')) return found
      const code = context.conditions.includes('require') ? 'MODULE_NOT_FOUND' : 'ERR_MODULE_NOT_FOUND'
      throw Object.assign(new Error(`Cannot find module '${specifier}': ${path} is not part of what was locked`), { code })
    },
  })
  // A thread inherits the arguments of Node, unless it is given others or is no file.
  const threads = builtin('node:worker_threads')
  const { Worker } = threads
  const text = `(${keepWithin})(${JSON.stringify(folder)});`
  const argument = `--import=data:text/javascript,${encodeURIComponent(`${text}\n//# sourceURL=sekisho:within`)}`
  threads.Worker = class extends Worker {
    constructor(...[file, options]: ConstructorParameters<typeof Worker>) {
      const strict = /^\s*['"]use strict['"]/.test(String(file)) ? '"use strict";' : ''
      const inherited = options?.execArgv && { execArgv: [argument, ...options.execArgv] }
      super(options?.eval ? `${strict}${text}${String(file)}` : file, { ...options, ...inherited })
    }
  }
  nodeModule.syncBuiltinESMExports()
}
