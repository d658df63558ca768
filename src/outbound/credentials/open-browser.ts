/**
 * Opens a page in the browser of the person at this machine. The address was made from what a server published, so it is
 * checked again here, stripped of everything that a shell behind the opener could take for its own, and handed over as one
 * argument of a program, without a shell (CVE-2025-6514).
 */
import { execFile } from 'node:child_process'
import { isBrowsable } from './authorization.ts'

export type Run = (program: string, args: readonly string[]) => Promise<void>

const charsMax = 8192
const openers: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['/usr/bin/open'],
  win32: ['rundll32.exe', 'url.dll,FileProtocolHandler'],
}

/** Rejects with an Error that says what to do where no browser can be opened. */
export async function openBrowser(
  address: string,
  platform: NodeJS.Platform = process.platform,
  run: Run = start,
): Promise<void> {
  const [program, ...before] = openers[platform] ?? ['xdg-open']
  await run(program as string, [...before, browsable(address)])
}

/** The address as it may be handed to another program. Throws for one that no browser should be sent to. */
export function browsable(address: string): string {
  const url = address.length <= charsMax && URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !isBrowsable(url))
    throw new Error('the address is neither https nor on this machine, so it is not opened')
  return url.href.replace(
    /[^A-Za-z0-9\-._~:/?[\]@!&=+,;%]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  )
}

const start: Run = (program, args) =>
  new Promise((resolve, reject) => {
    const options = { shell: false, timeout: 10_000, windowsHide: true } as const
    execFile(program, [...args], options, (error) => {
      if (error) reject(new Error(`no browser could be opened (${program}: ${error.code ?? 'failed'})`))
      else resolve()
    })
  })
