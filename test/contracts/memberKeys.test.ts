import fc from 'fast-check'
import t from 'tap'
import { hashTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { ROLE, SIGNER_KIND, STATUS } from '../../src/contracts/codes.js'
import { SIGNER_CONSENT_DOMAIN, SIGNER_CONSENT_TYPES, signerConsentDigest } from '../../src/contracts/signerConsent.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, asAddress, fromHex, toHex, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { guardiansMax, signersMax } from '../../src/core/limits.js'
import { secp256k1 } from '../../src/crypto/secp256k1.js'
import { addressOf, keyOf, proofOf } from './signerKeys.js'
import {
  AUDITOR,
  CAPITAL,
  CHAIN_ID,
  ENTERPRISE,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  genesisConfig,
  MARKET,
  OPERATOR,
  PATENTS,
  STRANGER,
  World,
  word,
} from './world.js'

const add = (world: World, sender: Address, n: number, kind: number = SIGNER_KIND.node) =>
  world.must('members', sender, 'addSigner', { signer: addressOf(n), kind, proof: proofOf(n, MARKET, kind) })
const rotate = (world: World, sender: Address, n: number) =>
  world.must('members', sender, 'rotateAccountKey', {
    newSigner: addressOf(n),
    proof: proofOf(n, MARKET, SIGNER_KIND.account),
  })
const rotateRefusal = (world: World, sender: Address, n: number) =>
  world.refusal('members', sender, 'rotateAccountKey', {
    newSigner: addressOf(n),
    proof: proofOf(n, MARKET, SIGNER_KIND.account),
  })
/** Whether a key acts for MARKET: only it may report a change of the registered capital. */
const acts = (world: World, sender: Address) =>
  world.refusal('dataSharing', sender, 'reportChange', { enterpriseId: ENTERPRISE_ID, attributes: [CAPITAL] })
const signerAt = (world: World, height: bigint) => world.view('members', 'signerAt', { account: MARKET, height })
const signerOf = (world: World, signer: Address) => world.view('members', 'signerOf', { signer })

t.test('what a new key signs is EIP-712, as viem and wallets have it', async (t) => {
  const message = { member: MARKET, signer: addressOf(1), kind: SIGNER_KIND.node }
  const typed = {
    domain: {
      ...SIGNER_CONSENT_DOMAIN,
      chainId: Number(CHAIN_ID),
      verifyingContract: CONTRACT_ADDRESSES.members,
    },
    types: SIGNER_CONSENT_TYPES,
    primaryType: 'SignerConsent',
    message,
  } as const
  t.equal(toHex(signerConsentDigest({ chainId: CHAIN_ID, ...message })), hashTypedData(typed))
  const wallet = privateKeyToAccount(toHex(keyOf(1)))
  const proof = fromHex(await wallet.signTypedData(typed))
  t.ok(proof[64] === 27 || proof[64] === 28, 'wallets write the parity so')
  new World().must('members', MARKET, 'addSigner', { ...message, signer: asAddress(message.signer), proof })
})

t.test('a further node acts for its member, and is known as it', async (t) => {
  const world = new World()
  world.number = 5
  t.equal(acts(world, addressOf(1)), 'NotActiveDepartment')
  t.same(add(world, MARKET, 1), [['SignerAdded', { account: MARKET, signer: addressOf(1), kind: SIGNER_KIND.node }]])
  t.equal(acts(world, addressOf(1)), 'succeeded')
  t.match(world.view('members', 'IdentityAuth', { userID: addressOf(1) }), { active: true, role: ROLE.department })
  t.equal(world.view('members', 'getMember', { account: addressOf(1) }).account, MARKET)
  t.same(world.view('members', 'signersOf', { account: MARKET }), [{ signer: addressOf(1), kind: 2, from: 5n }])
  t.equal(world.view('members', 'memberCount', {}), 7n, 'it is no member of its own')

  for (const refused of [
    world.refusal('members', addressOf(1), 'rotateEncryptionKey', { encryptionKey: word('x') }),
    world.refusal('members', addressOf(1), 'setGuardians', { guardians: [FINANCE], threshold: 1 }),
    rotateRefusal(world, addressOf(1), 2),
  ])
    t.equal(refused, 'NotAccountKey', 'it changes no keys')

  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.suspended })
  t.equal(acts(world, addressOf(1)), 'NotActiveDepartment', 'suspended with its member')
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.active })

  world.number = 9
  t.equal(world.refusal('members', FINANCE, 'removeSigner', { signer: addressOf(1) }), 'UnknownSigner')
  world.must('members', MARKET, 'removeSigner', { signer: addressOf(1) })
  t.equal(acts(world, addressOf(1)), 'NotActiveDepartment')
  t.same(signerOf(world, addressOf(1)), { account: MARKET, kind: 2, from: 5n, until: 9n }, 'still on record')
  t.same(world.view('members', 'signersOf', { account: MARKET }), [])
  t.throws(() => world.view('members', 'getMember', { account: addressOf(1) }), { message: 'UnknownMember' })

  add(world, MARKET, 2)
  world.must('members', addressOf(2), 'removeSigner', { signer: addressOf(2) })
  t.equal(acts(world, addressOf(2)), 'NotActiveDepartment', 'a key may stop by itself')
})

