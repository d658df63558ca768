/** Throw-away certificates as files, for what is configured with paths; and openssl as a client. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CertificateAuthority, certificateAuthority, type Pair, type Wanted } from '../../stand-ins/certificates.ts'

/** Paths. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export class Authority implements Certificate {
  readonly cert: string
  readonly key: string
  readonly #folder: string
  readonly #authority: CertificateAuthority

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#authority = certificateAuthority(name)
    const { cert, key } = this.#written(name, this.#authority)
    this.cert = cert
    this.key = key
  }

  issue(name: string, wanted: Wanted = {}): Certificate {
    return this.#written(name, this.#authority.issue(name, wanted))
  }

  #written(name: string, pair: Pair): Certificate {
    const paths = { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}.key`) }
    writeFileSync(paths.cert, pair.cert)
    writeFileSync(paths.key, pair.key, { mode: 0o600 })
    return paths
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
