/** A package that is not installed yet: what its tarball is, and whether anybody vouches for it. Verify before you integrate. */
import { createHash, hash } from 'node:crypto'
import type { enquiry, Findings } from './enquiry.ts'
import type { FileLine } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { nameOf, type PackageJson, packageJsonIn } from './npm-packages.ts'
import { readTarball } from './tarball.ts'

export interface CheckedTarball {
  readonly name: string
  readonly licence: string | undefined
  readonly installScripts: Readonly<Record<string, string>>
  readonly native: boolean
  readonly bytes: number
  readonly files: number
  readonly findings: Findings
}

/** `named`: what it was asked for as. Throws {@link NotAdmitted} for one that must not even be unpacked. */
export async function checkTarball(
  tarball: Buffer,
  named: { readonly name: string; readonly version: string } | undefined,
  enquire: ReturnType<typeof enquiry>,
): Promise<CheckedTarball> {
  const shown = named ? nameOf(named) : 'the tarball'
  const refuse = (why: string): NotAdmitted =>
    new NotAdmitted({ package: shown, file: 'package.json', why, fix: 'do not install it' })
  const files = readTarball(tarball, shown)
  const text = files.get('package.json')
  if (text === undefined) throw refuse('is missing')
  const manifest: PackageJson = packageJsonIn(text.toString('utf8'), refuse)
  if (named && (manifest.name !== named.name || manifest.version !== named.version))
    throw refuse(`says that it is ${nameOf(manifest)}`)
  const lines: FileLine[] = [...files]
    .filter(([path]) => !path.startsWith('node_modules/'))
    .map(([path, content]) => ({ path, program: false, bytes: content.length, digest: hash('sha256', content, 'hex') }))
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const hasScripts = Object.keys(manifest.installScripts).length > 0
  const { name, version, repository } = manifest
  const recorded = { version, integrity, resolved: undefined }
  const findings = await enquire({ name, version, repository, installScripts: hasScripts, recorded, files: lines })
  return {
    name: nameOf(manifest),
    licence: manifest.licence,
    installScripts: manifest.installScripts,
    native: lines.some(({ path }) => /\.(node|so|dll|dylib|exe)$/.test(path)),
    bytes: tarball.length,
    files: lines.length,
    findings: { ...findings, contents: typeof findings.contents === 'object' ? findings.contents : 'as in the tarball' },
  }
}
