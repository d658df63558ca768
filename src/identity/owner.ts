import type { Principal } from '../pipeline/parcel.ts'

/**
 * The owner of something held for one session of one principal: `<user>:<session>` (SES-C3). Both parts are escaped, so
 * that no colon, slash, quote or half of a surrogate pair in one can make two owners the same. Compare; do not parse.
 */
export const ownerOf = (principal: Principal, session: string): string => `${escaped(principal.holder)}:${escaped(session)}`

/** JSON keeps every UTF-16 unit, lone surrogates included, which percent-encoding alone would not. */
const escaped = (text: string): string => encodeURIComponent(JSON.stringify(text).slice(1, -1))
