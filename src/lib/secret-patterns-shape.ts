/**
 * Whether a run of characters is like a secret: as random as one, and not one of the things that are random and no secret, such as
 * digests, UUIDs, pictures and the keys that documentation shows.
 */

/** Bits for each character, after Shannon. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** Keys that vendors print in their own documentation, open to everybody. */
const documented = [
  ...['EXAMPLEKEY', 'AKIAIOSFODNN7EXAMPLE', 'AKIAI44QH8DHBEXAMPLE', '4eC39HqLyjWDarjtT1zdp7dc', 'BQokikJOvBiI2HlWgH4olfQ2'],
  ...['Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq', 'eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9l'],
]

const words =
  /example|sample|placeholder|redacted|dummy|changeme|change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this|with)|insert[-_]|your[-_ ]?|enter[-_ ]?|my[-_](?:token|secret|key|api|bot)|fake[-_ ]?(?:token|key|secret|pass)|not[-_]?(?:a|the|real)|todo|lorem|put[-_]your|goes[-_ ]?here|here$|^(?:test|token|secret|password|username|user|pass|null|none|undefined|true|false|string)$/i
const runs = /(.)\1{5}|(?:0?123456789|abcdefgh|qwerty|\.\.\.)/i
const references =
  /^[<{[(%$]|^%?[A-Z][A-Z0-9_]*%?$(?<![0-9].*)|[}>\])%]$|\$\{|\{\{|\$\(|\bprocess\.env\b|\bos\.environ\b|getenv|secrets\.|\bvault:|\benv[:.(]/

/** Nobody's secret: what stands where one will be put, or what everybody has read. */
export const isPlaceholder = (value: string): boolean =>
  words.test(value) ||
  runs.test(value.replace(/A{10,22}/, '')) ||
  references.test(value) ||
  documented.some((one) => value.includes(one))

const uuid = /^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$/i
export const isUuid = (value: string): boolean => uuid.test(value)

/** MD5, SHA-1, SHA-2 as programs print them. */
export const isHexDigest = (value: string): boolean =>
  /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/i.test(value)

/** Version numbers, names of files and hosts, paths, words joined by signs: made by people, and read by them. */
export const isReadable = (value: string): boolean =>
  /^v?\d+(?:\.\d+){1,3}(?:[-+.][\w.-]*)?$/.test(value) ||
  /^(?:[a-z]+[-_.:/ ])*[a-z]+\d{0,4}$/i.test(value) ||
  /^(?:\/|\.{1,2}\/|[a-z]:\\|https?:|file:)/i.test(value) ||
  /\.(?:js|ts|py|json|ya?ml|md|txt|png|jpe?g|svg|html?|css|pem|crt|cer|p12|xml|properties|jar|go|rs|java|com|org|net|io)$/i.test(
    value,
  ) ||
  /^(?:[A-Z]?[a-z]{2,}\d{0,2}){2,}$/.test(value)

/** Random enough for its length, and neither readable nor a placeholder. A secret of people may be short; `least`: bits a character. */
export function looksRandom(value: string, least: number): boolean {
  if (value.length < 8 || !/\d/.test(value) || !/[a-z]/i.test(value)) return false
  return entropy(value) >= least && !isPlaceholder(value) && !isReadable(value)
}
