/**
 * The part of the configuration that says where the record is kept and where it is also sent. What a sink is sent leaves the
 * machine only encrypted: plain TCP is for a collector on the same machine (requirement TOK-C4).
 */
import { z } from 'zod'
import { isLoopback } from '../lib/loopback.ts'
import { facilityNames } from './sinks/rfc5424.ts'

const syslogSchema = z
  .strictObject({
    kind: z.literal('syslog'),
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535),
    tls: z
      .strictObject({
        ca: z.string().min(1).optional().describe('PEM file of the authorities to trust, instead of the usual ones'),
        cert: z.string().min(1).optional().describe('PEM file of our certificate, where the collector asks for one'),
        key: z.string().min(1).optional().describe('PEM file of its key'),
        servername: z
          .string()
          .min(1)
          .max(253)
          .optional()
          .describe('The name in the collector’s certificate, where it is not its host'),
      })
      .readonly()
      .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), {
        error: 'has a certificate or a key, but not both',
        params: { fix: 'give "cert" and "key", or neither' },
      })
      .optional(),
    facility: z.enum(facilityNames).default('local0'),
  })
  .readonly()
  .refine((sink) => sink.tls !== undefined || isLoopback(sink.host), {
    path: ['tls'],
    error: 'is missing: the record would cross the network in the clear, so start is refused',
    params: { fix: 'give "tls", or send to a collector on 127.0.0.1' },
  })

export const auditSchema = z
  .strictObject({
    path: z.string().min(1).default('./data/audit.db').describe('The log, a SQLite file of its own'),
    anchor: z.string().min(1).default('./data/audit.anchor').describe('Signed checkpoints; best on another disk'),
    excerpts: z
      .strictObject({ bytesMax: z.int().min(1).max(65_536) })
      .readonly()
      .optional()
      .describe('Quote the beginning of bodies, with secrets taken out'),
    sinks: z.array(syslogSchema).default([]).readonly().describe('Where the record is also sent'),
  })
  .readonly()
  .refine((audit) => audit.path !== audit.anchor, {
    path: ['anchor'],
    error: 'is the log itself',
    params: { fix: 'give the anchor a file of its own' },
  })
  .prefault({})
