/**
 * Names on the door to all servers. A tool `read` of server `files` is `files__read`; a resource is
 * `sekisho://files/<percent-encoded URI>`. The prefix is the configured id, never what a server calls itself (2026-07-28
 * tools, Tool Names), and since an id has no `_`, the first `__` always ends it: two servers cannot collide.
 */
import { createHash } from 'node:crypto'
import type { Kind } from './places.ts'
import { saidBy } from './voices.ts'

const separator = '__'
const scheme = 'sekisho://'
/** Clients and model providers refuse longer tool names. */
const nameCharsMax = 64

export class Names {
  /** Shortened names, by what they stand for; learned when a list passes. */
  readonly #shortened = new Map<string, string>()
  readonly #shortenedMax = 50_000

  /** How `id` of `server` is shown. */
  shown(kind: Kind, server: string, id: string): string {
    switch (kind) {
      case 'name':
        return this.#name(server, id)
      case 'task':
        return `${server}${separator}${id}`
      case 'uri':
        return uriFor(server, id)
      case 'template':
        return templateFor(server, id)
      case 'words':
        return saidBy(server, id)
    }
  }

  /** Undefined for what we could not have shown. */
  split(shown: string): { server: string; id: string } | undefined {
    if (shown.startsWith(scheme)) return splitUri(shown)
    const end = shown.indexOf(separator)
    if (end <= 0) return undefined
    return { server: shown.slice(0, end), id: this.#shortened.get(shown) ?? shown.slice(end + separator.length) }
  }

  #name(server: string, name: string): string {
    const full = `${server}${separator}${name}`
    if (full.length <= nameCharsMax) return full
    const digest = createHash('sha256').update(full).digest('hex').slice(0, 10)
    const short = `${full.slice(0, nameCharsMax - digest.length - 1)}_${digest}`
    if (this.#shortened.size < this.#shortenedMax) this.#shortened.set(short, name)
    return short
  }
}

/** Half a surrogate pair has no UTF-8, so it becomes U+FFFD; a URI like that could not be asked for anyway. */
const uriFor = (server: string, uri: string): string => `${scheme}${server}/${encodeURIComponent(uri.toWellFormed())}`

/** As {@link uriFor}, for a URI template: what is in braces stays readable for the client that fills it in. */
const templateFor = (server: string, template: string): string =>
  `${scheme}${server}/${template.replace(/(\{[^{}]*\})|([^{}]+)/g, (_, variable: string | undefined, rest: string | undefined) => variable ?? encodeURIComponent((rest ?? '').toWellFormed()))}`

function splitUri(shown: string): { server: string; id: string } | undefined {
  const [, server, encoded] = /^sekisho:\/\/([a-z][a-z0-9-]{0,23})\/(.*)$/s.exec(shown) ?? []
  if (server === undefined || encoded === undefined) return undefined
  try {
    return { server, id: decodeURIComponent(encoded) }
  } catch {
    return undefined
  }
}
