/**
 * Our own copies of what was locked, each under the digest of its tree: `<store>/<hex>/…`, read-only, and beside them the manifests, under
 * theirs. A server runs from here, so that what runs is what was verified; an update of the installed packages changes nothing until it
 * is locked. A copy is believed for nothing: it is read whole, and hashed, at every start.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, open, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { makePrivateFolder } from '../../lib/private-files.ts'
import { type FileLine, manifestText, readFolder, readManifest, sha256Of } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { filesByPart, type LockedTree, mustHaveDigest, type Part, reinstall } from './tree.ts'

/** A copy that has just been verified. */
export interface Copy {
  readonly folder: string
  /** By absolute path, for a second look. */
  readonly identities: ReadonlyMap<string, string>
}

export class Store {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  folderOf(tree: string): string {
    return join(this.#folder, hexOf(tree))
  }

  has(tree: string): boolean {
    return existsSync(this.folderOf(tree))
  }

  /** The lines of a manifest, if they are kept and are what their name says. */
  async manifest(digest: string): Promise<readonly FileLine[] | undefined> {
    const text = await readFile(join(this.#folder, 'manifests', hexOf(digest)), 'utf8').catch(() => undefined)
    return text === undefined || sha256Of(text) !== digest ? undefined : readManifest(text)
  }

  async keepManifest(files: readonly FileLine[]): Promise<string> {
    const text = manifestText(files)
    const digest = sha256Of(text)
    const path = join(this.#folder, 'manifests', hexOf(digest))
    makePrivateFolder(dirname(path))
    if (existsSync(path) && (await this.manifest(digest)) !== undefined) return digest
    await writeWhole(path, text)
    return digest
  }

  /** Copies the parts, each file hashed as it is written. Throws {@link NotAdmitted} where a part is not what was locked. */
  async keep(locked: LockedTree, parts: readonly Part[]): Promise<void> {
    const target = this.folderOf(locked.tree)
    if (existsSync(target)) return
    makePrivateFolder(this.#folder)
    const draft = join(this.#folder, `.draft-${randomBytes(8).toString('hex')}`)
    try {
      for (const part of parts) {
        const to = join(draft, part.location)
        const made = new Set<string>()
        const reading = await readFolder(part.folder, {
          ...part,
          each: async (path, content, program) => {
            const file = join(to, path)
            if (!made.has(dirname(file))) await mkdir(dirname(file), { recursive: true, mode: 0o700 })
            made.add(dirname(file))
            await writeFile(file, content, { flag: 'wx', mode: program ? 0o555 : 0o444 })
          },
        })
        const { name, files } = locked.parts[part.location] ?? { name: part.name, files: '' }
        await mustHaveDigest(name, files, reading.files, (digest) => this.manifest(digest), reinstall)
        await this.keepManifest(reading.files)
      }
      for (const [from, to] of Object.entries(locked.links)) {
        const link = join(draft, from)
        await mkdir(dirname(link), { recursive: true, mode: 0o700 })
        await symlink(relative(dirname(link), join(draft, to)), link)
      }
      await readOnly(draft)
      await rename(draft, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
    } finally {
      await removeCopy(draft)
    }
  }

  /** Reads the whole copy. Throws {@link NotAdmitted} unless every file in it is the locked one, and there is no other. */
  async verified(locked: LockedTree): Promise<Copy> {
    const folder = this.folderOf(locked.tree)
    const fix = `remove ${folder} (chmod -R u+w first) and start again; it is copied anew from what is installed, if that is as locked`
    const refuse = (file: string, why: string): NotAdmitted => new NotAdmitted({ package: 'our own copy', file, why, fix })
    const reading = await readFolder(folder, { withLinks: true })
    for (const [from, to] of Object.entries(locked.links))
      if (reading.links.get(from) !== relative(dirname(join(folder, from)), join(folder, to)))
        throw refuse(from, 'leads elsewhere now')
    const stray = [...reading.links.keys()].find((path) => !Object.hasOwn(locked.links, path))
    if (stray !== undefined) throw refuse(stray, 'is a link that was added')
    const found = filesByPart(reading.files, Object.keys(locked.parts))
    const [extra] = found.get('') ?? []
    if (extra !== undefined) throw refuse(extra.path, 'was added to our own copy')
    for (const [location, { name, files }] of Object.entries(locked.parts))
      await mustHaveDigest(`our own copy of ${name}`, files, found.get(location) ?? [], (digest) => this.manifest(digest), fix)
    return { folder, identities: reading.identities }
  }
}

const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1)

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

async function readOnly(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await readOnly(join(folder, entry.name))
  await chmod(folder, 0o555)
}

/** Also one that is read-only. */
export async function removeCopy(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  const writable = async (at: string): Promise<void> => {
    await chmod(at, 0o700)
    for (const entry of await readdir(at, { withFileTypes: true })) if (entry.isDirectory()) await writable(join(at, entry.name))
  }
  await writable(folder)
  await rm(folder, { recursive: true, force: true })
}
