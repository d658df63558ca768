import { isObject } from '../../protocol/json-rpc.ts'
import { entriesOf, looksLikeManifest, type Manifest, manifestVersion, readManifest } from '../../trust/approvals/manifest.ts'
import { ApprovalsRefused } from '../../trust/approvals/refused.ts'
import type { Definition } from '../../trust/definition.ts'
import { introducedIn } from '../../trust/introduction.ts'
import { answerIn, definitionsIn, ManifestRefused } from '../../trust/scan/manifest.ts'
import { manifestIn } from '../configured-approvals.ts'
import { type MadeManifest, made, type Signing } from './pins-export.ts'

/**
 * Signs what somebody has reviewed: a manifest, whoever signed it before; or, for the author of a server, what it answers to
 * `tools/list` and the other lists. Needs no gateway, so that the key can be elsewhere.
 */
export async function pinsSign(file: string, signing: Signing & { readonly keyFile: string }): Promise<MadeManifest> {
  try {
    return await made(manifestOf(await manifestIn(file), signing.identity), signing)
  } catch (error) {
    if (error instanceof ManifestRefused) throw new Error(`${file}: ${error.message}`)
    if (error instanceof ApprovalsRefused) throw Object.assign(new Error(`${file} ${error.message}`), { fix: error.fix })
    throw error
  }
}

function manifestOf(text: string, identity: string | undefined): Manifest {
  if (looksLikeManifest(text)) {
    const { manifest } = readManifest(text)
    return identity === undefined ? manifest : { ...manifest, identity }
  }
  const answer = answerIn(text)
  const introduced = isObject(answer) ? introducedIn(answer).filter(({ kind }) => kind !== 'instructions') : []
  const definitions = [...definitionsIn(text), ...introduced]
  mustDiffer(definitions)
  if (identity === undefined)
    throw new ApprovalsRefused(
      'does not say which server it is',
      'add --identity: its URL, or a name that whoever uses it writes as "identity" too',
    )
  return { pins: manifestVersion, identity, definitions: [...entriesOf(definitions)] }
}

/** In one answer of a server a name is there once; a second one would hide behind the first. */
function mustDiffer(definitions: readonly Definition[]): void {
  const known = new Set<string>()
  for (const { kind, name } of definitions) {
    if (known.has(`${kind} ${name}`))
      throw new ApprovalsRefused(`has two definitions of the ${kind} "${name}"`, 'find out which one the server means')
    known.add(`${kind} ${name}`)
  }
}
