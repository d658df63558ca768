import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { isPythonAttestation, verifyPythonProvenance } from '../../trust/supply/provenance-python.ts'
import { shippedTrustRoot, type TrustRoot } from '../../trust/supply/trust-root.ts'
import type { Verified } from './supply-verify.ts'

/** Whether a file is a distribution of Python: a wheel by its name, and a source by what is attested of it. */
export async function isPythonDistribution(file: string, bundle: string | undefined): Promise<boolean> {
  if (file.endsWith('.whl')) return true
  return bundle !== undefined && file.endsWith('.tar.gz') && isPythonAttestation(await readAttestation(bundle))
}

/** A wheel or a source distribution against what PyPI's Integrity API says of it (PEP 740), which is asked nothing: `bundle` is a file. */
export async function supplyVerifyPython(
  file: string,
  bundle: string | undefined,
  trust: () => TrustRoot = shippedTrustRoot,
): Promise<Verified> {
  const bytes = await readFile(file)
  const sha256 = hash('sha256', bytes, 'hex')
  const subject = basename(file)
  const notes = [`${bytes.length} bytes`, `sha256:${sha256}`]
  if (bundle === undefined) {
    const detail = 'its attestations are not at hand; name them with --bundle'
    return {
      subject,
      checks: { contents: { status: 'not checked', detail }, provenance: { status: 'not checked', detail } },
      notes,
    }
  }
  const found = verifyPythonProvenance(await readAttestation(bundle), { filename: subject, sha256 }, trust())
  if (found.status === 'failed')
    return { subject, checks: { provenance: { status: 'failed', detail: `${found.why}; do not install it` } }, notes }
  const { repository, workflow, slsa } = found
  return {
    subject,
    checks: {
      contents: { status: 'verified', detail: `sha256:${sha256}` },
      provenance: { status: 'verified', detail: `${repository} ${workflow}` },
    },
    notes: [...notes, `published by ${workflow}`, slsa ? 'with SLSA provenance' : 'without SLSA provenance'],
  }
}

async function readAttestation(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`${file} is not JSON; it has to be what PyPI says of attestations`)
    throw error
  }
}
