/** Throw-away certificates, made with openssl, and openssl as a client. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly cert: string
  readonly key: string
}
export interface Wanted {
  readonly san?: string
  /** -1: it has expired. */
  readonly days?: number
}

const run = promisify(execFile)
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export class Authority implements Certificate {
  readonly cert: string
  readonly key: string
  readonly #folder: string

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.cert = join(folder, `${name}.pem`)
    this.key = join(folder, `${name}.key`)
    execFileSync(
      'openssl',
      ['req', '-x509', ...curve, '-keyout', this.key, '-out', this.cert, '-subj', `/CN=${name}`, '-days', '2'],
      { stdio: 'ignore' },
    )
  }

  async issue(name: string, { san = 'IP:127.0.0.1,DNS:localhost', days = 2 }: Wanted = {}): Promise<Certificate> {
    const [cert, key, request] = ['pem', 'key', 'csr'].map((ending) => join(this.#folder, `${name}.${ending}`)) as [
      string,
      string,
      string,
    ]
    await run('openssl', [
      'req',
      '-new',
      ...curve,
      '-keyout',
      key,
      '-out',
      request,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=${san}`,
    ])
    const signed = ['-CA', this.cert, '-CAkey', this.key, '-CAcreateserial', '-days', String(days), '-copy_extensions', 'copy']
    await run('openssl', ['x509', '-req', '-in', request, ...signed, '-out', cert])
    return { cert, key }
  }
}

/** What `openssl s_client` makes of a server: the version that was agreed on, or undefined where none was. */
export function agreedVersion(port: number, ca: string, args: readonly string[] = []): Promise<string | undefined> {
  // Security level 0, or openssl itself would refuse to say TLS 1.1.
  const all = [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-CAfile',
    ca,
    '-verify_return_error',
    '-cipher',
    'ALL:@SECLEVEL=0',
    ...args,
  ]
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', all, { stdio: ['pipe', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
    })
    child.stdin.on('error', () => undefined)
    // A server of TLS 1.3 looks at the client's certificate after the handshake: only an answer shows that it let us in.
    child.stdin.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(timer)
      const version = /Protocol\s*: (TLSv[\d.]+)/.exec(text) ?? /^New, (TLSv[\d.]+)/m.exec(text)
      resolve(text.includes('HTTP/1.1 ') ? version?.[1] : undefined)
    })
  })
}
