/** The pages on which a person lets this gateway use one server in their name, once. */
import { html } from 'hono/html'
import { shownName } from './consent.ts'
import { type Markup, pageOf } from './layout.ts'
import { type Language, wordsIn } from './words.ts'

export interface ConnectView {
  readonly language: Language
  readonly server: string
  readonly action: string
  readonly csrf: string
  /** The name of who sits before the browser, where that is known. */
  readonly person: string | undefined
  /** The link is for somebody else. */
  readonly isAnother: boolean
}

export function connectPage({ language, server, action, csrf, person, isAnother }: ConnectView): Markup {
  const words = wordsIn(language)
  const mayConnect = person !== undefined && !isAnother
  const body = html`<h1>${words.connectHeading(server)}</h1>
${person === undefined ? '' : html`<p>${words.signedInAs} <strong>${shownName(person, '')}</strong></p>`}
${isAnother ? html`<div class="warning" role="note"><p>${words.connectAnother}</p></div>` : ''}
<p>${mayConnect ? words.connectLead : words.connectSignIn}</p>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<div class="choices"><button class="yes" type="submit">${mayConnect ? words.connect : words.signIn}</button></div></form>`
  return pageOf({ language, title: words.connectHeading(server), body })
}

export function connectedPage(language: Language, server: string): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.connectedHeading(server)}</h1><p role="status">${words.connectedLead}</p>`
  return pageOf({ language, title: words.connectedHeading(server), body })
}

/** `why`: a sentence of ours, from protocol/refusal-texts.ts. */
export function notConnectedPage(language: Language, why: string): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.problemTitle}</h1><p role="alert">${words.notConnected}</p><p lang="en">${why}</p>`
  return pageOf({ language, title: words.problemTitle, body })
}
