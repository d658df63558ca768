/**
 * A document as it may be shown, on a terminal or in the log of a build: what is a secret, or may be one, is masked sign by
 * sign, so that every place stays where it is. A broken document is masked as far as it can be read.
 */
import { isNode, isScalar, type Node, parseDocument, visit } from 'yaml'
import { textMax } from './document.ts'
import { isReference, looksLikeSecret, looksLikeToken, withoutTokens } from './secrets.ts'

/** Keys of the configuration that sound like a secret and hold none. */
const ours = [
  ...['key', 'keys', 'keyFile', 'apiKey', 'keyProvider', 'previousKeyProviders'],
  ...['credential', 'tokenFile', 'tokenUrl', 'keyId'],
]

export function maskedText(text: string): string {
  if (text.length > textMax) return ''
  let shown = text
  const mask = ({ range }: Node): void => {
    const [from, to] = range ?? [0, 0]
    shown = shown.slice(0, from) + shown.slice(from, to).replace(/[^\r\n]/g, '•') + shown.slice(to)
  }
  visit(parseDocument(text, { logLevel: 'silent', prettyErrors: false }), {
    Pair(_, { key, value }) {
      if (isScalar(key) && isNode(value) && mayBeSecret(String(key.value), isScalar(value) ? String(value.value) : '…'))
        mask(value)
    },
    Scalar(_, node) {
      if (looksLikeToken(String(node.value))) mask(node)
    },
  })
  return withoutTokens(shown)
}

/** 32 bytes in base64url, as a key of the vault is, whatever it was called. */
const key32 = /^[A-Za-z0-9_-]{43}=?$/

function mayBeSecret(name: string, value: string): boolean {
  if (name === 'sha256') return !/^[0-9a-f]{64}$/.test(value) // the key itself, where its digest should be
  if (key32.test(value)) return true
  return !ours.includes(name) && !isReference(value) && looksLikeSecret(name, value)
}
