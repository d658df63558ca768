/** The frame of every page that a person sees: no script, nothing from elsewhere, readable without a mouse and without eyes. */
import { hash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { Language } from './words.ts'

/**
 * A pointer has to rest on the buttons for half a second before they can be pressed: the second half of a double click that
 * began in a window before ours, which its first half closed, decides nothing. Keys and fingers are not kept waiting.
 */
const style = `
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fbfaf7;--line:#c9c4b8;--accent:#1d4ed8;--warn:#8a4b00;--warn-paper:#fff4e0}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#17181a;--line:#494b50;--accent:#8ab4ff;--warn:#ffcf8a;--warn-paper:#3a2c12}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,sans-serif}
main{max-width:36rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.5rem;line-height:1.3;margin:1rem 0;overflow-wrap:anywhere}
h2{font-size:1.125rem;line-height:1.4;margin:2rem 0 0;overflow-wrap:anywhere}
.mark{font-weight:600;letter-spacing:.04em}
code,.exact{font-family:ui-monospace,monospace;font-size:.95em;overflow-wrap:anywhere}
dl{border-top:1px solid var(--line);margin:1rem 0}
dt{font-size:.875rem;padding-top:.75rem}
dd{margin:0;padding-bottom:.75rem;border-bottom:1px solid var(--line);font-weight:600;overflow-wrap:anywhere}
dd small{display:block;font-weight:400}
ul{margin:.25rem 0;padding-inline-start:1.25rem;font-weight:400}
li{margin:.25rem 0}
.warning{background:var(--warn-paper);color:var(--warn);border-inline-start:.25rem solid currentColor;padding:.75rem 1rem;margin:1rem 0}
.warning p{margin:.25rem 0}
.choices{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.5rem}
button,.button{font:inherit;min-height:2.75rem;padding:.5rem 1.5rem;border-radius:.375rem;border:1px solid var(--ink);background:transparent;color:inherit;cursor:pointer;text-decoration:none;display:inline-block}
button.yes,.button.yes{background:var(--ink);color:var(--paper)}
@media(hover:hover){.choices:hover button{animation:ready .5s}}
@keyframes ready{from,to{pointer-events:none}}
:focus-visible{outline:.1875rem solid var(--accent);outline-offset:.125rem}
a{color:var(--accent)}
footer{margin-top:2.5rem;font-size:.875rem}
`
const styleHash = hash('sha256', style, 'base64')

export type Markup = ReturnType<typeof html>

export interface Page {
  readonly language: Language
  readonly title: string
  readonly body: Markup
  /** Goes on by itself at once, for a browser that follows. */
  readonly refreshTo?: string
}

export const pageOf = ({ language, title, body, refreshTo }: Page): Markup => html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<meta name="robots" content="noindex">
${refreshTo === undefined ? '' : html`<meta http-equiv="refresh" content="0;url=${refreshTo}">`}
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body><main><p class="mark">Sekisho</p>${body}</main></body>
</html>`

/** Nothing may frame it, run in it, be loaded into it, or learn where it was (CSP 3; RFC 9700, 4.2 and 4.16). */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'x-frame-options': 'DENY',
  // Not `no-referrer`: with that, browsers say "Origin: null" of our own forms too, and the door refuses them (Fetch, 3.2).
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'accelerometer=(), camera=(), geolocation=(), microphone=(), payment=()',
  'cache-control': 'no-store',
}
