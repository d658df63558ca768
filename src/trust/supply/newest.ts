/**
 * When the newest lock was signed that was used here, kept beside the copies. An older one is signed as well, and names what has been
 * replaced since for a reason: to go back to it takes the word of somebody.
 */
import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder } from '../../lib/private-files.ts'
import type { Lock } from './lock.ts'
import { NotAdmitted } from './not-admitted.ts'

/** Throws {@link NotAdmitted} for a lock that was signed before another one that was used. Its signature has been verified. */
export async function mustBeNewest({ signature }: Lock, lockFile: string, store: string): Promise<void> {
  if (signature === undefined) return
  const file = join(store, 'newest-lock')
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  const [made, newest] = [signature.made, known?.trim()].map((text) => (text === undefined ? -1 : Date.parse(text))) as [
    number,
    number,
  ]
  if (Number.isNaN(newest))
    throw new NotAdmitted({
      file,
      why: 'does not say when the newest lock was signed',
      fix: 'find out who changed it, and remove it',
    })
  if (made < newest)
    throw new NotAdmitted({
      file: lockFile,
      why: `was signed at ${signature.made}, and one that was signed at ${known?.trim()} has been used here`,
      fix: `put the newer one back; to go back on purpose, sign this one anew (sekisho supply lock --sign KEY.pem), or remove ${file}`,
    })
  if (made > newest) await remember(file, store, signature.made)
}

async function remember(file: string, store: string, made: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    makePrivateFolder(store)
    await writeFile(draft, `${made}\n`, { flag: 'wx', mode: 0o600 })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    // A store that somebody filled and made read-only remembers nothing, and is used all the same.
    if (!/^(EROFS|EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
