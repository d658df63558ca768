/**
 * What `sekisho.lock` says of one server, as components: versions and digests of what may really run, where a command alone leaves
 * them open. Whether the lock is in step with the configuration, and who signed it, is for the caller.
 */
import { imageSpec, startedBy } from './inventory-command.ts'
import { type Component, hashOfIntegrity, refOf } from './inventory-component.ts'
import { readPurl } from './inventory-purl.ts'
import type { PackageLock, RemoteLock, ServerLock } from './lock.ts'

const manifest = 'sekisho.lock'
const publicRegistry = /^https:\/\/(registry\.npmjs\.org|files\.pythonhosted\.org)\//

/** The server `id`, and what it is made of. */
export function lockedComponents(id: string, lock: ServerLock): readonly Component[] {
  const server: Component = { kind: 'server', name: id, ...common, usedBy: [id], gaps: [] }
  switch (lock.kind) {
    case 'npm':
    case 'pypi': {
      const packages = Object.values(lock.packages).map(packageOf)
      const own = packages.find(({ purl }) => purl === lock.package)
      const dependsOn = packages.map(refOf).sort()
      return [{ ...server, version: own?.version ?? readPurl(lock.package)?.version, dependsOn }, ...packages]
    }
    case 'image': {
      const image: Component = { ...imageSpec(lock.image), ...common, usedBy: [] }
      return [{ ...server, version: image.version, dependsOn: [refOf(image)] }, image]
    }
    case 'files': {
      const file = startedBy(lock.command)?.file
      const locked = file === undefined ? undefined : (lock.files[file] ?? lock.files[`./${file}`])
      return [{ ...server, file, version: locked?.version, hash: locked?.digest }]
    }
    case 'remote':
      return [{ ...server, ...reachedOf(lock) }]
  }
}

const common = { seen: ['lock'], dependsOn: [], manifest } as const

function packageOf({ package: purl, integrity, licence, resolved, installScripts }: PackageLock): Component {
  const parts = readPurl(purl)
  const isElsewhere = resolved !== undefined && URL.canParse(resolved) && !publicRegistry.test(resolved)
  return {
    kind: 'package',
    name: parts?.name ?? purl,
    version: parts?.version,
    purl,
    hash: hashOfIntegrity(integrity),
    licence,
    source: isElsewhere ? new URL(resolved).origin : undefined,
    installScripts: installScripts !== undefined && Object.keys(installScripts).length > 0,
    ...common,
    usedBy: [],
    gaps: [],
  }
}

/** The key is written as hexadecimal digits there, and as in RFC 7469, section 2.4, here. */
function reachedOf({ url, spki }: RemoteLock): Pick<Component, 'url' | 'tlsKey' | 'gaps'> {
  const { origin, pathname } = new URL(url)
  const tlsKey = spki && `sha256/${Buffer.from(spki.replace(/^sha256:/, ''), 'hex').toString('base64')}`
  return { url: origin + pathname, tlsKey, gaps: ['a service: what runs there may change at any time'] }
}
