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
  t.equal(claims.believed(four), 0)
  claims.heard(address(7), far, own)
  t.equal(claims.compared, false)
  t.equal(claims.believed(four), far)
})

t.test('one peer that is no further is enough to doubt all others', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(7), far, own)
  claims.heard(address(8), asHeight(10), own)
  t.equal(claims.compared, true)
  t.equal(claims.believed(four), 0)
})

t.test('a height that was claimed earlier and is reached now proves nothing: the others have gone on', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(0), asHeight(20), own)
  t.equal(claims.compared, false)
  claims.heard(address(0), asHeight(25), asHeight(20))
  t.same([claims.compared, claims.believed(four)], [false, 25])
  claims.heard(address(0), asHeight(25), asHeight(25))
  t.equal(claims.compared, true)
})

t.test('more than a third of the weight is believed, at the height that all of it claims', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(9), own, own)
  claims.heard(address(0), far, own)
  t.equal(claims.believed(four), 0, 'a quarter')
  claims.heard(address(1), asHeight(20), own)
  t.equal(claims.believed(four), 20)
  t.equal(claims.believed(setOf(1, 1, 1)), 20)
  t.equal(claims.believed(setOf(2, 1, 1, 1)), far, 'two fifths')
  claims.heard(address(0), asHeight(12), own)
  t.equal(claims.believed(four), 12, 'the last word counts')
})

t.test('who leaves claims nothing; when all have left, the comparison starts anew', async (t) => {
  const claims = new HeightClaims()
  claims.heard(address(0), asHeight(20), own)
  claims.heard(address(1), asHeight(20), own)
  claims.heard(address(2), own, own)
  t.equal(claims.believed(four), 20)
  claims.gone(address(0))
  t.equal(claims.believed(four), 10, 'the other and this one')
  claims.gone(address(1))
  t.equal(claims.compared, true)
  claims.gone(address(2))
  t.equal(claims.compared, false)
})

t.test('the number of those remembered is bounded', async (t) => {
  const claims = new HeightClaims()
  for (let n = 0; n < 2 * peersMax; n++) claims.heard(address(n), asHeight(20), own)
  claims.heard(address(1_000_000), far, own)
  t.equal(claims.believed(four), 20)
})
