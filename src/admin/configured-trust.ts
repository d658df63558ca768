/** The pins of a configuration, with the manifests that are signed for it: what counts now, and what is said of what does not. */
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { type ServerConfig, whereabouts } from '../outbound/schema.ts'
import { type ApprovalsByServer, approvalsText } from '../trust/approvals/approvals.ts'
import { type PinStore, sealedWith, sealPurpose } from '../trust/pin.ts'
import { Trust, type TrustOptions } from '../trust/trust.ts'
import { configuredApprovals } from './configured-approvals.ts'

export interface TrustPorts extends Pick<TrustOptions, 'read' | 'changed'> {
  /** As it is now. */
  config(): Config
  readonly store: PinStore
  readonly clock?: Clock
  readonly keys: { derive(purpose: string): Buffer }
  record(event: { action: string; principal: string; server?: string; detail: string }): Promise<void>
  /** Tells whoever runs the gateway. */
  log(server: string, line: string): void
  failed(error: unknown): void
}

export interface ConfiguredTrust {
  readonly trust: Trust
  /** Verifies the manifests of another configuration, and writes down what they are; they count when `obey` is called. */
  next(config: Config): Promise<{ obey(): void }>
}

export async function configuredTrust({
  config,
  store,
  keys,
  clock = systemClock,
  read,
  changed,
  record,
  log,
  failed,
}: TrustPorts): Promise<ConfiguredTrust> {
  const said = async (approvals: ApprovalsByServer): Promise<ApprovalsByServer> => {
    for (const [server, one] of approvals) {
      const detail = approvalsText(one)
      if (one.outcome === 'refused') log(server, `manifest refused: ${detail}`)
      await record({ action: `manifest.${one.outcome}`, principal: 'gateway', server, detail })
    }
    return approvals
  }
  const noted = (written: Promise<void>): void => void written.catch(failed)
  const trust = await Trust.open({
    store,
    seal: sealedWith(keys.derive(sealPurpose)),
    clock,
    config: () => config().pins,
    identityOf: (server) => whereabouts(config().servers[server] as ServerConfig),
    read,
    changed,
    forged: (what) => noted(record({ action: 'pins.forged', principal: 'unknown', detail: what })),
    approvals: await said(await configuredApprovals(config(), clock)),
    expired: (server, manifest) => noted(said(new Map([[server, manifest]])).then(() => undefined)),
  })
  return {
    trust,
    async next(next) {
      const approvals = await said(await configuredApprovals(next, clock))
      return { obey: () => trust.obey(approvals) }
    },
  }
}
