/** The pages on which a person lets this gateway use one server in their name, once. */
import { html } from 'hono/html'
import { type Markup, pageOf } from './layout.ts'
import { type Language, wordsIn } from './words.ts'

export interface ConnectView {
  readonly language: Language
  readonly server: string
  readonly action: string
  readonly csrf: string
  /** Whether we know who sits before the browser. */
  readonly isKnown: boolean
}

export function connectPage({ language, server, action, csrf, isKnown }: ConnectView): Markup {
  const words = wordsIn(language)
  const body = html`<h1>${words.connectHeading(server)}</h1>
<p>${isKnown ? words.connectLead : words.connectSignIn}</p>
<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<div class="choices"><button class="yes" type="submit">${isKnown ? words.connect : words.signIn}</button></div></form>`
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
