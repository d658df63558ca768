import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { MerkleTree } from './merkle.ts'

const sha = (...parts: readonly Buffer[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')
const leafOf = (at: number): string => sha(Buffer.from(`entry ${at}`)).toString('hex')

/** The definition of RFC 6962, section 2.1, word for word. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha()
  if (leaves.length === 1) return sha(Buffer.of(0), leaves[0] as Buffer)
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha(Buffer.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

test('the tree refuses peaks that do not fit its size', () => {
  const peak = Buffer.alloc(32)
  const cases: [size: number, peaks: number][] = [
    [1, 0],
    [1, 2],
    [3, 1],
    [4, 2],
    [0, 1],
  ]
  for (const [size, peaks] of cases) assert.equal(MerkleTree.fromPeaks(size, Buffer.concat(Array(peaks).fill(peak))), undefined)
  assert.equal(MerkleTree.fromPeaks(1, Buffer.alloc(31)), undefined)
})

test('the root is that of RFC 6962 for every size to 130, and after coming back from its peaks', () => {
  const tree = MerkleTree.empty()
  const leaves: Buffer[] = []
  assert.equal(tree.root(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  for (let size = 1; size <= 130; size++) {
    tree.append(leafOf(size))
    leaves.push(Buffer.from(leafOf(size), 'hex'))
    const root = rootOf(leaves).toString('hex')
    assert.equal(tree.root(), root, `size ${size}`)
    assert.equal(MerkleTree.fromPeaks(size, tree.peakBytes())?.root(), root)
  }
})
