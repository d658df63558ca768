/** All that a server tells a model, folded: each definition with its texts as they are read, and what was found marked in them. */
import { html } from 'hono/html'
import { type Definition, type DefinitionKind, definitionKinds } from '../../trust/definition.ts'
import { leavesOf } from '../../trust/scan/leaves.ts'
import type { Reported } from '../operations/scan.ts'
import { type Markup, textWith, words } from './html-text.ts'

/** Of one text, and of one server: a page has to open. What was found further on is shown with the finding. */
const textCharsMax = 20_000
const serverCharsMax = 400_000
/** What fits on a line needs no frame. */
const shortCharsMax = 80

export function told(definitions: readonly Definition[], findings: readonly Reported[]): Markup | '' {
  if (definitions.length === 0) return ''
  const found = Map.groupBy(findings, ({ kind, name }) => JSON.stringify([kind, name]))
  let left = serverCharsMax
  let omitted = 0
  const each: Markup[] = []
  for (const definition of definitions) {
    if (left <= 0) {
      omitted++
      continue
    }
    const { kind, name, body } = definition
    const leaves = leavesOf(body, kind).leaves.filter(({ role }) => role !== 'key')
    const spans = found.get(JSON.stringify([kind, name])) ?? []
    const texts = leaves.flatMap(({ path, text }) => {
      if (left <= 0) return []
      const own = spans.flatMap(({ at }) => (at?.path === path ? [at] : []))
      const isShort = own.length === 0 && text.length <= shortCharsMax && !text.includes('\n')
      const shown = isShort ? html`<code>${words(text)}</code>` : textWith(text, own, Math.min(textCharsMax, left))
      left -= Math.min(textCharsMax, text.length) + path.length
      return [html`<dt><code>${words(path)}</code></dt><dd>${shown}</dd>`]
    })
    each.push(html`<h3>${titles[kind]} ${words(name)}</h3><dl class="texts">${texts}</dl>`)
  }
  const rest = omitted === 0 ? '' : html`<p class="dim">${omitted} more are left out here; they were scanned.</p>`
  return html`<details><summary>All that it tells a model: ${summaryOf(definitions)}</summary>${each}${rest}</details>`
}

const titles: Readonly<Record<DefinitionKind, string>> = {
  tool: 'Tool',
  prompt: 'Prompt',
  resource: 'Resource',
  template: 'Resource template',
  skill: 'skills',
  instructions: 'Instructions',
  capabilities: 'Capabilities',
  about: 'Of itself',
}

const summaryOf = (definitions: readonly Definition[]): string =>
  definitionKinds
    .flatMap((kind) => {
      const number = definitions.filter((one) => one.kind === kind).length
      return number === 0 ? [] : [`${number} × ${titles[kind].toLowerCase()}`]
    })
    .join(', ')
