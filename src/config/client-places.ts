/** Where the clients of this machine keep their settings: what the environment says of it, for `trust/clients/`. */
import { isAbsolute, resolve } from 'node:path'
import type { Places } from '../trust/clients/known.ts'
import type { Variables } from './environment.ts'

const platforms = ['linux', 'darwin', 'win32'] as const

/**
 * With `home` given, only what lies under it counts, and no variable does. Throws where nobody has a home. A platform that we
 * do not know keeps settings as Linux does.
 */
export function clientPlaces(
  home: string | undefined,
  variables: Variables = process.env,
  system: NodeJS.Platform = process.platform,
): Places {
  const platform = platforms.find((one) => one === system) ?? 'linux'
  if (home !== undefined) return { platform, home: resolve(home) }
  const folder = (...names: string[]) => names.map((name) => variables[name] ?? '').find((value) => isAbsolute(value))
  const own = folder('HOME', 'USERPROFILE')
  if (own === undefined) throw new Error('there is no home to look for clients in; set HOME')
  return {
    platform,
    home: own,
    configHome: folder('XDG_CONFIG_HOME'),
    appData: platform === 'win32' ? folder('APPDATA') : undefined,
    localAppData: platform === 'win32' ? folder('LOCALAPPDATA') : undefined,
    claudeHome: folder('CLAUDE_CONFIG_DIR'),
    codexHome: folder('CODEX_HOME'),
    copilotHome: folder('COPILOT_HOME'),
  }
}
