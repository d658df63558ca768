/**
 * What the library's model has no room for and the specification has: endpoints, boundaries and data flows of services, cards of
 * models, and data sets (CycloneDX 1.6, `service`, `modelCard`, `componentData`).
 */
import type { Component } from './inventory-component.ts'

interface Json {
  [key: string]: unknown
}

/** The document with more in those of its parts that are in `inventory`, by `bom-ref`. */
export function withMore(document: object, inventory: ReadonlyMap<string, Component>): Json {
  const more = (list: unknown, add: (one: Component) => Json): unknown =>
    (list as readonly Json[] | undefined)?.map((part) => {
      const one = inventory.get(String(part['bom-ref']))
      return one === undefined ? part : { ...part, ...add(one) }
    })
  const whole = document as Json
  return { ...whole, components: more(whole['components'], ofComponent), services: more(whole['services'], ofService) }
}

/** Whatever a call carries goes there, and whatever it answers comes back: both are untrusted until judged. */
function ofService({ kind, url, dataRegion }: Component): Json {
  const name =
    kind === 'identity-provider' ? 'identities and tokens' : kind === 'server' ? 'tool calls and results' : 'queries and answers'
  const description = dataRegion === undefined ? undefined : `kept in ${dataRegion}`
  return {
    endpoints: url === undefined ? undefined : [url],
    'x-trust-boundary': true,
    data: [{ flow: 'bi-directional', classification: 'unclassified', name, description }],
  }
}

function ofComponent(one: Component): Json {
  if (one.kind === 'model' || (one.kind === 'embedding-service' && one.url === undefined)) return { modelCard: cardOf(one) }
  if (one.kind !== 'data-set' && one.kind !== 'context-provider') return {}
  const owners = one.owner === undefined ? undefined : [{ organization: { name: one.owner } }]
  const contents = one.url === undefined ? undefined : { url: one.url }
  return { data: [{ type: 'dataset', name: one.name, contents, governance: owners && { owners } }] }
}

function cardOf({ kind, dependsOn, dataRegion, attestations = [] }: Component): Json {
  const sets = dependsOn.filter((ref) => ref.startsWith('data-set:')).map((ref) => ({ ref }))
  const says = attestations.map(({ by, statement }) => `${by}: ${statement}`)
  return {
    modelParameters: {
      task: kind === 'embedding-service' ? 'feature-extraction' : undefined,
      datasets: sets.length > 0 ? sets : undefined,
    },
    considerations: says.length > 0 ? { technicalLimitations: says } : undefined,
    properties: dataRegion === undefined ? undefined : [{ name: 'sekisho:dataRegion', value: dataRegion }],
  }
}
