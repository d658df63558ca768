/** Ed25519 keys of people, in PEM: the public half that a configuration names, and the private one that somebody signs with. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const makeOne = 'make a pair with: openssl genpkey -algorithm ed25519'

/** `namedBy`: where the configuration names it. */
export async function teamKey(file: string, namedBy: string): Promise<KeyObject> {
  const pem = await readFile(file)
  if (pem.includes('PRIVATE KEY-----'))
    throw new TypeError(
      `${file}, which "${namedBy}" names, is a private key, and whoever signs keeps that; give its public half: openssl pkey -pubout`,
    )
  const key = readAs(() => createPublicKey(pem))
  if (key === undefined) throw new TypeError(`${file}, which "${namedBy}" names, is not an Ed25519 public key in PEM; ${makeOne}`)
  return key
}

/** Without a passphrase. Its text stays out of errors. */
export async function privateKey(file: string): Promise<KeyObject> {
  const pem = await readFile(file)
  const key = readAs(() => createPrivateKey(pem))
  if (key === undefined)
    throw Object.assign(new TypeError(`${file} is not an Ed25519 private key in PEM, without a passphrase`), {
      fix: `${makeOne} -out KEY.pem`,
    })
  return key
}

function readAs(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read()
    return key.asymmetricKeyType === 'ed25519' ? key : undefined
  } catch {
    return undefined // OpenSSL has no words for people, and would quote from the file
  }
}
