/** The other pages: on the way to the provider, something went wrong, and what a person has allowed so far. */
import { html } from 'hono/html'
import type { Consent } from '../consents.ts'
import { placeOf } from '../redirect-uris.ts'
import { scopeList, serversIn, shownName } from './consent.ts'
import { type Markup, pageHeaders, pageOf } from './layout.ts'
import { type Language, type Words, wordsIn } from './words.ts'

/**
 * A page of its own between our form and the provider. A redirect would do, were it not that browsers hold the whole chain
 * of redirects behind a form against `form-action`, and nobody knows where a provider sends people.
 */
export function goingPage(language: Language, to: URL): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.goingTitle}</h1>
<p>${words.going(to.host)}</p>
<p><a class="button yes" rel="noreferrer" href="${to.href}">${words.goOn}</a></p>`
  return pageOf({ language, title: words.goingTitle, body, refreshTo: to.href })
}

/** For the same reason: the next redirect leads to the client. */
export function deniedPage(language: Language, to: URL): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.deniedTitle}</h1>
<p>${words.denied}</p>
<p><a class="button yes" href="${to.href}">${words.goOn}</a></p>`
  return pageOf({ language, title: words.deniedTitle, body, refreshTo: to.href })
}

export type Problem = keyof Words['problems']

const statuses: Readonly<Record<Problem, number>> = {
  ...{ expired: 400, forged: 403, denied: 403, unavailable: 503, refused: 502, unknown: 404, client: 400 },
  ...{ crowded: 503, often: 429, long: 400 },
}

/** `waitS`: when it is worth another try, where that is known (RFC 9110, 10.2.3). */
export const problemAnswer = (problem: Problem, waitS = problem === 'crowded' ? 60 : 0) => ({
  status: statuses[problem],
  headers: { ...pageHeaders, ...(waitS > 0 && { 'retry-after': String(waitS) }) },
})

export function problemPage(language: Language, problem: Problem): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.problemTitle}</h1><p role="alert">${words.problems[problem]}</p>`
  return pageOf({ language, title: words.problemTitle, body })
}

export interface ConsentsView {
  readonly language: Language
  /** The name of who is signed in. */
  readonly person: string
  readonly consents: readonly Consent[]
  readonly action: string
  readonly csrf: string
}

export function consentsPage({ language, person, consents, action, csrf }: ConsentsView): Markup {
  const words = wordsIn(language)
  const one = (consent: Consent): Markup => {
    const name = shownName(consent.clientName, consent.clientId)
    const servers = serversIn(consent.resources)
    const givenAt = new Date(consent.givenAt).toISOString()
    return html`<section><h2>${name}</h2>
<dl><dt>${words.mayDo}</dt><dd>${scopeList(consent.scopes, language)}</dd>
<dt>${words.servers}</dt><dd>${servers.length === 0 ? words.allServers : servers.join(', ')}</dd>
<dt>${words.sentTo}</dt><dd><span class="exact">${placeOf(consent.redirectUri).host}</span></dd>
<dt>${words.consentsGiven}</dt><dd><time datetime="${givenAt}">${givenAt.slice(0, 16).replace('T', ' ')} UTC</time></dd>
<dt>${words.clientId}</dt><dd><code>${shownName(consent.clientId, '')}</code></dd></dl>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<button type="submit" name="client" value="${consent.clientId}">${words.revoke(name)}</button></form></section>`
  }
  const body = html`<h1>${words.consentsTitle}</h1>
<p>${words.signedInAs} <strong>${shownName(person, '')}</strong></p>
${consents.length === 0 ? html`<p>${words.consentsNone}</p>` : consents.map(one)}
<footer><form method="post"><input type="hidden" name="csrf" value="${csrf}">
<p>${words.signOutLead}</p><button type="submit" name="leave" value="yes">${words.signOut}</button></form></footer>`
  return pageOf({ language, title: words.consentsTitle, body })
}

export function signInPage(language: Language, action: string, csrf: string): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.consentsTitle}</h1><p>${words.signInFirst}</p>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<button class="yes" type="submit">${words.signIn}</button></form>`
  return pageOf({ language, title: words.consentsTitle, body })
}
