/** Contract `credentials`: certificates and bills from issue to their end. */
import fc from 'fast-check'
import t from 'tap'
import { CREDENTIAL_STATE as STATE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { memberNameBytesMax } from '../../src/core/limits.js'
import { AUDITOR, ENTERPRISE, FINANCE, MARKET, OTHER_ENTERPRISE, PATENTS, STRANGER, World, word } from './world.js'

const LICENCE = textId('business-licence')
const BILL = textId('fiscal-bill')
const ID = word('licence 1')
const CONTENT = word('content')
const REASON = textId('article-12')

function worldWithTypes(): World {
  const world = new World()
  world.must('credentials', MARKET, 'defineType', { typeId: LICENCE, transferable: false, name: 'Business licence' })
  world.must('credentials', FINANCE, 'defineType', { typeId: BILL, transferable: true, name: 'Fiscal bill' })
  return world
}

const issue = (changes: object = {}) => ({
  id: ID,
  typeId: LICENCE,
  holder: ENTERPRISE,
  subject: word('subject'),
  contentHash: CONTENT,
  validFrom: 0n,
  validUntil: 0n,
  ...changes,
})
const stateOf = (world: World, id: Hash = ID) => world.view('credentials', 'credentialOf', { id }).state
const act = { id: ID, reason: REASON }

t.test('a certificate: issued, suspended, reinstated, revoked', async (t) => {
  const world = worldWithTypes()
  world.must('credentials', MARKET, 'issue', issue())
  t.match(world.view('credentials', 'credentialOf', { id: ID }), {
    typeId: LICENCE,
    issuer: MARKET,
    holder: ENTERPRISE,
    issuedAt: 1n,
    state: STATE.valid,
  })
  const verify = (contentHash: Hash) => world.view('credentials', 'verifyCredential', { id: ID, contentHash })
  t.same(verify(CONTENT), { valid: true, state: STATE.valid, contentMatches: true })
  t.same(verify(word('altered')), { valid: false, state: STATE.valid, contentMatches: false })
  world.endBlock()
  t.same(world.must('credentials', MARKET, 'suspend', act), [
    ['CredentialStateChanged', { id: ID, state: STATE.suspended, by: MARKET, reason: REASON }],
  ])
  t.same(verify(CONTENT), { valid: false, state: STATE.suspended, contentMatches: true })
  t.match(world.view('credentials', 'credentialOf', { id: ID }), { stateSince: 2n, reason: REASON })
  world.must('credentials', MARKET, 'reinstate', act)
  t.equal(stateOf(world), STATE.valid)
  world.must('credentials', MARKET, 'revoke', act)
  for (const name of ['suspend', 'reinstate', 'revoke'] as const) {
    t.equal(world.refusal('credentials', MARKET, name, act), 'WrongState', `${name} after revocation`)
  }
})

t.test('validity begins and ends by the time of blocks', async (t) => {
  const world = worldWithTypes()
  const now = BigInt(world.block.timestamp)
  world.must('credentials', MARKET, 'issue', issue({ validFrom: now + 1n, validUntil: now + 3n }))
  t.equal(stateOf(world), STATE.notYetValid)
  world.endBlock()
  t.equal(stateOf(world), STATE.valid, 'at validFrom')
  world.endBlock()
  t.equal(stateOf(world), STATE.valid, 'before validUntil')
  world.endBlock()
  t.equal(stateOf(world), STATE.expired, 'at validUntil')
  t.equal(world.refusal('credentials', ENTERPRISE, 'redeem', act), 'WrongState', 'an expired bill is not redeemed')
  t.equal(world.refusal('credentials', MARKET, 'revoke', act), 'succeeded', 'it can still be revoked')
  t.equal(world.refusal('credentials', MARKET, 'issue', issue({ validFrom: 5n, validUntil: 5n })), 'InvalidPeriod')
})

t.test("a bill's life: issued, handed on, used once", async (t) => {
  const world = worldWithTypes()
  world.must('credentials', FINANCE, 'issue', issue({ typeId: BILL }))
  t.equal(world.refusal('credentials', OTHER_ENTERPRISE, 'transfer', { id: ID, to: PATENTS }), 'NotHolder')
  t.equal(world.refusal('credentials', ENTERPRISE, 'transfer', { id: ID, to: STRANGER }), 'NotActiveMember')
  world.must('credentials', ENTERPRISE, 'transfer', { id: ID, to: OTHER_ENTERPRISE })
  t.equal(world.refusal('credentials', ENTERPRISE, 'redeem', act), 'NotHolder', 'who gave it away')
  world.must('credentials', FINANCE, 'suspend', act)
  t.equal(world.refusal('credentials', OTHER_ENTERPRISE, 'redeem', act), 'WrongState')
  t.equal(world.refusal('credentials', OTHER_ENTERPRISE, 'transfer', { id: ID, to: PATENTS }), 'WrongState')
  world.must('credentials', FINANCE, 'reinstate', act)
  world.must('credentials', OTHER_ENTERPRISE, 'redeem', act)
  t.equal(stateOf(world), STATE.redeemed)
  t.equal(world.refusal('credentials', OTHER_ENTERPRISE, 'redeem', act), 'WrongState', 'not twice')
  t.equal(world.refusal('credentials', OTHER_ENTERPRISE, 'transfer', { id: ID, to: PATENTS }), 'WrongState')
})

t.test('who may do what', async (t) => {
  const world = worldWithTypes()
  t.equal(world.refusal('credentials', PATENTS, 'issue', issue()), 'NotIssuer')
  const allow = (allowed: boolean) => ({ typeId: LICENCE, issuer: PATENTS, allowed })
  t.equal(world.refusal('credentials', PATENTS, 'setIssuer', allow(true)), 'NotTypeOwner')
  world.must('credentials', MARKET, 'setIssuer', allow(true))
  world.must('credentials', PATENTS, 'issue', issue())
  t.equal(world.refusal('credentials', PATENTS, 'issue', issue()), 'CredentialExists')
  world.must('credentials', MARKET, 'setIssuer', allow(false))
  t.equal(world.refusal('credentials', PATENTS, 'issue', issue({ id: word('2') })), 'NotIssuer')
  t.equal(world.refusal('credentials', AUDITOR, 'revoke', act), 'NotCredentialIssuer')
  t.equal(world.refusal('credentials', ENTERPRISE, 'revoke', act), 'NotCredentialIssuer')
  t.equal(world.refusal('credentials', PATENTS, 'revoke', act), 'succeeded', 'what it issued stays its own')
  t.equal(world.refusal('credentials', MARKET, 'revoke', act), 'succeeded', 'the owner of the type answers for it')
  t.equal(world.refusal('credentials', ENTERPRISE, 'transfer', { id: ID, to: AUDITOR }), 'NotTransferable')
  t.equal(world.refusal('credentials', STRANGER, 'revoke', act), 'NotActiveMember')
  const unheld = { id: word('3'), holder: ZERO_ADDRESS }
  world.must('credentials', MARKET, 'issue', issue(unheld))
  t.equal(world.refusal('credentials', MARKET, 'redeem', { id: unheld.id, reason: REASON }), 'NotHolder')
})

t.test('what is malformed', async (t) => {
  const world = worldWithTypes()
  const define = (changes: object) =>
    world.refusal('credentials', MARKET, 'defineType', {
      typeId: textId('other'),
      transferable: false,
      name: 'Other',
      ...changes,
    })
  t.equal(define({ typeId: LICENCE }), 'TypeExists')
  t.equal(define({ typeId: ZERO_HASH }), 'InvalidType')
  t.equal(define({ name: '' }), 'InvalidName')
  t.equal(define({ name: 'x'.repeat(memberNameBytesMax + 1) }), 'InvalidName')
  t.equal(define({ name: 'x'.repeat(memberNameBytesMax) }), 'succeeded')
  const refused = (changes: object) => world.refusal('credentials', MARKET, 'issue', issue(changes))
  t.equal(refused({ typeId: textId('unknown') }), 'UnknownType')
  t.equal(refused({ id: ZERO_HASH }), 'ZeroHash')
  t.equal(refused({ contentHash: ZERO_HASH }), 'ZeroHash')
  t.equal(world.refusal('credentials', MARKET, 'revoke', act), 'UnknownCredential')
})

t.test('whatever is done in whatever order: what ended stays ended, and nothing is used twice', async (t) => {
  const step = fc.constantFrom('suspend', 'reinstate', 'revoke', 'redeem', 'transfer' as const)
  const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const world = worldWithTypes()
    world.must('credentials', FINANCE, 'issue', issue({ typeId: BILL }))
    let redeemed = 0
    for (const name of steps) {
      const before = world.view('credentials', 'credentialOf', { id: ID })
      const by = name === 'redeem' || name === 'transfer' ? before.holder : FINANCE
      const to = before.holder === ENTERPRISE ? OTHER_ENTERPRISE : ENTERPRISE
      const outcome =
        name === 'transfer'
          ? world.send('credentials', by, name, { id: ID, to })
          : world.send('credentials', by, name, act)
      const ended = before.state === STATE.revoked || before.state === STATE.redeemed
      if (ended && outcome.status === 1) return false
      if (name === 'redeem' && outcome.status === 1) redeemed++
    }
    return redeemed <= 1
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }))
})
