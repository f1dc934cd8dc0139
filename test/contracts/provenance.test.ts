/** Contract `provenance`: the way of a batch through several institutions. */
import t from 'tap'
import { BATCH_STATE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { batchInputsMax, batchLineageMax, noteBytesMax, stepsPageMax } from '../../src/core/limits.js'
import { AUDITOR, ENTERPRISE, MARKET, OTHER_ENTERPRISE, STRANGER, World, word } from './world.js'

const BATCH = word('batch')
const DATA = word('data')
const HARVESTED = textId('harvested')
const INSPECTED = textId('inspected')

const opening = (changes: object = {}) => ({
  batchId: BATCH,
  product: 'Tea, first flush',
  inputs: [] as Hash[],
  dataHash: DATA,
  ...changes,
})
const step = (kind = HARVESTED, note = '') => ({ batchId: BATCH, kind, dataHash: DATA, note })

function opened(): World {
  const world = new World()
  world.must('provenance', ENTERPRISE, 'openBatch', opening())
  return world
}

t.test('steps of several institutions, custody passed on, closed', async (t) => {
  const world = opened()
  world.must('provenance', ENTERPRISE, 'addStep', step(HARVESTED, 'slope 3'))
  t.equal(world.refusal('provenance', MARKET, 'addStep', step(INSPECTED)), 'NotParticipant')
  world.must('provenance', ENTERPRISE, 'setParticipant', { batchId: BATCH, participant: MARKET, allowed: true })
  world.endBlock()
  world.must('provenance', MARKET, 'addStep', step(INSPECTED, 'no residue'))
  t.match(world.view('provenance', 'stepsOf', { batchId: BATCH, first: 0, count: 10 }), [
    { by: ENTERPRISE, kind: HARVESTED, height: 1n, time: BigInt(world.genesis.timestamp + 1), note: 'slope 3' },
    { by: MARKET, kind: INSPECTED, height: 2n, dataHash: DATA, note: 'no residue' },
  ])
  world.must('provenance', ENTERPRISE, 'handOver', { batchId: BATCH, to: OTHER_ENTERPRISE })
  t.equal(world.refusal('provenance', AUDITOR, 'takeOver', { batchId: BATCH }), 'NotNextCustodian')
  t.equal(world.view('provenance', 'batchOf', { batchId: BATCH }).custodian, ENTERPRISE, 'until it is taken')
  world.must('provenance', OTHER_ENTERPRISE, 'takeOver', { batchId: BATCH })
  t.equal(world.refusal('provenance', ENTERPRISE, 'addStep', step()), 'NotParticipant', 'custody is gone')
  t.equal(world.refusal('provenance', MARKET, 'addStep', step(INSPECTED)), 'succeeded', 'participants stay')
  world.must('provenance', OTHER_ENTERPRISE, 'closeBatch', { batchId: BATCH, reason: 'sold' })
  t.match(world.view('provenance', 'batchOf', { batchId: BATCH }), {
    origin: ENTERPRISE,
    custodian: OTHER_ENTERPRISE,
    nextCustodian: ZERO_ADDRESS,
    state: BATCH_STATE.closed,
    steps: 2,
    product: 'Tea, first flush',
    reason: 'sold',
  })
  t.equal(world.refusal('provenance', OTHER_ENTERPRISE, 'addStep', step()), 'NotOpen')
  t.equal(
    world.refusal('provenance', OTHER_ENTERPRISE, 'setParticipant', {
      batchId: BATCH,
      participant: AUDITOR,
      allowed: true,
    }),
    'NotOpen',
  )
})

t.test('a recall shows in every batch that was made from it', async (t) => {
  const world = opened()
  const [blend, pack] = [word('blend'), word('pack')]
  world.must('provenance', OTHER_ENTERPRISE, 'openBatch', opening({ batchId: blend, inputs: [BATCH] }))
  world.must('provenance', OTHER_ENTERPRISE, 'openBatch', opening({ batchId: pack, inputs: [blend] }))
  const source = (batchId: Hash) => world.view('provenance', 'recalledSource', { batchId })
  t.equal(source(pack), ZERO_HASH)
  t.equal(world.refusal('provenance', AUDITOR, 'recall', { batchId: BATCH, reason: 'x' }), 'NotResponsible')
  world.must('provenance', ENTERPRISE, 'closeBatch', { batchId: BATCH, reason: '' })
  world.must('provenance', ENTERPRISE, 'recall', { batchId: BATCH, reason: 'pesticide' })
  t.same([BATCH, blend, pack].map(source), [BATCH, BATCH, BATCH])
  t.equal(world.refusal('provenance', ENTERPRISE, 'recall', { batchId: BATCH, reason: 'again' }), 'NotOpen')
})

t.test('lineage is looked through up to its bound', async (t) => {
  const world = opened()
  let latest = BATCH
  for (let i = 1; i < batchLineageMax; i++) {
    const batchId = word(`batch ${i}`)
    world.must('provenance', ENTERPRISE, 'openBatch', opening({ batchId, inputs: [latest] }))
    latest = batchId
  }
  t.equal(world.view('provenance', 'recalledSource', { batchId: latest }), ZERO_HASH, 'at the limit')
  const above = word('above')
  world.must('provenance', ENTERPRISE, 'openBatch', opening({ batchId: above, inputs: [latest] }))
  t.throws(() => world.view('provenance', 'recalledSource', { batchId: above }), /TooMany/)
})

t.test('what is refused', async (t) => {
  const world = opened()
  const open = (changes: object, by = ENTERPRISE) =>
    world.refusal('provenance', by, 'openBatch', opening({ batchId: word('new'), ...changes }))
  t.equal(open({}, STRANGER), 'NotActiveMember')
  t.equal(open({ batchId: ZERO_HASH }), 'ZeroHash')
  t.equal(open({ batchId: BATCH }), 'BatchExists')
  t.equal(open({ product: '' }), 'InvalidText')
  t.equal(open({ inputs: [word('unknown')] }), 'UnknownBatch')
  t.equal(open({ inputs: [BATCH, BATCH] }), 'DuplicateInput')
  const inputs = Array.from({ length: batchInputsMax }, (_, i) => word(`input ${i}`))
  for (const batchId of inputs) world.must('provenance', ENTERPRISE, 'openBatch', opening({ batchId }))
  t.equal(open({ inputs }), 'succeeded')
  t.equal(open({ inputs: [...inputs, BATCH] }), 'TooMany')

  const add = (changes: object) => world.refusal('provenance', ENTERPRISE, 'addStep', { ...step(), ...changes })
  t.equal(add({ kind: ZERO_HASH }), 'InvalidKind')
  t.equal(add({ note: 'x'.repeat(noteBytesMax) }), 'succeeded')
  t.equal(add({ note: 'x'.repeat(noteBytesMax + 1) }), 'InvalidText')
  t.equal(add({ batchId: word('unknown') }), 'UnknownBatch')
  t.equal(world.refusal('provenance', ENTERPRISE, 'handOver', { batchId: BATCH, to: STRANGER }), 'NotActiveMember')
  t.equal(world.refusal('provenance', MARKET, 'handOver', { batchId: BATCH, to: MARKET }), 'NotCustodian')
  t.equal(world.refusal('provenance', MARKET, 'closeBatch', { batchId: BATCH, reason: '' }), 'NotCustodian')
  world.must('provenance', ENTERPRISE, 'handOver', { batchId: BATCH, to: MARKET })
  world.must('provenance', ENTERPRISE, 'handOver', { batchId: BATCH, to: ZERO_ADDRESS })
  t.equal(world.refusal('provenance', MARKET, 'takeOver', { batchId: BATCH }), 'NotNextCustodian', 'the offer is void')
  const steps = (count: number) => () => world.view('provenance', 'stepsOf', { batchId: BATCH, first: 0, count })
  t.doesNotThrow(steps(stepsPageMax))
  t.throws(steps(stepsPageMax + 1), /TooMany/)
})