t.test('addSigner refuses', async (t) => {
  const world = new World()
  const refusal = (changes: object, sender = MARKET) =>
    world.refusal('members', sender, 'addSigner', {
      signer: addressOf(1),
      kind: SIGNER_KIND.node,
      proof: proofOf(1, MARKET, SIGNER_KIND.node),
      ...changes,
    })
  t.equal(refusal({}, STRANGER), 'NotActiveMember')
  for (const kind of [0, SIGNER_KIND.account, 4]) t.equal(refusal({ kind }), 'InvalidKind')
  t.equal(refusal({ kind: SIGNER_KIND.service }), 'InvalidProof', 'signed for another kind')
  t.equal(refusal({}, FINANCE), 'InvalidProof', 'signed for another member')
  t.equal(refusal({ proof: proofOf(1, MARKET, SIGNER_KIND.node, CHAIN_ID + 1n) }), 'InvalidProof', 'another chain')
  t.equal(refusal({ proof: new Uint8Array() }), 'InvalidProof')
  t.equal(refusal({ signer: addressOf(2) }), 'InvalidProof', 'signed by another key')
  t.equal(refusal({ signer: FINANCE }), 'SignerTaken')
  t.equal(refusal({ signer: ZERO_ADDRESS }), 'SignerTaken')
  add(world, MARKET, 1)
  t.equal(refusal({}), 'SignerTaken')
  world.must('members', MARKET, 'removeSigner', { signer: addressOf(1) })
  t.equal(refusal({}), 'SignerTaken', 'a key that was removed never acts again')
  const member = { account: addressOf(1), role: ROLE.auditor, id: textId('x'), name: 'X', encryptionKey: ZERO_HASH }
  t.equal(world.refusal('members', OPERATOR, 'registerMember', { member }), 'SignerTaken')
  for (let n = 10; n < 10 + signersMax; n++) add(world, MARKET, n)
  t.equal(refusal({ signer: addressOf(9), proof: proofOf(9, MARKET, SIGNER_KIND.node) }), 'TooManySigners')
})

t.test('a replaced account key acts no more; the account stays', async (t) => {
  const world = new World()
  world.number = 5
  t.same(rotate(world, MARKET, 1), [['AccountKeyRotated', { account: MARKET, signer: addressOf(1), former: MARKET }]])
  t.equal(acts(world, addressOf(1)), 'succeeded')
  t.equal(acts(world, MARKET), 'NotActiveDepartment')
  t.equal(rotateRefusal(world, MARKET, 2), 'NotActiveMember')
  t.match(world.view('members', 'IdentityAuth', { userID: MARKET }), { active: true }, 'others seal for the account')
  world.number = 8
  rotate(world, addressOf(1), 2)
  t.equal(acts(world, addressOf(1)), 'NotActiveDepartment')
  t.equal(acts(world, addressOf(2)), 'succeeded')
  world.number = 9
  t.same(
    [0n, 4n, 5n, 7n, 8n, 100n].map((height) => signerAt(world, height)),
    [MARKET, MARKET, addressOf(1), addressOf(1), addressOf(2), addressOf(2)],
  )
  t.throws(() => world.view('members', 'signerAt', { account: STRANGER, height: 1n }), { message: 'UnknownMember' })
  t.same(signerOf(world, MARKET), { account: MARKET, kind: 1, from: 0n, until: 5n })
  t.same(signerOf(world, addressOf(1)), { account: MARKET, kind: 1, from: 5n, until: 8n })
  t.same(signerOf(world, addressOf(2)), { account: MARKET, kind: 1, from: 8n, until: 0n })
  t.same(signerOf(world, STRANGER), { account: ZERO_ADDRESS, kind: 0, from: 0n, until: 0n })
  t.equal(world.refusal('members', addressOf(2), 'removeSigner', { signer: addressOf(2) }), 'UnknownSigner')
  t.equal(rotateRefusal(world, addressOf(2), 1), 'SignerTaken', 'no way back')
})

