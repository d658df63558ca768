import { InvalidArgumentError } from 'commander'

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `90d`, `12h`: in milliseconds. */
export function span(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('It is a span such as 12h, 90d.')
  return Number(count) * (unitsMs[unit] as number)
}
