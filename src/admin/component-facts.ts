/** What this machine can find out about one component: the bytes of its file, the key of its service, who signed for it. */
import { createHash, type KeyObject } from 'node:crypto'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { tlsKeyOf } from '../lib/tls-key.ts'
import { type AttestationVerdict, verifyAttestation } from '../trust/supply/inventory-attestation.ts'
import type { Fact, Facts } from '../trust/supply/inventory-checks.ts'
import { type Component, refOf } from '../trust/supply/inventory-component.ts'
import { checkModel } from '../trust/supply/models.ts'
import type { ByteSource } from '../trust/supply/models-source.ts'

const signatureBytesMax = 16_384

export interface FactsAtHand {
  /** Of those who may sign attestations. */
  readonly keys: readonly KeyObject[]
  readonly now: number
  tlsKey?(url: string): Promise<string>
}

export async function factsOf(component: Component, { keys, now, tlsKey = tlsKeyOf }: FactsAtHand): Promise<Facts> {
  const { file, hash, url, kind } = component
  const isDeclared = component.seen.includes('declared')
  const isModel = kind === 'model' || kind === 'embedding-service'
  const attestations: AttestationVerdict[] = []
  for (const { signature, ...statement } of component.attestations ?? [])
    attestations.push(await attestationVerdict(refOf(component), statement, signature, keys, now))
  return {
    digest: isDeclared && file !== undefined ? await fact(() => digestOf(file, hash?.split(':')[0] ?? 'sha256')) : undefined,
    model: isDeclared && isModel && file !== undefined ? await fact(() => withFile(file, checkModel)) : undefined,
    tlsKey: component.tlsKey !== undefined && url !== undefined ? await fact(() => tlsKey(url)) : undefined,
    attestations,
  }
}

async function fact<Value>(find: () => Promise<Value>): Promise<Fact<Value>> {
  try {
    return { value: await find() }
  } catch (error) {
    return { unknown: (error as NodeJS.ErrnoException).code ?? (error as Error).message }
  }
}

const digestOf = async (path: string, algorithm: string): Promise<string> => {
  const hash = createHash(algorithm)
  const file = await open(path, 'r')
  try {
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1_048_576 })) hash.update(chunk as Buffer)
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** Works on a file of any size, and closes it. */
export async function withFile<Value>(path: string, work: (source: ByteSource) => Promise<Value>): Promise<Value> {
  const file = await open(path, 'r')
  try {
    return await work(await fileSource(file))
  } finally {
    await file.close()
  }
}

async function fileSource(file: FileHandle): Promise<ByteSource> {
  const stat = await file.stat()
  if (!stat.isFile()) throw new Error('it is not a file')
  return {
    size: stat.size,
    async read(offset, length) {
      const bytes = Buffer.alloc(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
        if (bytesRead === 0) throw new RangeError('reading beyond the end')
        done += bytesRead
      }
      return bytes
    },
  }
}

async function attestationVerdict(
  ref: string,
  statement: Parameters<typeof verifyAttestation>[1],
  file: string | undefined,
  keys: readonly KeyObject[],
  now: number,
): Promise<AttestationVerdict> {
  const signature = file === undefined ? { value: undefined } : await fact(() => readFile(file, 'utf8'))
  if ('unknown' in signature) return { outcome: 'failed', why: `its signature cannot be read (${signature.unknown})` }
  if ((signature.value?.length ?? 0) > signatureBytesMax) return { outcome: 'failed', why: 'its signature is too long' }
  return verifyAttestation(ref, statement, signature.value, keys, now)
}
