/**
 * A real Chromium for tests: the machine's own, or else the one that comes inside a package of npm, unpacked once into a folder
 * of ours. Nothing is downloaded. Names under `.test` are this machine, so that sites can be told apart by their names.
 * Where none can start the reason is given, and the tests that need one say that they are skipped.
 */
import { execFile } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome-headless-shell']
const startMsMax = 60_000

/** A browser, or why there is none. */
export async function startBrowser(): Promise<Browser | string> {
  const reasons: string[] = []
  for (const find of [async () => installed(), unpacked])
    try {
      const executablePath = await find()
      if (executablePath !== undefined) return await launched(executablePath)
    } catch (error) {
      reasons.push(whyNot(String((error as Error).message)))
    }
  return `no Chromium could be started (${reasons.join('; ') || 'none is installed'})`
}

async function launched(executablePath: string): Promise<Browser> {
  const args = ['--host-resolver-rules=MAP *.test 127.0.0.1', '--disable-gpu']
  // Root has no sandbox to go into; these pages are our own.
  if (process.getuid?.() === 0) args.push('--no-sandbox')
  const browser = await chromium.launch({ executablePath, args, timeout: startMsMax })
  try {
    const page = await browser.newPage()
    await page.goto('data:text/html,<title>it works</title>')
    await page.close()
    return browser
  } catch (error) {
    await browser.close()
    throw error
  }
}

function installed(): string | undefined {
  const paths = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return statSync(path).isFile()
    } catch {
      return false
    }
  })
}

/**
 * The package unpacks itself into the temporary folder, where another user may have put something under its name, and where
 * two that unpack at once get in each other's way. So it is told of a folder of its own, which is renamed when it is whole.
 */
async function unpacked(): Promise<string> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.resolve('@sparticuz/chromium')), 'utf8'))
  const home = join(tmpdir(), `sekisho-chromium-${process.getuid?.() ?? 'user'}`)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  chmodSync(home, 0o700) // throws where it is somebody else's
  const whole = join(home, String(version))
  if (!existsSync(whole)) {
    const partial = mkdtempSync(join(home, 'partial-'))
    const script = "const { default: it } = await import('@sparticuz/chromium'); await it.executablePath()"
    const env = { ...process.env, TMPDIR: partial }
    try {
      await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env, cwd: import.meta.dirname })
      renameSync(partial, whole)
    } catch (error) {
      rmSync(partial, { recursive: true, force: true })
      if (!existsSync(whole)) throw error // else somebody was faster
    }
  }
  return join(whole, 'chromium')
}

/** Of a page of output, the line that says it. */
const whyNot = (text: string): string =>
  /error while loading shared libraries: .*|Cannot find package .*/.exec(text)?.[0] ?? (text.split('\n')[0] as string)
