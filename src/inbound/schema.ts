/**
 * The part of the configuration that says where we listen and whom we let near the door. Every key here is enforced by
 * code; whether the parts fit together (plain HTTP only on loopback, …) is decided in config/cross-checks.ts.
 */
import { isIP } from 'node:net'
import { z } from 'zod'

export interface Address {
  /** Without the brackets of IPv6. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const hostName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

function parseAddress(text: string): Address | undefined {
  const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) return undefined
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port } : undefined
  if (name === undefined || !hostName.test(name)) return undefined
  return /^[\d.]+$/.test(name) && isIP(name) !== 4 ? undefined : { host: name, port }
}

export const listenSchema = z.string().transform((text, context): Address => {
  const address = parseAddress(text)
  if (address !== undefined) return Object.freeze(address)
  const fix = 'write host:port, for example "127.0.0.1:4180" or "[::1]:4180" in quotes'
  context.addIssue({ code: 'custom', message: 'is not an address to listen on', params: { fix } })
  return z.NEVER
})

const text = (isValid: (value: string) => boolean, message: string, fix: string) =>
  z.string().refine(isValid, { error: message, params: { fix } })

/** The origin of a URL: nothing but scheme, host and port. */
function originOf(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isBare = url?.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/'
  return isBare && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : undefined
}

const origin = (fix: string) =>
  text((value) => originOf(value) !== undefined, 'is not an origin: scheme, host and port', fix).transform(
    (value) => originOf(value) as string,
  )

const hostSchema = text(
  (value) => /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(value),
  'is not a host name or host:port',
  'write the host alone, for example mcp.example.com',
).transform((value) => value.toLowerCase())

function isNetwork(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

export const trustedProxySchema = text(
  isNetwork,
  'is not an address or a network (a network of everyone is not one either)',
  'write for example 10.0.0.7 or 10.0.0.0/24',
)

export const tlsVersions = ['TLSv1.3', 'TLSv1.2'] as const
const file = z.string().min(1)

export const tlsSchema = z
  .strictObject({
    cert: file.describe('PEM file of the certificate and its chain'),
    key: file.describe('PEM file of the private key'),
    minVersion: z.enum(tlsVersions).default('TLSv1.3'),
    clientCa: file.optional().describe('PEM file; clients then have to show a certificate that it signed'),
  })
  .readonly()
export type ListenTls = z.output<typeof tlsSchema>

/** Keys at the top level of the document. */
export const inboundShape = {
  listen: listenSchema.prefault('127.0.0.1:4180').describe('host:port of the MCP listener'),
  publicUrl: origin('write for example https://mcp.example.com, without a path')
    .optional()
    .describe('How clients reach us, when it is not "listen"'),
  allowedHosts: z
    .array(hostSchema)
    .default([])
    .readonly()
    .describe('Host headers accepted besides those of "listen" and "publicUrl"'),
  allowedOrigins: z
    .array(origin('write for example https://app.example.com'))
    .default([])
    .readonly()
    .describe('Web pages that may call us'),
  trustedProxies: z
    .array(trustedProxySchema)
    .default([])
    .readonly()
    .describe('Addresses or networks whose X-Forwarded-* are believed'),
  tls: tlsSchema.optional(),
  admin: z
    .strictObject({ listen: listenSchema.prefault('127.0.0.1:4181') })
    .readonly()
    .prefault({})
    .describe('Health, metrics and administration'),
}
