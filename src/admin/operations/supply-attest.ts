import { writeFile } from 'node:fs/promises'
import type { Config } from '../../config/schema.ts'
import { signAttestation } from '../../trust/supply/inventory-attestation.ts'
import { refOf } from '../../trust/supply/inventory-component.ts'
import { privateKey } from '../team-keys.ts'

export interface Attested {
  readonly component: string
  readonly statement: string
  readonly file: string
}

/** Signs what the configuration attests of the components called `name`, each into the file that its `signature` names. */
export async function supplyAttest(config: Config, name: string, keyFile: string): Promise<readonly Attested[]> {
  const components = config.components.filter((one) => one.name === name)
  if (components.length === 0)
    throw Object.assign(new Error(`no component is called "${name}"`), { fix: 'write it under "components"' })
  const key = await privateKey(keyFile)
  const signed: Attested[] = []
  for (const component of components)
    for (const { signature, ...statement } of component.attestations) {
      if (signature === undefined) continue
      await writeFile(signature, `${await signAttestation(refOf(component), statement, key)}\n`)
      signed.push({ component: refOf(component), statement: statement.statement, file: signature })
    }
  if (signed.length === 0)
    throw Object.assign(new Error(`no attestation of "${name}" names a file for its signature`), {
      fix: 'add "signature: FILE" to it',
    })
  return signed
}
