/**
 * Reads what a configured server says of itself now, on an operator's word: it is started or called as the gateway would, in its
 * sandbox, admitted and with its credential, and let go again. Nothing of it is called, and no client hears of it.
 */

import { ownFiles } from '../config/own-files.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../lib/clock.ts'
import { fraction } from '../lib/random.ts'
import { safeFetch } from '../lib/safe-fetch.ts'
import { Broker } from '../outbound/credentials/broker.ts'
import { Upstreams } from '../outbound/upstreams.ts'
import { noHeaders, type Parcel, plainPrincipal, sealed } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { methodTable } from '../protocol/methods.ts'
import { modern } from '../protocol/revisions/index.ts'
import type { Store } from '../storage/embedded.ts'
import { capabilityOf, type Definition, type ListedKind, lists, nameable } from '../trust/definition.ts'
import { introducedIn } from '../trust/introduction.ts'
import type { KeyRing } from '../vault/key-file.ts'
import { configuredAdmission } from './configured-admission.ts'
import { configuredVault } from './configured-vault.ts'

export interface LookAt {
  readonly config: Config
  readonly store: Store
  readonly keys: KeyRing
  readonly server: string
  /** Who looks: `cli:alice`. */
  readonly by: string
}

/** Throws an Error that says why it could not be looked at. */
export async function lookAt({ config, store, keys, server, by }: LookAt): Promise<readonly Definition[]> {
  const heard: string[] = []
  const log = (_: string, line: string): void => void heard.push(line)
  const note = (action: string, detail: string): Promise<void> =>
    store.note({ action, by, at: systemClock.now(), server, detail })
  const upstreams = await Upstreams.open({
    broker: new Broker({
      wayOut: (own) => safeFetch({ ...own, proxy: config.proxy }),
      store: configuredVault({ config, records: store.vault }).vault,
      consent: undefined,
      subjectToken: async () => undefined,
      clock: systemClock,
      random: fraction,
      log,
    }),
    ...(await configuredAdmission(config, { log, record: (action, _, detail) => note(action, detail) })),
    servers: Object.fromEntries(Object.entries(config.servers).filter(([id]) => id === server)),
    methods: methodTable(config.methods),
    clock: systemClock,
    seal: keys,
    proxy: config.proxy,
    limits: config.limits,
    log,
    sandbox: {
      withheld: () => ownFiles(config),
      publicUrl: config.publicUrl,
      ownPorts: () => [config.listen.port, config.admin.listen.port],
      unconfined: (_, why) => note('server.unconfined', why),
      egressRefused: (_, { host, port, why }) => void heard.push(`${host}:${port} was refused: ${why}`),
    },
    reading: async () => undefined,
  })
  try {
    await note('server.looked-at', 'what it says of itself was read')
    const call = callOf(server)
    const introduction = await upstreams.introduction(call)
    const found = [...introducedIn(introduction)]
    const { capabilities } = introduction
    for (const kind of Object.keys(lists) as readonly ListedKind[]) {
      const { method, items, key } = lists[kind]
      if (!isObject(capabilities) || capabilities[capabilityOf[kind]] === undefined) continue
      const entries = nameable(kind, await upstreams.entries(call, method, items))
      found.push(...entries.map((body) => ({ kind, name: body[key] as string, body })))
    }
    return found
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Error([`the server "${server}" cannot be looked at: ${error.message}`, heard.at(-1)].filter(Boolean).join(' '))
  } finally {
    await upstreams.close()
  }
}

const callOf = (server: string): Parcel =>
  sealed({
    ...{ exchange: 'look', leg: 'call', sender: 'client', principal: plainPrincipal('anonymous', 'operator') },
    origin: {
      ...{ door: 'library', era: 'modern', version: modern.version, client: { name: 'sekisho', version: '1' } },
      ...{ capabilities: {}, session: undefined, logLevel: undefined, remote: undefined },
    },
    ...{ server, method: 'server/discover', concerns: 'server', subject: undefined, class: 'read', member: 'params', body: {} },
    ...{ question: undefined, list: undefined, paramHeaders: noHeaders },
  })
