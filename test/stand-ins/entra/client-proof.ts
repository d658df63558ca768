/**
 * How an app proves that it is itself: a secret (RFC 6749, 2.3.1), an assertion signed with its certificate, or a token of
 * somebody it is federated with (RFC 7523, 2.2; the header names the certificate by `x5t#S256` or `x5t`).
 */
import { X509Certificate } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { thumbprints } from '../certificates.ts'
import type { Got } from '../listener.ts'
import type { App } from './directory.ts'
import { type Code, refuse } from './refusals.ts'
import type { ClientProof } from './tokens.ts'

/** What an app has to prove: `required` for what stands on a server, `forbidden` for what everybody can read. */
export type ProofRule = 'required' | 'forbidden'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const federationAudience = 'api://AzureADTokenExchange'
/** MSAL rounds its clock to the next second, so even a client on the same machine may come from the future. */
const clockTolerance = 300

/** The client id of a request, from the form or from Basic authentication. */
export function clientIdOf({ form, headers }: Got): string {
  return form.get('client_id') ?? basic(headers)?.id ?? refuse(900144, 'client_id')
}

/** `audiences`: how the token endpoint may be called in an assertion. Throws the 7000xx family. */
export async function proofOf(
  got: Got,
  app: App,
  rule: ProofRule,
  audiences: readonly string[],
  nowMs: number,
): Promise<ClientProof> {
  const secret = got.form.get('client_secret') ?? basic(got.headers)?.secret
  const assertion = got.form.get('client_assertion') ?? undefined
  if (rule === 'forbidden') return secret === undefined && assertion === undefined ? '0' : refuse(700025)
  if (assertion !== undefined && got.form.get('client_assertion_type') === assertionType) {
    await checkAssertion(assertion, app, audiences, new Date(nowMs))
    return '2'
  }
  if (secret === undefined) return refuse(7000218)
  return app.secrets?.includes(secret) ? '1' : refuse(7000215, app.clientId)
}

function basic({ authorization = '' }: Got['headers']): { readonly id: string; readonly secret: string } | undefined {
  const [, encoded] = /^Basic ([\w+/=]+)$/i.exec(authorization) ?? []
  if (encoded === undefined) return undefined
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return { id: decodeURIComponent(id), secret: decodeURIComponent(rest.join(':')) }
}

async function checkAssertion(assertion: string, app: App, audiences: readonly string[], currentDate: Date): Promise<void> {
  const { issuer, header, subject } = readAssertion(assertion)
  if (issuer !== app.clientId) return checkFederated(assertion, app, issuer, subject, currentDate)
  const certificate = app.certificates?.find((pem) => {
    const { x5t, x5tS256 } = thumbprints(pem)
    return header['x5t#S256'] === undefined ? header['x5t'] === x5t : header['x5t#S256'] === x5tS256
  })
  if (certificate === undefined) return refuse(700027)
  if (subject !== app.clientId) refuse(700021)
  const options = {
    algorithms: ['RS256', 'PS256'],
    audience: [...audiences],
    currentDate,
    clockTolerance,
    requiredClaims: ['exp', 'jti'],
  }
  await jwtVerify(assertion, new X509Certificate(certificate).publicKey, options).catch(refusedAs(700023, 700027))
}

async function checkFederated(assertion: string, app: App, issuer: string, subject: string, currentDate: Date): Promise<void> {
  const known = app.federations?.filter((one) => one.issuer === issuer) ?? []
  if (known.length === 0) return refuse(700211, issuer)
  const record = known.find((one) => one.subject === subject)
  if (record === undefined) return refuse(700213, subject)
  const { audience = federationAudience, keys } = record
  const options = {
    algorithms: ['RS256', 'PS256', 'ES256'],
    audience,
    issuer,
    currentDate,
    clockTolerance,
    requiredClaims: ['exp'],
  }
  await jwtVerify(assertion, createLocalJWKSet(keys), options).catch(refusedAs(700212, 700027))
}

function readAssertion(assertion: string): { issuer: string; subject: string; header: Record<string, unknown> } {
  try {
    const { iss = '', sub = '' } = decodeJwt(assertion)
    return { issuer: iss, subject: sub, header: decodeProtectedHeader(assertion) }
  } catch {
    return refuse(700027)
  }
}

const refusedAs =
  (audience: Code, signature: Code) =>
  (error: unknown): never => {
    if (error instanceof errors.JWTExpired) return refuse(700024)
    if (error instanceof errors.JWTClaimValidationFailed) return refuse(error.claim === 'aud' ? audience : 700024, error.claim)
    return refuse(signature)
  }
