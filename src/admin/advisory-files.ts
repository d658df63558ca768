/** A local copy of known vulnerabilities: a folder of JSON files, however deep, or a zip of them, as OSV and GitHub publish it. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AdvisoryDatabase } from '../trust/supply/advisories.ts'
import { readAdvisories } from '../trust/supply/advisories-records.ts'
import { readEntry, readZip } from '../trust/supply/models-zip.ts'
import { withFile } from './component-facts.ts'

const recordBytesMax = 4_194_304
const filesMax = 1_000_000

export interface LoadedAdvisories {
  readonly database: AdvisoryDatabase
  /** Records that could not be read: a copy that was torn off in the middle says less than it seems to. */
  readonly unreadable: number
}

/** Rejects where there is nothing at `path`. */
export async function loadAdvisories(path: string): Promise<LoadedAdvisories> {
  const database = new AdvisoryDatabase()
  let unreadable = 0
  const add = (text: string): void => {
    try {
      for (const record of readAdvisories(text)) database.add(record)
    } catch {
      unreadable++
    }
  }
  if ((await stat(path)).isDirectory()) {
    for await (const file of jsonFiles(path)) {
      if ((await stat(file)).size > recordBytesMax) unreadable++
      else add(await readFile(file, 'utf8'))
    }
    return { database, unreadable }
  }
  await withFile(path, async (source) => {
    const { entries, faults } = await readZip(source, { entriesMax: filesMax, directoryBytesMax: 268_435_456 })
    unreadable += faults.length
    for (const entry of entries.filter(({ name }) => name.endsWith('.json')))
      await readEntry(source, entry, recordBytesMax).then(
        (bytes) => add(Buffer.from(bytes).toString('utf8')),
        () => unreadable++,
      )
  })
  return { database, unreadable }
}

/** In a fixed order. Links are not followed. */
async function* jsonFiles(folder: string, found = { count: 0 }): AsyncGenerator<string> {
  const inside = await readdir(folder, { withFileTypes: true })
  for (const one of inside.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, one.name)
    if (one.isDirectory()) yield* jsonFiles(path, found)
    else if (one.isFile() && one.name.endsWith('.json')) {
      if (++found.count > filesMax) throw new Error(`${folder} has more than ${filesMax} files`)
      yield path
    }
  }
}