t.test('an operator with a new key is an operator', async (t) => {
  const world = new World()
  const proof = secp256k1.sign(
    signerConsentDigest({ chainId: CHAIN_ID, member: OPERATOR, signer: addressOf(1), kind: SIGNER_KIND.account }),
    keyOf(1),
  )
  world.must('members', OPERATOR, 'rotateAccountKey', { newSigner: addressOf(1), proof })
  const suspend = (sender: Address) =>
    world.refusal('members', sender, 'setStatus', { account: MARKET, status: STATUS.suspended })
  t.same([suspend(OPERATOR), suspend(addressOf(1))], ['NotOperator', 'succeeded'])
})

t.test('a seat goes by the key that seals; its member may give it up with a new key', async (t) => {
  const world = new World()
  add(world, MARKET, 5)
  t.equal(world.refusal('sealers', addressOf(5), 'leave', {}), 'NotSealer', 'a further node has its own seat or none')
  t.equal(world.refusal('sealers', addressOf(5), 'volunteer', { multiaddr: '/ip4/1.1.1.1/tcp/1' }), 'succeeded')
  rotate(world, MARKET, 1)
  t.equal(world.refusal('sealers', MARKET, 'offerSeat', { successor: FINANCE }), 'NotActiveMember')
  const offered = world.must('sealers', addressOf(1), 'offerSeat', { successor: addressOf(5) })
  t.same(offered, [['SeatOffered', { sealer: MARKET, successor: addressOf(5) }]])
  const change = { kind: 1, sealer: addressOf(5), replacement: ZERO_ADDRESS, reason: '' }
  t.equal(world.refusal('sealers', MARKET, 'proposeChange', change), 'NotVoter')
  world.must('sealers', addressOf(5), 'volunteer', { multiaddr: '/ip4/1.1.1.1/tcp/1' })
  const [proposed] = world.must('sealers', addressOf(1), 'proposeChange', change)
  t.match(proposed, ['ChangeProposed', { by: MARKET }])
  t.equal(world.refusal('sealers', addressOf(5), 'approveChange', { id: 1n }), 'AlreadyApproved', 'one vote a member')
})

t.test('envelopes to the former encryption key are taken while its grace lasts', async (t) => {
  const world = new World(genesisConfig({ membership: { encryptionGraceBlocks: 10 } }))
  const store = (keyEpoch: bigint) =>
    world.refusal('dataSharing', ENTERPRISE, 'StoreData', {
      enterpriseId: ENTERPRISE_ID,
      documentHash: word('document'),
      portraitVersion: 1,
      parts: [{ recipient: MARKET, keyEpoch, attributes: [CAPITAL], digests: [word('digest')], envelope: ENVELOPE }],
    })
  const graceUntil = () => world.view('members', 'encryptionGraceUntil', { account: MARKET })
  world.number = 5
  world.must('members', MARKET, 'rotateEncryptionKey', { encryptionKey: word('second') })
  t.equal(graceUntil(), 15n)
  t.same([store(0n), store(1n), store(2n), store(3n)], ['StaleKeyEpoch', 'succeeded', 'succeeded', 'StaleKeyEpoch'])
  world.number = 15
  t.equal(store(1n), 'succeeded', 'the last block')
  world.number = 16
  t.same([store(1n), store(2n)], ['StaleKeyEpoch', 'succeeded'])
  world.must('members', MARKET, 'replaceEncryptionKey', { encryptionKey: word('third'), graceBlocks: 0 })
  t.same([store(2n), store(3n), graceUntil()], ['StaleKeyEpoch', 'succeeded', 0n], 'a compromised key at once')
  world.must('members', MARKET, 'replaceEncryptionKey', { encryptionKey: word('fourth'), graceBlocks: 3 })
  t.same([store(2n), store(3n)], ['StaleKeyEpoch', 'succeeded'], 'only the one before')
  const longer = { encryptionKey: word('fifth'), graceBlocks: 11 }
  t.equal(world.refusal('members', MARKET, 'replaceEncryptionKey', longer), 'GraceTooLong')
})

const guard = (world: World, guardians: Address[], threshold: number, sender: Address = MARKET) =>
  world.refusal('members', sender, 'setGuardians', { guardians, threshold })
