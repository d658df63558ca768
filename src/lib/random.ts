import { randomBytes, randomInt } from 'node:crypto'

/** 256 bits from the operating system's generator as 43 characters of base64url: session ids, seals, keys. */
export const unguessable = (): string => randomBytes(32).toString('base64url')

const session = randomBytes(9).toString('base64url')
let count = 0

/** A name that is unique, short and cheap, but guessable: exchange ids, JSON-RPC ids. Never a secret. */
export const uniqueName = (): string => `${session}-${(++count).toString(36)}`

/** From 0 up to 1, for jitter. */
export const fraction = (): number => randomInt(0x1_0000_0000) / 0x1_0000_0000
