/** What the tests of this room share: a call on its way. Holds no tests. */
import { noHeaders, type Parcel, plainPrincipal, sealed } from './parcel.ts'

export const call: Parcel = sealed({
  exchange: 'x',
  leg: 'call',
  sender: 'client',
  principal: plainPrincipal('anonymous', 'anonymous'),
  origin: {
    door: 'http',
    era: 'modern',
    version: '2026-07-28',
    client: undefined,
    capabilities: {},
    session: undefined,
    logLevel: undefined,
    remote: undefined,
  },
  server: 'files',
  method: 'tools/call',
  concerns: 'tool',
  subject: 'read',
  class: 'read',
  member: 'params',
  body: { name: 'read' },
  question: undefined,
  list: undefined,
  paramHeaders: noHeaders,
})