const start = (n: number) => ({
  account: MARKET,
  newSigner: addressOf(n),
  proof: proofOf(n, MARKET, SIGNER_KIND.account),
})
const recovery = (world: World) => world.view('members', 'recoveryOf', { account: MARKET })
function guarded(): World {
  const world = new World(genesisConfig({ membership: { recoveryDelayBlocks: 20, decisionBlocksMax: 50 } }))
  world.must('members', MARKET, 'setGuardians', { guardians: [FINANCE, PATENTS, AUDITOR], threshold: 2 })
  world.number = 10
  return world
}

t.test('guardians bring a lost account back after the delay', async (t) => {
  const world = guarded()
  const approve = { account: MARKET, newSigner: addressOf(1) }
  t.equal(world.refusal('members', PATENTS, 'approveRecovery', approve), 'NoRecovery')
  world.must('members', FINANCE, 'startRecovery', start(1))
  t.equal(world.refusal('members', FINANCE, 'approveRecovery', approve), 'RecoveryApprovedBefore')
  t.same(recovery(world), { newSigner: addressOf(1), readyAt: 0n, approvals: [FINANCE], needed: 2 })
  t.equal(world.refusal('members', STRANGER, 'finishRecovery', { account: MARKET }), 'NoRecovery')
  const events = world.must('members', PATENTS, 'approveRecovery', approve)
  t.same(events.at(-1), ['RecoveryReady', { account: MARKET, newSigner: addressOf(1), readyAt: 30n }])
  world.number = 29
  t.equal(world.refusal('members', FINANCE, 'finishRecovery', { account: MARKET }), 'RecoveryTooEarly')
  world.number = 30
  t.equal(acts(world, MARKET), 'succeeded', 'until then nothing has changed')
  world.must('members', STRANGER, 'finishRecovery', { account: MARKET })
  t.same([acts(world, MARKET), acts(world, addressOf(1))], ['NotActiveDepartment', 'succeeded'])
  t.same([signerAt(world, 29n), signerAt(world, 30n)], [MARKET, addressOf(1)])
  t.equal(world.refusal('members', STRANGER, 'finishRecovery', { account: MARKET }), 'NoRecovery', 'once')
})

t.test('the account key stops a recovery; one that is suspended does not', async (t) => {
  const world = guarded()
  t.equal(world.refusal('members', MARKET, 'stopRecovery', {}), 'NoRecovery')
  world.must('members', FINANCE, 'startRecovery', start(1))
  world.must('members', PATENTS, 'startRecovery', start(1))
  t.same(world.must('members', MARKET, 'stopRecovery', {}), [['RecoveryStopped', { account: MARKET, by: MARKET }]])
  world.number = 40
  t.equal(world.refusal('members', FINANCE, 'finishRecovery', { account: MARKET }), 'NoRecovery')

  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.suspended })
  world.must('members', FINANCE, 'startRecovery', start(1))
  world.must('members', PATENTS, 'startRecovery', start(1))
  t.equal(world.refusal('members', MARKET, 'stopRecovery', {}), 'NotActiveMember')
  t.equal(guard(world, [FINANCE], 1), 'NotActiveMember')
  world.number = 60
  world.must('members', FINANCE, 'finishRecovery', { account: MARKET })
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.active })
  t.same([acts(world, MARKET), acts(world, addressOf(1))], ['NotActiveDepartment', 'succeeded'])
})

t.test('only active guardians count, for as long as their word holds', async (t) => {
  const world = guarded()
  world.must('members', FINANCE, 'startRecovery', start(1))
  world.must('members', PATENTS, 'startRecovery', start(1))
  world.must('members', OPERATOR, 'setStatus', { account: PATENTS, status: STATUS.suspended })
  t.equal(world.refusal('members', PATENTS, 'startRecovery', start(2)), 'NotGuardian')
  world.number = 30
  t.equal(world.refusal('members', FINANCE, 'finishRecovery', { account: MARKET }), 'TooFewGuardians')
  world.must('members', AUDITOR, 'approveRecovery', { account: MARKET, newSigner: addressOf(1) })
  t.equal(world.refusal('members', FINANCE, 'finishRecovery', { account: MARKET }), 'succeeded')
  world.number = 10 + 20 + 50
  t.equal(world.refusal('members', FINANCE, 'finishRecovery', { account: MARKET }), 'succeeded')
  world.number++
  t.equal(world.refusal('members', FINANCE, 'finishRecovery', { account: MARKET }), 'TooFewGuardians')
})

