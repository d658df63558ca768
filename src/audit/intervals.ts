/** What the walk found, held against the signed checkpoints: which entries are not what they were, as exactly as can be said. */
import type { Checkpoint } from './checkpoint.ts'
import { type Tampering, tampering } from './tampering.ts'
import type { Walk } from './walk.ts'

/** `checkpoints`: signed by the right key, in order of size. */
export function intervals(walked: Walk, checkpoints: readonly Checkpoint[]): Tampering[] {
  const found = [...disorder(walked), ...edits(walked, checkpoints)]
  if (walked.gaveUp)
    return [
      ...found,
      tampering('rewritten', walked.last, 0, `so much is wrong that nothing after entry ${walked.last} was looked at`),
    ]
  found.push(...rewrites(walked, checkpoints))
  const end = checkpoints.at(-1)?.size ?? 0
  if (end > walked.last)
    found.push(
      tampering('truncated', walked.last + 1, end, `the log ends at entry ${walked.last}, and a checkpoint vouches for ${end}`),
    )
  if (found.length > 0) return found
  const wrongRoot = checkpoints.find(({ size, root }) => walked.marks.get(size)?.root !== root)
  if (wrongRoot !== undefined)
    return [tampering('rewritten', 1, wrongRoot.size, 'the signed root is not the one over these entries')]
  return [...walked.mislabelled].map(([from, to]) =>
    tampering('edited', from, to, 'a column of the store contradicts the text of the entry'),
  )
}

function disorder({ missing, moved, added }: Walk): Tampering[] {
  return [
    ...[...missing].map(([from, to]) => tampering('deleted', from, to, 'no entry has this place')),
    ...[...moved].map(([from, to]) => tampering('reordered', from, to, 'it stands behind entries that were written after it')),
    ...[...added].map(([from, to]) => tampering('inserted', from, to, 'another entry has this place already')),
  ]
}

/**
 * Where the chain breaks before entry n, either the text of n was changed, or n-1 was changed together with its hash. If the
 * root over the stored hashes is the signed one, the hashes are genuine and it was the text of n.
 */
function edits({ breaks, marks }: Walk, checkpoints: readonly Checkpoint[]): Tampering[] {
  return [...breaks].map(([from, to]) => {
    const cover = checkpoints.find(({ size }) => size >= to)
    const genuine = cover !== undefined && marks.get(cover.size)?.root === cover.root
    if (genuine || from === 1) return tampering('edited', from, to, 'its text does not give its signed hash')
    return tampering('edited', from - 1, to, `the chain breaks between ${from - 1} and ${from}: one of the two was changed`)
  })
}

/** From the last checkpoint that fits to the next that fits again, or to the end. */
function rewrites({ marks }: Walk, checkpoints: readonly Checkpoint[]): Tampering[] {
  const found: Tampering[] = []
  let good = 0
  let bad: number | undefined
  const close = () => {
    if (bad === undefined) return
    const since = good === 0 ? 'the beginning' : `the checkpoint at ${good}`
    found.push(tampering('rewritten', good + 1, bad, `nothing between ${since} and the checkpoint at ${bad} is vouched for`))
    bad = undefined
  }
  for (const { size, head } of checkpoints) {
    const mark = marks.get(size)
    if (mark === undefined) continue // cut off or deleted: said elsewhere
    if (mark.head === head) {
      close()
      good = size
    } else bad = size
  }
  close()
  return found
}
