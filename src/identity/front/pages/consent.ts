/**
 * The question that stands between a program and a person's name (CD-C1): who asks, as far as that is known; where the
 * permission goes; what it is for. Everything that a stranger wrote is shown as text, short, and called a claim.
 */
import { html } from 'hono/html'
import type { Again } from '../interaction.ts'
import { type Markup, pageOf } from './layout.ts'
import { type Language, wordsIn } from './words.ts'

export interface ConsentView {
  readonly language: Language
  readonly clientName: string
  readonly clientId: string
  /** How much is known of who it is. */
  readonly standing: 'document' | 'registered-itself' | 'operator'
  /** Of the document that describes it. */
  readonly documentHost: string | undefined
  readonly redirectHost: string
  readonly isLoopback: boolean
  readonly scopes: readonly string[]
  /** Server ids; empty for all that the person may use. */
  readonly servers: readonly string[]
  /** The same of what the person has agreed to before, with the very same client. */
  readonly held: { readonly scopes: readonly string[]; readonly servers: readonly string[] } | undefined
  readonly providerHost: string
  readonly action: string
  /** Digest of what this page shows, for which the csrf is. */
  readonly shown: string
  readonly csrf: string
  readonly again: Again | undefined
}

export function consentPage(view: ConsentView): Markup {
  const { language, standing, documentHost, scopes } = view
  const words = wordsIn(language)
  const name = shownName(view.clientName, view.clientId)
  const standings = {
    document: html`<dt>${words.verifiedHost}</dt><dd>${documentHost ?? ''}<small>${words.hostVerified}</small></dd>`,
    'registered-itself': html``,
    operator: html`<dd><small>${words.operator}</small></dd>`,
  }
  const warnings = [
    ...(view.again === undefined ? [] : [words.again[view.again]]),
    ...(standing === 'registered-itself' ? [words.unregistered] : []),
    ...(view.isLoopback ? [words.loopback] : []),
  ]
  const body = html`<h1>${words.consentHeading(name)}</h1>
<p>${words.consentLead}</p>
${warnings.length === 0 ? '' : html`<div class="warning" role="note">${warnings.map((warning) => html`<p>${warning}</p>`)}</div>`}
<dl>
<dt>${words.program}</dt><dd>${name}<small>${standing === 'operator' ? words.operator : words.nameOnly}</small></dd>
${standing === 'operator' ? '' : standings[standing]}
<dt>${words.sentTo}</dt><dd><span class="exact">${view.redirectHost}</span></dd>
<dt>${words.servers}</dt><dd>${serverList(view)}</dd>
<dt>${words.wants}</dt><dd>${scopeList(scopes, language, view.held?.scopes)}</dd>
</dl>
<p>${words.next(view.providerHost)}</p>
<form method="post" action="${view.action}" autocomplete="off">
<input type="hidden" name="shown" value="${view.shown}">
<input type="hidden" name="csrf" value="${view.csrf}">
<div class="choices">
<button class="yes" type="submit" name="decision" value="allow">${words.allow}</button>
<button type="submit" name="decision" value="deny">${words.deny}</button>
</div>
</form>
<footer>${words.clientId}: <code>${shownName(view.clientId, '')}</code></footer>`
  return pageOf({ language, title: words.consentTitle, body })
}

function serverList({ servers, held, language }: ConsentView): Markup {
  const words = wordsIn(language)
  const added = html` (<em>${words.added}</em>)`
  const hadAll = held === undefined || held.servers.length === 0
  if (servers.length === 0) return html`${words.allServers}${hadAll ? '' : added}`
  return html`${servers.map((id, at) => html`${at > 0 ? ', ' : ''}${id}${hadAll || held.servers.includes(id) ? '' : added}`)}`
}

/** In the order from reading to destroying. `held`: what was agreed to before, so that the rest is marked as new. */
export function scopeList(scopes: readonly string[], language: Language, held: readonly string[] = scopes): Markup {
  const words = wordsIn(language)
  const known: Readonly<Record<string, readonly [name: string, meaning: string]>> = words.scopes
  const one = (scope: string): Markup => {
    const [name, meaning] = known[scope] ?? [scope, words.otherScope]
    return html`<li><strong>${name}</strong>${held.includes(scope) ? '' : html` (<em>${words.added}</em>)`}: ${meaning}</li>`
  }
  const order = Object.keys(known)
  return html`<ul>${[...scopes].sort((a, b) => order.indexOf(a) - order.indexOf(b)).map(one)}</ul>`
}

const nameCharsMax = 64

/** A stranger's name on one line: without what is invisible, turns the text around, or takes all the room. */
export function shownName(name: string, otherwise: string): string {
  const visible = name
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu, '')
    .replace(/\p{M}{3,}/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
  const letters = [...visible]
  const short = letters.length > nameCharsMax ? `${letters.slice(0, nameCharsMax - 1).join('')}…` : visible
  return short === '' ? otherwise.slice(0, nameCharsMax) : short
}

/** The servers named by the resources; none where one of them is the door to all. */
export function serversIn(resources: readonly string[]): readonly string[] {
  const ids = resources.map((resource) => /^\/([^/]+)\/mcp\/?$/.exec(new URL(resource).pathname)?.[1])
  return ids.some((id) => id === undefined) ? [] : (ids as string[])
}