t.test('a guardian may change its mind; a lone one holds nobody up', async (t) => {
  const world = guarded()
  world.must('members', FINANCE, 'startRecovery', start(1))
  world.must('members', PATENTS, 'startRecovery', start(2))
  t.equal(recovery(world).readyAt, 0n)
  world.must('members', AUDITOR, 'approveRecovery', { account: MARKET, newSigner: addressOf(2) })
  t.match(recovery(world), { newSigner: addressOf(2), readyAt: 30n, approvals: [PATENTS, AUDITOR] })
  world.must('members', AUDITOR, 'approveRecovery', { account: MARKET, newSigner: addressOf(1) })
  t.match(recovery(world), { newSigner: addressOf(1), readyAt: 30n, approvals: [FINANCE, AUDITOR] })
})

t.test('guardians and recovery refuse', async (t) => {
  const world = guarded()
  t.equal(guard(world, [MARKET], 1), 'InvalidGuardian')
  t.equal(guard(world, [FINANCE, FINANCE], 1), 'InvalidGuardian')
  t.equal(guard(world, [STRANGER], 1), 'InvalidGuardian')
  t.equal(guard(world, [FINANCE], 0), 'InvalidThreshold')
  t.equal(guard(world, [FINANCE], 2), 'InvalidThreshold')
  t.equal(guard(world, [], 1), 'InvalidThreshold')
  t.equal(guard(world, [], 0), 'succeeded')
  t.equal(guard(world, new Array(guardiansMax + 1).fill(FINANCE), 1), 'TooManyGuardians')
  t.equal(guard(world, [FINANCE], 1, STRANGER), 'NotActiveMember')
  t.equal(world.refusal('members', ENTERPRISE, 'startRecovery', start(1)), 'NotGuardian')
  t.equal(world.refusal('members', FINANCE, 'startRecovery', { ...start(1), newSigner: PATENTS }), 'SignerTaken')
  t.equal(world.refusal('members', FINANCE, 'startRecovery', { ...start(1), proof: start(2).proof }), 'InvalidProof')
  t.equal(world.refusal('members', FINANCE, 'startRecovery', { ...start(1), account: STRANGER }), 'UnknownMember')
  world.must('members', OPERATOR, 'setStatus', { account: MARKET, status: STATUS.revoked })
  t.equal(world.refusal('members', FINANCE, 'startRecovery', start(1)), 'MemberRevoked')
})

t.test('whatever is done, a key acts for one member at most, and one account key has full power', async () => {
  const accounts = [MARKET, FINANCE]
  const step = fc.record({
    act: fc.constantFrom('add', 'remove', 'rotate'),
    member: fc.nat(1),
    by: fc.nat(9),
    key: fc.nat(9),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const world = new World()
      /** Model: who acts for whom, and all keys ever used. */
      const model = accounts.map((account) => ({ account, key: account, further: new Set<Address>() }))
      const used = new Set<Address>(accounts)
      for (const { act, member, by, key } of steps) {
        const own = model[member]!
        const caller = by < 5 ? own.key : addressOf(key)
        const n = by
        const signer = addressOf(n)
        const kind = act === 'rotate' ? SIGNER_KIND.account : SIGNER_KIND.node
        const proof = proofOf(n, own.account, kind)
        const power = caller === own.key
        if (act === 'add') {
          const ok = world.send('members', caller, 'addSigner', { signer, kind, proof }).status === 1
          if (ok !== (power && !used.has(signer))) throw new Error('addSigner')
          if (ok) own.further.add(signer)
        } else if (act === 'rotate') {
          const ok = world.send('members', caller, 'rotateAccountKey', { newSigner: signer, proof }).status === 1
          if (ok !== (power && !used.has(signer))) throw new Error('rotateAccountKey')
          if (ok) own.key = signer
        } else {
          const holder = model.find(({ further }) => further.has(signer))
          const mayBy = holder !== undefined && (holder.key === caller || caller === signer)
          const ok = world.send('members', caller, 'removeSigner', { signer }).status === 1
          if (ok !== mayBy) throw new Error('removeSigner')
          if (ok) holder?.further.delete(signer)
        }
        for (const { key, further } of model) for (const one of [key, ...further]) used.add(one)
        for (const one of used) {
          const owners = model.filter(({ key, further }) => key === one || further.has(one))
          if (owners.length > 1) throw new Error('two members have one key')
          const found = world.send('dataSharing', one, 'reportChange', {
            enterpriseId: ENTERPRISE_ID,
            attributes: [CAPITAL],
          })
          if ((found.status === 1) !== (owners[0]?.account === MARKET)) throw new Error('who acts for MARKET')
        }
      }
    }),
    { numRuns: 40 },
  )
})
