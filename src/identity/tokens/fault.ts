/**
 * Why a token is not accepted. The word goes into the audit record and into `error_description` (RFC 6750, 3.1); it names
 * the rule and never repeats what the token says.
 */
export const faults = {
  size: 'the token is too long',
  malformed: 'the token is not a signed JWT that can be read in exactly one way',
  algorithm: 'the token is signed with an algorithm that is not accepted',
  type: 'the token is not an access token',
  critical: 'the token asks for an extension that is not known here',
  key: 'the token is signed with a key that its issuer does not publish',
  signature: 'the signature of the token is wrong',
  issuer: 'the token is from another issuer',
  tenant: 'the token is from a tenant that is not accepted here',
  audience: 'the token was issued for another audience',
  expired: 'the token has expired',
  early: 'the token is not valid yet',
  lifetime: 'the token is valid for longer than is accepted here',
  version: 'the version of the token is not the one of its issuer',
  subject: 'the token does not say whose it is',
  names: 'the groups or the roles of the token are not a list of texts',
  client: 'the token was issued to a client that is not accepted here',
  grant: 'the token has neither scopes nor roles nor the id of a client, as access tokens have',
  claims: 'the token lacks a claim that is required here',
  revoked: 'the token has been revoked',
  binding: 'the token is bound to a key, and the proof of it is missing or wrong',
} as const
export type Fault = keyof typeof faults

export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  readonly fault: Fault
  constructor(fault: Fault) {
    super(faults[fault])
    this.fault = fault
  }
}
