/**
 * What is measured: the vocabulary of the bench (eras, result sizes, concurrency) and the cells they make.
 * A new size or concurrency is one line here; nothing else lists them.
 */
export const legacyVersion = '2025-11-25'
export const modernVersion = '2026-07-28'

/** legacy: initialize and Mcp-Session-Id. modern: stateless, an envelope in `params._meta`. */
export const eras = ['legacy', 'modern'] as const
export type Era = (typeof eras)[number]

/** Length of the text in the result, in bytes (the text is ASCII). */
export const sizes = { small: 20, '10 KB': 10_240, '64 KB': 65_536 } as const
export type Size = keyof typeof sizes

export const concurrencies = [1, 16] as const

export interface Cell {
  size: Size
  bytes: number
  concurrency: number
  era: Era
}

export const cellName = (cell: Cell): string => `${cell.size.replace(' ', '')}/c${cell.concurrency}/${cell.era}`

/** Every cell whose name contains the filter: '' for all, `small/c16` for two. */
export function cellsMatching(filter: string): Cell[] {
  const cells = (Object.keys(sizes) as Size[]).flatMap((size) =>
    concurrencies.flatMap((concurrency) => eras.map((era) => ({ size, bytes: sizes[size], concurrency, era }))),
  )
  return cells.filter((cell) => cellName(cell).includes(filter))
}
