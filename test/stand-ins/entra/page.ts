/**
 * The pages that people see, as plain HTML without scripts (but for form_post, which sends itself). Nobody has a password
 * here: whoever is chosen is signed in, and the page says so.
 */
import { randomBytes } from 'node:crypto'
import type { Reply } from '../listener.ts'
import type { Missing } from './consent.ts'
import type { App, User } from './directory.ts'

export interface Step {
  /** Where the form is sent. */
  readonly action: string
  /** Names the request that goes on afterwards. */
  readonly flow: string
}

export function signInPage(step: Step, client: App, people: readonly User[], hint: string, problem: string | undefined): Reply {
  const buttons = people.map(
    ({ name, username }) =>
      `<li><button class="person" name="username" value="${text(username)}"><strong>${text(name)}</strong><span>${text(username)}</span></button></li>`,
  )
  return page(
    'Sign in to your account',
    `<h1>Pick an account</h1>
<p>to continue to <strong>${text(client.name)}</strong></p>
${problem === undefined ? '' : `<p class="problem" role="alert">${text(problem)}</p>`}
${form(step, `<ul>${buttons.join('')}</ul>`)}
<h2>Use another account</h2>
${form(step, `<label for="username">Username</label><input id="username" name="username" autocomplete="username" required value="${text(hint)}"><button class="main">Next</button>`)}`,
  )
}

export const approvalPage = (step: Step, user: User, contexts: readonly string[]): Reply =>
  page(
    'Approve sign in request',
    `<h1>Approve sign in request</h1>
<p>Your organisation asks <strong>${text(user.username)}</strong> for more proof (${text(contexts.join(', '))}).</p>
${form(step, '<button class="main" name="approve" value="yes">Approve</button><button name="approve" value="no">Cancel</button>')}`,
  )

export function consentPage(step: Step, client: App, user: User, missing: readonly Missing[]): Reply {
  const wanted = missing.flatMap(({ resource, names }) =>
    names.map((name) => `<li><strong>${text(name)}</strong><span>${text(resource.name)}</span></li>`),
  )
  return page(
    'Permissions requested',
    `<h1>Permissions requested</h1>
<p><strong>${text(client.name)}</strong> would like, as ${text(user.username)}:</p>
<ul>${wanted.join('')}</ul>
${form(step, '<button class="main" name="consent" value="accept">Accept</button><button name="consent" value="cancel">Cancel</button>')}`,
  )
}

/** An error that may not be sent to the client: its address is not to be trusted. */
export const problemPage = (message: string, status = 400): Reply =>
  page(
    'Sign in to your account',
    `<h1>Sorry, but we’re having trouble signing you in.</h1><p class="problem" role="alert">${text(message)}</p>`,
    status,
  )

export const signedOutPage = (): Reply => page('Sign out', '<h1>You signed out of your account</h1>')

/** `response_mode=form_post` (OAuth 2.0 Form Post Response Mode, 2). */
export function formPostPage(redirectUri: string, members: readonly (readonly [string, string])[]): Reply {
  const inputs = members.map(([name, value]) => `<input type="hidden" name="${text(name)}" value="${text(value)}">`).join('')
  const nonce = randomBytes(16).toString('base64')
  const body = `<form method="post" action="${text(redirectUri)}">${inputs}<noscript><p>Script is disabled.</p></noscript><button class="main">Continue</button></form><script nonce="${nonce}">document.forms[0].submit()</script>`
  return page('Working…', body, 200, `script-src 'nonce-${nonce}'`)
}

const form = ({ action, flow }: Step, content: string): string =>
  `<form method="post" action="${text(action)}"><input type="hidden" name="flow" value="${text(flow)}">${content}</form>`

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const text = (value: string): string => value.replace(/[&<>"']/g, (one) => entities[one] as string)

function page(title: string, content: string, status = 200, scripts = ''): Reply {
  const nonce = randomBytes(16).toString('base64')
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'; ${scripts}`
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store, no-cache',
      'content-security-policy': policy,
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'strict-origin-when-cross-origin',
    },
    body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text(title)}</title><style nonce="${nonce}">${style}</style></head>
<body><main>${content}</main><footer>A stand-in for Microsoft Entra ID. It runs on this machine, knows no passwords, and signs in whoever is chosen.</footer></body>
</html>`,
  }
}

const style = `
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 22%,Canvas);--blue:#0067b8}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-content:center;justify-items:center;gap:1rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
main{width:min(27rem,100%);padding:2rem;border:1px solid var(--line);border-radius:.5rem}
footer{width:min(27rem,100%);font-size:.85rem;opacity:.75}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25}h2{margin:1.5rem 0 .5rem;font-size:1rem}p{margin:0 0 1rem}
ul{list-style:none;margin:0 0 1rem;padding:0}li{border-top:1px solid var(--line)}li:last-child{border-bottom:1px solid var(--line)}
li>strong,li>span,.person>*{display:block}li:not(:has(button)){padding:.5rem 0}li span{font-size:.875rem;opacity:.75}
button,input{font:inherit;padding:.5rem 1rem;border:1px solid var(--line);border-radius:.25rem;background:Canvas;color:CanvasText}
button{cursor:pointer;margin-inline-end:.5rem}button.person{width:100%;border:0;text-align:start;padding:.625rem .5rem}button:hover{background:color-mix(in srgb,CanvasText 8%,Canvas)}
button.main{background:var(--blue);border-color:var(--blue);color:#fff}
:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
label{display:block;margin-bottom:.25rem}input:not([type=hidden]){width:100%;margin-bottom:1rem}
.problem{border-inline-start:.25rem solid #c4314b;padding-inline-start:.75rem}
`
