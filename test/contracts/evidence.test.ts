/** Contract `evidence`: who vouched for which document, since when, and whether still. */
import t from 'tap'
import { STATUS } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { ZERO_HASH } from '../../src/core/bytes.js'
import { anchorSignersMax, noteBytesMax } from '../../src/core/limits.js'
import { AUDITOR, account, ENTERPRISE, genesisConfig, MARKET, OPERATOR, STRANGER, World, word } from './world.js'

const DOCUMENT = word('annual report')
const KIND = textId('audit-report')
const anchor = (note = '') => ({ documentHash: DOCUMENT, kind: KIND, note })

t.test('several members vouch for a document; each anchor has its own time and end', async (t) => {
  const world = new World()
  t.equal(world.view('evidence', 'isAnchored', { documentHash: DOCUMENT }), false)
  t.same(world.must('evidence', ENTERPRISE, 'anchor', anchor('2025, signed')), [
    ['Anchored', { documentHash: DOCUMENT, signer: ENTERPRISE, kind: KIND, note: '2025, signed' }],
  ])
  world.endBlock()
  world.must('evidence', AUDITOR, 'anchor', anchor())
  t.match(world.view('evidence', 'anchorsOf', { documentHash: DOCUMENT }), [
    {
      signer: ENTERPRISE,
      height: 1n,
      time: BigInt(world.genesis.timestamp + 1),
      note: '2025, signed',
      withdrawn: false,
    },
    { signer: AUDITOR, height: 2n, kind: KIND, note: '', withdrawn: false },
  ])

  const next = word('annual report, corrected')
  world.endBlock()
  world.must('evidence', ENTERPRISE, 'withdraw', { documentHash: DOCUMENT, supersededBy: next })
  t.match(world.view('evidence', 'anchorOf', { documentHash: DOCUMENT, signer: ENTERPRISE }), {
    height: 1n,
    withdrawn: true,
    withdrawnAt: 3n,
    supersededBy: next,
  })
  t.equal(world.view('evidence', 'isAnchored', { documentHash: DOCUMENT }), true, 'the auditor still does')
  world.must('evidence', AUDITOR, 'withdraw', { documentHash: DOCUMENT, supersededBy: ZERO_HASH })
  t.equal(world.view('evidence', 'isAnchored', { documentHash: DOCUMENT }), false)
})

t.test('what is refused', async (t) => {
  const world = new World()
  const refused = (args: Partial<ReturnType<typeof anchor>>, by = MARKET) =>
    world.refusal('evidence', by, 'anchor', { ...anchor(), ...args })
  t.equal(refused({}, STRANGER), 'NotActiveMember')
  t.equal(refused({ documentHash: ZERO_HASH }), 'ZeroHash')
  t.equal(refused({ kind: ZERO_HASH }), 'InvalidKind')
  t.equal(refused({ note: 'x'.repeat(noteBytesMax + 1) }), 'NoteTooLong')
  t.equal(refused({ note: 'x'.repeat(noteBytesMax) }), 'succeeded')
  const withdraw = { documentHash: DOCUMENT, supersededBy: ZERO_HASH }
  t.equal(world.refusal('evidence', MARKET, 'withdraw', withdraw), 'NotAnchored')
  world.must('evidence', MARKET, 'anchor', anchor())
  t.equal(refused({}), 'AlreadyAnchored')
  world.must('evidence', MARKET, 'withdraw', withdraw)
  t.equal(world.refusal('evidence', MARKET, 'withdraw', withdraw), 'AlreadyWithdrawn')
  t.equal(refused({}), 'AlreadyAnchored', 'nobody rewrites the past')
  t.throws(() => world.view('evidence', 'anchorOf', { documentHash: DOCUMENT, signer: STRANGER }), /NotAnchored/)
  world.must('members', OPERATOR, 'setStatus', { account: ENTERPRISE, status: STATUS.suspended })
  t.equal(refused({}, ENTERPRISE), 'NotActiveMember')
})

t.test('a document has at most so many signers', async (t) => {
  const genesis = genesisConfig()
  const many = Array.from({ length: anchorSignersMax + 1 }, (_, i) => ({
    address: account(0x1000 + i),
    role: 1,
    name: `Company ${i}`,
    id: `company-${i}`,
  }))
  const world = new World({ ...genesis, members: [...genesis.members, ...many] })
  for (const { address } of many.slice(0, anchorSignersMax)) world.must('evidence', address, 'anchor', anchor())
  t.equal(world.refusal('evidence', many.at(-1)!.address, 'anchor', anchor()), 'TooManySigners')
  t.equal(world.view('evidence', 'anchorsOf', { documentHash: DOCUMENT }).length, anchorSignersMax)
})
