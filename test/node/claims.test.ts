/** A height counts when it is vouched for; a single peer cannot make a node look as if it lagged. */
import t from 'tap'
import type { SealerSet } from '../../src/consensus/types.js'
import { type Address, asEpoch, asHeight } from '../../src/core/bytes.js'
import { peersMax } from '../../src/core/limits.js'
import { HeightClaims } from '../../src/node/claims.js'

const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as Address
const setOf = (...weights: number[]): SealerSet => ({
  epoch: asEpoch(0),
  sealers: weights.map((weight, index) => ({ address: address(index), weight })),
})
const four = setOf(1, 1, 1, 1)
const far = asHeight(2 ** 50)
const own = asHeight(10)

t.test('before anything was compared, everyone is believed', async (t) => {
  const claims = new HeightClaims()
  t.equal(claims.believed(four, own), 0)
  claims.heard(address(7), far)
  t.equal(claims.compared(own), false)
  t.equal(claims.believed(four, own), far)
})

t.test('one peer that is no further is enough to doubt all others', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(7), far)
  claims.heard(address(8), asHeight(10))
  t.equal(claims.compared(own), true)
  t.equal(claims.believed(four, own), 0)
})

t.test('more than a third of the weight is believed, at the height that all of it claims', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(9), own)
  claims.heard(address(0), far)
  t.equal(claims.believed(four, own), 0, 'a quarter')
  claims.heard(address(1), asHeight(20))
  t.equal(claims.believed(four, own), 20)
  t.equal(claims.believed(setOf(1, 1, 1), own), 20)
  t.equal(claims.believed(setOf(2, 1, 1, 1), own), far, 'two fifths')
  claims.heard(address(0), asHeight(12))
  t.equal(claims.believed(four, own), 12, 'the last word counts')
})

t.test('who leaves claims nothing; when all have left, the comparison starts anew', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(0), asHeight(20))
  claims.heard(address(1), asHeight(20))
  claims.heard(address(2), own)
  t.equal(claims.believed(four, own), 20)
  claims.gone(address(0))
  t.equal(claims.believed(four, own), 10, 'the other and this one')
  claims.gone(address(1))
  t.equal(claims.compared(own), true)
  claims.gone(address(2))
  t.equal(claims.compared(own), false)
})

t.test('the number of those remembered is bounded', async (t) => {
  const claims = new HeightClaims()
  for (let n = 0; n < 2 * peersMax; n++) claims.heard(address(n), asHeight(20))
  claims.heard(address(1_000_000), far)
  t.equal(claims.believed(four, own), 20)
})
