/**
 * May this server be started, and as what? What the lock names is compared with what is on disk, every file of it and at every start, and
 * what is then started is our own copy, which is read and hashed whole each time.
 */
import { hash, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../lib/clock.ts'
import { loadingVariables } from './loading-variables.ts'
import type { FilesLock, ImageLock, Lock, NpmLock, PythonLock } from './lock.ts'
import { absolutePath, portable } from './lock-server.ts'
import { mustBeSigned } from './lock-signature.ts'
import { readLock } from './lock-text.ts'
import { firstChanged, readOne, type Seen } from './manifest.ts'
import { mustBeNewest } from './newest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { lockedNpmTree, npmParts } from './npm-lock.ts'
import { npmPurl, npmTree } from './npm-packages.ts'
import { lockedPythonTree, pythonParts, pythonVariables } from './python-lock.ts'
import { type LocalServer, type Started, startedBy } from './started.ts'
import { Store } from './store.ts'
import { type LockedTree, mustBeAsLocked, type Part } from './tree.ts'
import { mustBeRecent, onlyWithin } from './within.ts'

export interface AdmissionOptions {
  readonly lockFile: string
  /** `locked`: what the lock does not name is not started. `any`: it is, as it is. What the lock names is compared either way. */
  readonly require: 'locked' | 'any'
  /** Of the team: one of them must have signed the lock. Empty: a signature is not asked for. */
  readonly keys: readonly KeyObject[]
  readonly store: string
  /** Of the configuration. */
  readonly folder: string
  /** The Node that runs us, and so is trusted already. */
  readonly ownNode: string
  readonly platform: string
  /** As when it was locked: what is ours, and no part of any server. */
  readonly aside: readonly string[]
  readonly clock: Clock
}

/** What to start in place of the command. */
export interface Launch {
  /** For the record: the package and the digest of all that it runs from. */
  readonly what: string
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /**
   * Looks once more, after the program has loaded: throws {@link NotAdmitted} when a file that was verified has been touched since,
   * though it may have been put back.
   */
  confirm(): Promise<void>
}

export class Admission {
  readonly #options: AdmissionOptions
  readonly #store: Store
  /** Of what is installed, which is compared and never run. What runs is read anew every time. */
  readonly #installed: Seen['files'] = new Map()
  #read: { readonly digest: string; readonly lock: Lock } | undefined

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#store = new Store(options.store)
  }

  /** Throws {@link NotAdmitted}. Undefined: nothing is said about this server, and nothing is asked. */
  async admit(id: string, server: LocalServer): Promise<Launch | undefined> {
    const { require, folder, platform } = this.#options
    const lock = await this.#lock()
    const locked = Object.hasOwn(lock.servers, id) ? lock.servers[id] : undefined
    if (locked === undefined && require === 'any') return undefined
    if (locked === undefined || locked.kind === 'remote')
      throw new NotAdmitted({ why: 'it is not in the lock', fix: `review it, and then: sekisho supply lock ${id}` })
    const again = `review it, and then: sekisho supply lock ${id}`
    if (!isDeepStrictEqual([...locked.command], portable(server.command, folder)))
      throw new NotAdmitted({ why: 'its command has changed since it was locked', fix: again })
    const variables = loadingVariables(server.env)
    const odd = [...Object.keys(variables), ...Object.keys(locked.variables ?? {})].find(
      (name) => variables[name] !== locked.variables?.[name],
    )
    if (odd !== undefined)
      throw new NotAdmitted({
        why: `the variable ${odd} makes it load other code than was locked`,
        fix: `remove it, or ${again}`,
      })
    if (locked.platform !== undefined && locked.platform !== platform)
      throw new NotAdmitted({
        why: `it was locked on ${locked.platform}, and this is ${platform}`,
        fix: `lock it here: sekisho supply lock ${id}`,
      })
    const started = await startedBy(server)
    const refuse = (): NotAdmitted =>
      new NotAdmitted({ why: `it is started as ${started.kind} and locked as ${locked.kind}`, fix: again })
    switch (locked.kind) {
      case 'npm':
        if (started.kind !== 'npm' && started.kind !== 'npm-missing') throw refuse()
        return this.#npm(locked, started)
      case 'pypi':
        if (started.kind !== 'pypi') throw refuse()
        return this.#python(locked, started)
      case 'files':
        if (started.kind !== 'files') throw refuse()
        return this.#files(locked, started, server.command)
      case 'image':
        if (started.kind !== 'image') throw refuse()
        return this.#image(locked, started, server.command)
    }
  }

  /** A remote server: whether the lock knows it by this URL. */
  async admitRemote(id: string, url: string): Promise<{ readonly spki: string | undefined } | undefined> {
    const { servers } = await this.#lock()
    const locked = Object.hasOwn(servers, id) ? servers[id] : undefined
    if (locked === undefined && this.#options.require === 'any') return undefined
    const fix = `review it, and then: sekisho supply lock ${id}`
    if (locked?.kind !== 'remote') throw new NotAdmitted({ why: 'it is not in the lock', fix })
    if (locked.url !== url) throw new NotAdmitted({ why: 'its URL has changed since it was locked', fix })
    return { spki: locked.spki }
  }

  async #lock(): Promise<Lock> {
    const { lockFile, keys, clock, store } = this.#options
    const text = await readFile(lockFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'is not there' : `cannot be read (${error.code})`
      throw new NotAdmitted({ file: lockFile, why, fix: 'make it with: sekisho supply lock' })
    })
    const digest = hash('sha256', text, 'hex')
    if (this.#read?.digest !== digest) this.#read = { digest, lock: readLock(text, lockFile) }
    const { lock } = this.#read
    if (keys.length === 0) return lock
    mustBeSigned(lock, keys, clock, lockFile)
    await mustBeNewest(lock, lockFile, store)
    return lock
  }

  async #npm(locked: NpmLock, started: Extract<Started, { kind: 'npm' | 'npm-missing' }>): Promise<Launch> {
    const tree = lockedNpmTree(locked)
    if (locked.interpreter !== 'own') mustBeRecent(locked.interpreter)
    let parts: readonly Part[] | undefined
    // What npx names is wherever npx looks; ours is the copy, once there is one.
    if (started.kind === 'npm' && !(started.asked && this.#store.has(tree.tree))) {
      const found = await npmTree(started.folder)
      const entry = found.root.location === '.' ? started.script : `${found.root.location}/${started.script}`
      if (npmPurl(found.root.manifest) !== locked.package || entry !== locked.entry)
        throw new NotAdmitted({
          package: `${found.root.manifest.name}@${found.root.manifest.version}`,
          file: entry,
          why: `would be started where ${locked.entry} is locked`,
          fix: 'find out who changed it; install it anew, or review it and lock it again',
        })
      parts = npmParts(found, this.#options.aside)
      if (!isDeepStrictEqual(found.links, tree.links))
        throw new NotAdmitted({
          package: locked.package,
          why: 'its packages are linked in another way than locked',
          fix: 'install it anew',
        })
    }
    const { folder, identities } = await this.#copy(tree, parts)
    const interpreter = await this.#interpreter(locked.interpreter)
    const flags = started.kind === 'npm' ? started.flags : []
    return {
      what: `${locked.package} ${locked.tree}`,
      command: [interpreter.path, ...flags, onlyWithin(folder), join(folder, locked.entry), ...started.args],
      env: {},
      confirm: confirmation(new Map([...identities, ...interpreter.identities]), folder, 'our own copy'),
    }
  }

  async #python(locked: PythonLock, started: Extract<Started, { kind: 'pypi' }>): Promise<Launch> {
    const tree = lockedPythonTree(locked)
    const named = pythonParts(started).map((part) => ({ ...part, name: tree.parts[part.location]?.name ?? part.name }))
    const { folder, identities } = await this.#copy(tree, named)
    if (locked.interpreter.path !== started.python)
      throw new NotAdmitted({
        file: started.python,
        why: `runs it, and ${locked.interpreter.path} is locked`,
        fix: 'install it anew, or lock it again',
      })
    const interpreter = await this.#interpreter(locked.interpreter)
    const entry = 'module' in locked.entry ? ['-m', locked.entry.module] : [join(folder, locked.entry.script)]
    return {
      what: `${locked.package} ${locked.tree}`,
      command: [interpreter.path, '-S', ...entry, ...started.args],
      env: pythonVariables(folder),
      confirm: confirmation(new Map([...identities, ...interpreter.identities]), folder, 'our own copy'),
    }
  }

  async #files(
    locked: FilesLock,
    started: Extract<Started, { kind: 'files' }>,
    command: LocalServer['command'],
  ): Promise<Launch> {
    const { folder } = this.#options
    const known = portable(started.files, folder)
    const other = known.find((file) => !Object.hasOwn(locked.files, file))
    if (other !== undefined)
      throw new NotAdmitted({
        file: other,
        why: 'would be started and is not locked',
        fix: 'lock it, or find out who changed it',
      })
    const identities = new Map<string, string>()
    for (const [file, { digest }] of Object.entries(locked.files)) {
      const path = absolutePath(file, folder)
      identities.set(path, sameFile(path, digest, file))
    }
    const run = started.run ?? ([started.files[0] as string] as const)
    const what = Object.entries(locked.files).map(([file, { digest }]) => `${file} ${digest}`)
    return { what: what.join(', '), command: [...run, ...command.slice(1)], env: {}, confirm: confirmation(identities, folder) }
  }

  async #image(
    locked: ImageLock,
    started: Extract<Started, { kind: 'image' }>,
    command: LocalServer['command'],
  ): Promise<Launch> {
    if (started.image !== locked.image)
      throw new NotAdmitted({
        package: started.image,
        why: `would be started where ${locked.image} is locked`,
        fix: 'lock it again',
      })
    const { path, identities } = await this.#interpreter(locked.runtime, started.runtime)
    return {
      what: locked.image,
      command: [path, ...command.slice(1)],
      env: {},
      confirm: confirmation(identities, this.#options.folder),
    }
  }

  /** The copy in the store, made from what is installed where there is none yet. What is installed has to be as locked, too. */
  async #copy(tree: LockedTree, parts: readonly Part[] | undefined) {
    const store = this.#store
    if (parts !== undefined) {
      const seen = { files: this.#installed, now: this.#options.clock.now() }
      await mustBeAsLocked(tree, parts, (digest) => store.manifest(digest), seen)
    }
    if (!store.has(tree.tree)) {
      if (parts === undefined)
        throw new NotAdmitted({
          why: 'it is neither installed nor in the store',
          fix: 'install it: npm install --ignore-scripts PACKAGE@VERSION',
        })
      await store.keep(tree, parts)
    }
    return store.verified(tree)
  }

  async #interpreter(locked: NpmLock['interpreter'], found?: string): Promise<{ path: string; identities: Map<string, string> }> {
    if (locked === 'own') return { path: this.#options.ownNode, identities: new Map() }
    const { path, digest } = locked
    if (found !== undefined && found !== path)
      throw new NotAdmitted({
        file: found,
        why: `would be started where ${path} is locked`,
        fix: 'correct PATH, or lock it again',
      })
    return { path, identities: new Map([[path, sameFile(path, digest, path)]]) }
  }
}

/** The identity of a file that has this digest. */
function sameFile(path: string, digest: string, shown: string): string {
  const fix = 'find out who changed it; put it back, or review it and lock it again'
  let found: ReturnType<typeof readOne>
  try {
    found = readOne(dirname(path), basename(path))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new NotAdmitted({ file: shown, why: `cannot be read (${code ?? message})`, fix })
  }
  if (`sha256:${found.line.digest}` !== digest)
    throw new NotAdmitted({ file: shown, why: 'has changed since it was locked', fix })
  return found.identity
}

const confirmation = (identities: ReadonlyMap<string, string>, within: string, name?: string) => async (): Promise<void> => {
  const changed = await firstChanged(identities)
  if (changed === undefined) return
  const isWithin = changed.startsWith(within)
  throw new NotAdmitted({
    package: isWithin ? name : undefined,
    file: isWithin ? relative(within, changed) || '.' : changed,
    why: 'was touched while the server was starting',
    fix: 'find out by whom; then start it again',
  })
}
