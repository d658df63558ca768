/** The only reader of the environment. Everything that a variable may decide is a member of this answer. */
import { isAbsolute, join } from 'node:path'

export type Variables = Readonly<Record<string, string | undefined>>

/** How to reach the world, as curl and others agree on it. */
export interface ProxySettings {
  readonly https: string | undefined
  readonly http: string | undefined
  /** NO_PROXY as it was given. */
  readonly no: string | undefined
}
export const noProxy: ProxySettings = Object.freeze({ https: undefined, http: undefined, no: undefined })

export interface Environment {
  readonly proxy: ProxySettings
  /** Where `run` keeps its state; undefined when there is no home. */
  readonly dataFolder: string | undefined
  /** SOURCE_DATE_EPOCH in milliseconds: when what is written says it was, for builds that can be repeated. */
  readonly sourceDateMs?: number | undefined
  /** Everything there is, for a child that is to have all of it. */
  readonly variables: Readonly<Record<string, string>>
}

export function readEnvironment(variables: Variables = process.env): Environment {
  const get = (...names: string[]) => names.map((name) => variables[name]).find((value) => value !== undefined && value !== '')
  const home = get('HOME', 'USERPROFILE')
  const xdg = get('XDG_DATA_HOME')
  const data =
    (xdg !== undefined && isAbsolute(xdg) ? xdg : undefined) ??
    get('LOCALAPPDATA') ??
    (home === undefined ? undefined : join(home, '.local', 'share'))
  const [epoch] = /^\d{1,11}$/.exec(get('SOURCE_DATE_EPOCH') ?? '') ?? []
  return {
    proxy: Object.freeze({
      https: get('https_proxy', 'HTTPS_PROXY'),
      http: get('http_proxy', 'HTTP_PROXY'),
      no: get('no_proxy', 'NO_PROXY'),
    }),
    sourceDateMs: epoch === undefined ? undefined : Number(epoch) * 1000,
    dataFolder: data === undefined ? undefined : join(data, 'sekisho'),
    variables: Object.freeze(
      Object.assign(
        Object.create(null),
        Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)),
      ),
    ),
  }
}
