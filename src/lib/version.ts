import { readFileSync } from 'node:fs'

/** As in package.json, which stands beside both src/ and dist/. */
export const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/** What we are called as a client and as a server (MCP `Implementation`). */
export const implementation = { name: 'sekisho', version }
