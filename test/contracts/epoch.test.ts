/** The end of a block: when an epoch closes, with which weights, and what no sequence of changes can lead to. */
import fc from 'fast-check'
import t from 'tap'
import { builtinExtensions, withExtension } from '../../src/consensus/extensions.js'
import { quorumWeight, toleratesHeaviest, totalWeight } from '../../src/consensus/quorum.js'
import type { EpochState } from '../../src/consensus/weightPolicy.js'
import { CHANGE_KIND, STATUS } from '../../src/contracts/codes.js'
import { endBlock } from '../../src/contracts/epoch.js'
import type { SealerSetView } from '../../src/contracts/sealers.js'
import { type Address, asEpoch, asView, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { dept, runner, SealerWorld } from './sealerWorld.js'
import { OPERATOR } from './world.js'

const weightsOf = (set: SealerSetView | null) => set?.sealers.map(({ weight }) => weight)

t.test('equal weights never close an epoch for nothing', async (t) => {
  const world = new SealerWorld({ sealers: 4, consensus: { epochBlocks: 2 } })
  world.down.add(dept(3))
  for (let i = 0; i < 50; i++) t.equal(world.step(), null)
  t.equal(world.set.epoch, 0)
})

t.test('credit weights follow the scores, at multiples of epochBlocks alone', async (t) => {
  const world = new SealerWorld({
    sealers: 5,
    consensus: { weightPolicy: 'credit', epochBlocks: 20 },
    credit: { start: 500, points: { turnSealed: 10 } },
  })
  world.down.add(dept(4))
  const closed: [height: number, weights: readonly number[]][] = []
  for (let height = 1; height <= 60; height++) {
    const next = world.step()
    if (next !== null) closed.push([height, weightsOf(next)!])
  }
  t.same(
    closed.map(([height]) => height),
    [20, 40, 60],
  )
  t.same(closed[0]![1], [16, 16, 16, 16, 14], 'five turns sealed at 10 points, five missed')
  t.equal(world.set.epoch, 3)
  const [, last] = closed.at(-1)!
  t.ok(last[4]! < 14 && toleratesHeaviest(last))
})

t.test('a policy sees the sealers of the next epoch with their turns since they joined', async (t) => {
  const seen: EpochState[] = []
  const policy = {
    name: 'seen',
    weights: (state: EpochState) => {
      seen.push(state)
      return state.sealers.map((_, i) => i + 1)
    },
  }
  const extensions = withExtension(builtinExtensions, { policies: [policy] })
  const world = new SealerWorld({ sealers: 4, consensus: { weightPolicy: 'seen', epochBlocks: 5 } })
  const end = (sealer: Address, missed: readonly Address[] = []) => {
    world.sealer = sealer
    return world.endBlock(missed, extensions)
  }
  t.equal(end(dept(0), [dept(1), runner(0)]), null)
  world.volunteer(runner(0))
  const id = world.propose(dept(0), 'add', runner(0))
  world.approve(id, dept(1), dept(2))
  t.same(weightsOf(end(dept(0))), [1, 2, 3, 4, 4], 'five of fourteen would be a third')
  const last = seen.at(-1)!
  t.match(last, { epoch: 0, height: 2, scoreMax: 1_000 })
  t.match(last.sealers[0], { address: dept(0), score: 502, sealed: 2, missed: 0, weight: 1 })
  t.match(last.sealers[1], { score: 490, sealed: 0, missed: 1, missedInRow: 1, weight: 1 })
  t.match(last.sealers[4], { address: runner(0), sealed: 0, missed: 0, missedInRow: 0, weight: 0 })
  t.equal(end(runner(0)), null)
  t.equal(end(dept(0), [runner(0)]), null)
  t.equal(end(dept(0)), null, 'the same weights')
  t.match(seen.at(-1)!, { epoch: 1, height: 5 })
  t.match(seen.at(-1)!.sealers[4], { sealed: 1, missed: 1, missedInRow: 1, weight: 4 })
})

t.test('a node without the policy of genesis does not guess', async (t) => {
  const world = new SealerWorld({ sealers: 4, consensus: { weightPolicy: 'other', epochBlocks: 1 } })
  t.throws(() => world.step(), { code: 'UNKNOWN_POLICY' })
  const turn = { epoch: asEpoch(1), view: asView(1), missed: [] }
  t.throws(() => endBlock(world.state, world.block, turn, builtinExtensions), { name: 'InvariantError' })
})

t.test('weights with which the sealers that are up could not agree wait', async (t) => {
  const favour = { name: 'favour', weights: ({ sealers }: EpochState) => sealers.map((_, i) => (i === 3 ? 9 : 5)) }
  const extensions = withExtension(builtinExtensions, { policies: [favour] })
  const world = new SealerWorld({ sealers: 4, consensus: { weightPolicy: 'favour', epochBlocks: 10 } })
  const rounds = (count: number, missed: readonly Address[]) =>
    Array.from({ length: count }, () => world.endBlock(missed, extensions)).filter((next) => next !== null)
  world.sealer = dept(0)
  t.same(rounds(10, [dept(2), dept(3)]), [], 'two of four are down: no new weights')
  world.sealer = dept(2)
  t.equal(rounds(10, []).length, 1)
  t.same(
    world.set.sealers.map(({ weight }) => weight),
    [5, 5, 5, 7],
  )
})

type Step = readonly [what: string, who: number, other: number]
const OFTEN = ['block', 'volunteer', 'add', 'remove', 'replace', 'approve']
const RARELY = ['withdraw', 'leave', 'hand', 'down', 'up', 'suspend', 'restore']
const steps = fc.array(fc.tuple(fc.constantFrom(...OFTEN, ...OFTEN, ...OFTEN, ...RARELY), fc.nat(9), fc.nat(9)), {
  minLength: 80,
  maxLength: 160,
})

/** Does the step where it is possible; what the contract refuses leaves everything as it was. */
function take(world: SealerWorld, [what, who, other]: Step): SealerSetView | null {
  const everybody = [...Array(6).keys()].map(dept).concat([...Array(4).keys()].map(runner))
  const [account, second] = [everybody[who]!, everybody[other]!]
  const voters = [...Array(6).keys()].map(dept)
  const reason = ''
  switch (what) {
    case 'block':
      if (world.addresses.every((address) => world.down.has(address))) world.down.clear()
      return world.step()
    case 'down':
      world.down.add(account)
      return null
    case 'up':
      world.down.delete(account)
      return null
    case 'suspend':
    case 'restore': {
      const status = what === 'suspend' ? STATUS.suspended : STATUS.active
      world.send('members', OPERATOR, 'setStatus', { account, status })
      return null
    }
    case 'volunteer':
      if (!world.down.has(account)) world.send('sealers', account, 'volunteer', { multiaddr: '' })
      return null
    case 'leave':
      world.send('sealers', account, 'leave', {})
      return null
    case 'hand':
      world.send('sealers', account, 'offerSeat', { successor: second })
      world.send('sealers', second, 'takeSeat', { predecessor: account })
      return null
    case 'approve':
      for (const id of world.view('sealers', 'openChanges', {}))
        for (const voter of voters) world.send('sealers', voter, 'approveChange', { id })
      return null
    case 'withdraw':
      for (const id of world.view('sealers', 'openChanges', {}))
        world.send('sealers', account, 'withdrawApproval', { id })
      return null
    default: {
      const kind = CHANGE_KIND[what as 'add' | 'remove' | 'replace']
      const replacement = what === 'replace' ? second : ZERO_ADDRESS
      world.send('sealers', voters[other % 6]!, 'proposeChange', { kind, sealer: account, replacement, reason })
      return null
    }
  }
}

/** Weight of the sealers that seal their turns or came forward since they missed one. */
function liveWeight(world: SealerWorld, set: SealerSetView): number {
  const live = set.sealers.filter(({ address }) => {
    const { missedInRow } = world.view('credit', 'recordOf', { member: address })
    return missedInRow < 3 || world.view('sealers', 'volunteerOf', { account: address }).valid
  })
  return live.reduce((sum, { weight }) => sum + weight, 0)
}

t.test('no sequence of changes leads to a set that could not go on', async (t) => {
  let epochs = 0
  const plans = fc.record({
    sealers: fc.integer({ min: 1, max: 6 }),
    weightPolicy: fc.constantFrom('equal', 'credit'),
    epochBlocks: fc.constantFrom(0, 5),
    sealersMin: fc.integer({ min: 1, max: 6 }),
  })
  fc.assert(
    fc.property(plans, steps, ({ sealers, sealersMin: wanted, ...rest }, list) => {
      const sealersMin = Math.min(wanted, sealers)
      const consensus = { ...rest, sealersMin, changeBlocksMax: 50 }
      const world = new SealerWorld({ sealers, others: 6 - sealers, runners: 4, consensus })
      for (const step of list) {
        const before = world.set
        const next = take(world, step)
        if (next === null) {
          t.same(world.set, before)
          continue
        }
        epochs++
        t.same(world.set, next)
        t.equal(next.epoch, before.epoch + 1)
        t.notSame(next.sealers, before.sealers, 'never for nothing')
        const weights = weightsOf(next)!
        t.equal(new Set(world.addresses).size, weights.length)
        t.ok(weights.length >= sealersMin)
        if (weights.length >= 4) t.ok(toleratesHeaviest(weights))
        t.ok(liveWeight(world, next) >= quorumWeight(totalWeight(weights)), 'the sealers that are up can agree')
      }
    }),
    { numRuns: 60 },
  )
  t.ok(epochs > 60, `${epochs} epochs were closed`)
})
