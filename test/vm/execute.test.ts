/** Transactions, blocks, calls and gas. */
import fc from 'fast-check'
import t from 'tap'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { dataSharingInterface } from '../../src/contracts/dataSharing.js'
import { applyGenesis } from '../../src/contracts/genesis.js'
import { membersInterface } from '../../src/contracts/members.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { EMPTY_BYTES, type Hash, toHex, utf8 } from '../../src/core/bytes.js'
import { logsBloom } from '../../src/crypto/bloom.js'
import type { RecoveredTransaction } from '../../src/crypto/transaction.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { ContractAbi } from '../../src/vm/abi.js'
import { callContract, estimateGas } from '../../src/vm/call.js'
import { type ContractHost, ContractRevert, defineContract } from '../../src/vm/contract.js'
import { BlockError, BlockExecution, executeBlock } from '../../src/vm/executeBlock.js'
import { checkTransaction, executeTransaction } from '../../src/vm/executeTransaction.js'
import { GAS_STORE, GAS_TRANSFER, intrinsicGas } from '../../src/vm/gas.js'
import {
  account,
  BANK_ACCOUNT,
  CAPITAL,
  ENTERPRISE,
  ENTERPRISE_ID,
  ENVELOPE,
  FINANCE,
  genesisConfig,
  MARKET,
  OPERATOR,
  OTHER_ENTERPRISE,
  OTHER_ENTERPRISE_ID,
  PATENTS,
  STRANGER,
  World,
  word,
} from '../contracts/world.js'

const SHARING = CONTRACT_ADDRESSES.dataSharing
const part = (n: number) => ({
  recipient: MARKET,
  keyEpoch: 1n,
  attributes: [CAPITAL],
  digests: [word(`d${n}`)],
  envelope: ENVELOPE,
})
const storeData = (n = 0) =>
  dataSharingInterface.encodeCall('StoreData', {
    enterpriseId: ENTERPRISE_ID,
    documentHash: word(`doc ${n}`),
    portraitVersion: 1,
    parts: [part(n)],
  })
const run = (world: World, tx: RecoveredTransaction) =>
  executeTransaction(world.state, world.block, tx, systemContracts)

t.test('intrinsic gas (EIP-2028, EIP-2930)', async (t) => {
  t.equal(intrinsicGas({ data: EMPTY_BYTES, accessList: [] }), 21_000n)
  t.equal(intrinsicGas({ data: Uint8Array.of(0, 1, 0, 2, 3), accessList: [] }), 21_000n + 2n * 4n + 3n * 16n)
  const accessList = [{ address: MARKET, storageKeys: [word('a'), word('b')] }]
  t.equal(intrinsicGas({ data: EMPTY_BYTES, accessList }), 21_000n + 2_400n + 2n * 1_900n)
})

t.test('what keeps a transaction out of a block', async (t) => {
  const world = new World()
  const check = (changes: Partial<RecoveredTransaction>, sender = OPERATOR) =>
    checkTransaction(world.state, world.block, world.transaction(sender, MARKET, EMPTY_BYTES, changes))
  t.equal(check({}), undefined)
  t.equal(check({ gasPrice: 10n ** 30n }), undefined, 'no balance is needed for gas')
  t.equal(check({ chainId: 1n }), 'WRONG_CHAIN')
  t.equal(check({ chainId: null }), 'WRONG_CHAIN')
  t.equal(check({ to: null }), 'CONTRACT_CREATION')
  t.equal(check({ nonce: 1n }), 'NONCE_TOO_HIGH')
  t.equal(check({ gasLimit: 20_999n }), 'INTRINSIC_GAS')
  t.equal(check({ gasLimit: 21_000n }), undefined)
  t.equal(check({ gasLimit: world.block.gasLimit }), undefined)
  t.equal(check({ gasLimit: world.block.gasLimit + 1n }), 'GAS_LIMIT_ABOVE_BLOCK')
  t.equal(check({ value: 1_000n }), undefined)
  t.equal(check({ value: 1_001n }), 'INSUFFICIENT_FUNDS')
  t.equal(check({ value: 1n }, STRANGER), 'INSUFFICIENT_FUNDS')
  run(world, world.transaction(OPERATOR, MARKET, EMPTY_BYTES))
  t.equal(check({ nonce: 0n }), 'NONCE_TOO_LOW')
})

t.test('transfers move value and nothing else', async (t) => {
  const world = new World()
  const balance = (who: typeof MARKET) => world.state.account(who)?.balance
  const outcome = run(world, world.transaction(OPERATOR, STRANGER, utf8('a note'), { value: 400n, gasPrice: 5n }))
  t.match(outcome, { status: 1, gasUsed: 21_000n + 6n * 16n + BigInt(GAS_TRANSFER), logs: [] })
  t.same([balance(OPERATOR), balance(STRANGER)], [600n, 400n])
  run(world, world.transaction(OPERATOR, OPERATOR, EMPTY_BYTES, { value: 600n }))
  t.equal(balance(OPERATOR), 600n, 'to itself')
  t.equal(world.state.account(OPERATOR)!.nonce, 2n)
  run(world, world.transaction(OPERATOR, account(0x777), EMPTY_BYTES))
  t.equal(world.state.account(account(0x777)), undefined, 'nothing creates no account (EIP-161)')
})

t.test('a failed call keeps its nonce and its gas, nothing else', async (t) => {
  const world = new World()
  const before = world.state.account(SHARING)
  const outcome = run(world, world.transaction(MARKET, SHARING, storeData()))
  t.match(outcome, { status: 0, error: 'REVERTED', logs: [] })
  t.equal(dataSharingInterface.decodeError(outcome.revertData!)?.name, 'NotActiveEnterprise')
  t.equal(world.state.account(MARKET)!.nonce, 1n)
  t.same(world.state.account(SHARING), before)
  const paying = run(world, world.transaction(OPERATOR, SHARING, storeData(), { value: 7n }))
  t.match(dataSharingInterface.decodeError(paying.revertData!)?.args, {
    message: 'dataSharing.StoreData takes no value',
  })
  t.equal(world.state.account(OPERATOR)!.balance, 1_000n, 'value comes back')
})

t.test('calldata that is no call says why', async (t) => {
  const world = new World()
  const reason = (data: Uint8Array) => {
    const outcome = run(world, world.transaction(ENTERPRISE, SHARING, data))
    return dataSharingInterface.decodeError(outcome.revertData!)?.args.message
  }
  t.equal(reason(EMPTY_BYTES), 'dataSharing has no function 0x')
  t.equal(reason(Uint8Array.of(1, 2, 3, 4, 5)), 'dataSharing has no function 0x01020304')
  const good = storeData()
  t.match(reason(good.subarray(0, good.length - 32)), /^StoreData: parts\[0\]\.envelope: needs 32 bytes/)
  t.match(reason(new Uint8Array([...good, 0])), /^StoreData: 1 bytes after the last value/)
})

t.test('gas: the estimate is exact, one less runs out and takes all', async (t) => {
  const world = new World()
  const request = { from: ENTERPRISE, to: SHARING, data: storeData(), value: 0n, gas: undefined }
  const estimate = estimateGas(world.state, world.block, request, systemContracts)
  if (!estimate.ok) return t.fail('the estimate failed')
  const short = run(world, world.transaction(ENTERPRISE, SHARING, request.data, { gasLimit: estimate.gas - 1n }))
  t.match(short, { status: 0, error: 'OUT_OF_GAS', gasUsed: estimate.gas - 1n, logs: [] })
  t.notOk(short.revertData)
  const exact = run(world, world.transaction(ENTERPRISE, SHARING, request.data, { gasLimit: estimate.gas }))
  t.match(exact, { status: 1, gasUsed: estimate.gas })
})

t.test('eth_call: results, faults, and no trace', async (t) => {
  const world = new World()
  const call = (changes: object) => {
    const request = {
      from: ENTERPRISE,
      to: SHARING as typeof SHARING | null,
      data: storeData(),
      value: 0n,
      gas: undefined,
    }
    return callContract(world.state, world.block, { ...request, ...changes }, systemContracts)
  }
  const done = call({})
  t.equal(done.ok && dataSharingInterface.decodeResult('StoreData', done.returnData), 1n)
  t.equal(world.state.account(ENTERPRISE), undefined)
  const count = { to: SHARING, data: dataSharingInterface.encodeCall('submissionCount', {}) }
  t.match(call(count), { ok: true, returnData: new Uint8Array(32) })
  t.match(call({ from: MARKET }), { ok: false, code: 'REVERTED' })
  t.match(call({ to: null }), { ok: false, code: 'FAILED', message: /contract creation/ })
  t.match(call({ gas: 21_000n }), { ok: false, code: 'FAILED', message: /intrinsic gas too low/ })
  t.match(call({ gas: 40_000n }), { ok: false, code: 'FAILED', message: /out of gas/ })
  t.match(call({ gas: 2n ** 60n }), { ok: true }, 'capped by the block')
  t.match(call({ value: 1n }), { ok: false, code: 'FAILED', message: /insufficient funds/ })
  t.match(call({ to: STRANGER }), { ok: true, returnData: EMPTY_BYTES })
})

t.test('a block builds up receipts, gas and bloom', async (t) => {
  const world = new World()
  const root = new StateOverlay(EMPTY_STATE)
  applyGenesis(root, world.genesis)
  root.root()
  const txs = [0, 1].map((n) => world.transaction(ENTERPRISE, SHARING, storeData(n), { nonce: BigInt(n) }))
  const failing = world.transaction(MARKET, SHARING, storeData())
  const all = [txs[0]!, failing, txs[1]!]
  const result = executeBlock(new StateOverlay(root), world.block, all, systemContracts)
  t.same(
    result.receipts.map((receipt) => receipt.status),
    [1, 0, 1],
  )
  let total = 0n
  result.receipts.forEach((receipt, i) => {
    total += result.outcomes[i]!.gasUsed
    t.equal(receipt.cumulativeGasUsed, total)
    t.same(receipt.logsBloom, logsBloom(receipt.logs))
  })
  t.equal(result.gasUsed, total)
  t.same(result.logsBloom, logsBloom(result.receipts.flatMap((receipt) => receipt.logs)))
  t.throws(() => executeBlock(new StateOverlay(root), world.block, [txs[0]!, txs[0]!], systemContracts), {
    code: 'INVALID_TRANSACTION',
    data: { index: 1, reason: 'NONCE_TOO_LOW' },
  })
  t.throws(() => executeBlock(new StateOverlay(root), world.block, [txs[1]!], systemContracts), BlockError)
})

t.test('a proposer skips what does not fit and goes on', async (t) => {
  const world = new World()
  const tx = world.transaction(ENTERPRISE, SHARING, storeData(), { gasLimit: 100_000n })
  const other = world.transaction(OPERATOR, STRANGER, EMPTY_BYTES, { gasLimit: 21_000n })
  const bytesMax = tx.raw.length + 4 + 10
  const execution = new BlockExecution(world.state, { ...world.block, gasLimit: 130_000n }, systemContracts, bytesMax)
  t.match(execution.tryTransaction({ ...tx, nonce: 5n }), { ok: false, skip: 'NONCE_TOO_HIGH' })
  t.match(execution.tryTransaction({ ...tx, raw: new Uint8Array(bytesMax - 3) }), { ok: false, skip: 'BLOCK_BYTES' })
  t.match(execution.tryTransaction(tx), { ok: true, outcome: { status: 1 } })
  t.equal(execution.full, true)
  t.match(execution.tryTransaction({ ...tx, nonce: 1n, raw: EMPTY_BYTES }), { ok: false, skip: 'BLOCK_GAS' })
  t.match(execution.tryTransaction(other), { ok: true })
  t.same(execution.transactions, [tx, other])
  t.equal(execution.result().receipts.length, 2)
})

t.test('the same transactions always come to the same root, receipts and gas', async (t) => {
  const genesis = genesisConfig()
  const calls = fc.array(
    fc.record({
      kind: fc.constantFrom('store', 'ack', 'set', 'report', 'register', 'ask'),
      who: fc.constantFrom(ENTERPRISE, OTHER_ENTERPRISE, MARKET, FINANCE, PATENTS, OPERATOR),
      n: fc.nat(3),
    }),
    { minLength: 1, maxLength: 25 },
  )
  const encode = ({ kind, who, n }: { kind: string; who: typeof MARKET; n: number }): Uint8Array => {
    const enterpriseId = who === OTHER_ENTERPRISE ? OTHER_ENTERPRISE_ID : ENTERPRISE_ID
    const attribute = n % 2 ? CAPITAL : BANK_ACCOUNT
    const digest = word(`digest ${n}`)
    if (kind === 'store') return storeData(n)
    if (kind === 'ack') {
      return dataSharingInterface.encodeCall('acknowledge', {
        submissionId: BigInt(n),
        part: 0,
        accepted: true,
        code: 0,
      })
    }
    if (kind === 'set') {
      const args = { enterpriseId, attribute, digest, existence: 1, confirmed: true }
      return dataSharingInterface.encodeCall('SetUserProfile', args)
    }
    if (kind === 'report')
      return dataSharingInterface.encodeCall('reportChange', { enterpriseId, attributes: [attribute] })
    const sealed = [{ supervisor: n % 2 ? MARKET : FINANCE, keyEpoch: 1n, envelope: ENVELOPE }]
    const asked = { enterpriseId, portraitVersion: 1, purpose: word('p'), basis: word('b') }
    return dataSharingInterface.encodeCall('requestVerification', { ...asked, items: [{ attribute, digest }], sealed })
  }
  const play = (list: readonly { kind: string; who: typeof MARKET; n: number }[]) => {
    const world = new World(genesis)
    const base = new StateOverlay(EMPTY_STATE)
    applyGenesis(base, genesis)
    base.root()
    const state = new StateOverlay(base)
    const execution = new BlockExecution(state, world.block, systemContracts)
    for (const call of list) {
      const nonce = state.account(call.who)?.nonce ?? 0n
      execution.tryTransaction(world.transaction(call.who, SHARING, encode(call), { nonce }))
    }
    const { gasUsed, receipts } = execution.result()
    return { root: state.root(), gasUsed, statuses: receipts.map((receipt) => receipt.status) }
  }
  let succeeded = 0
  fc.assert(
    fc.property(calls, (list) => {
      const [a, b] = [play(list), play(list)]
      succeeded += a.statuses.filter((status) => status === 1).length
      t.same(a, b)
    }),
    { numRuns: 40 },
  )
  t.ok(succeeded > 0, `${succeeded} of the calls succeeded`)
})

/** A contract whose behaviour the test writes. */
const PROBE = account(0xabc)
function probe(go: (host: ContractHost) => void) {
  const abi = new ContractAbi(['function go()', 'event Went(uint256 n)'] as const)
  const functions = {
    go(host: ContractHost) {
      go(host)
      return undefined
    },
  }
  const contract = defineContract({ name: 'probe', version: 1, address: PROBE, abi, functions })
  const world = new World()
  const tx = world.transaction(ENTERPRISE, PROBE, abi.encodeCall('go', {}))
  const registry = new Map([...systemContracts, [PROBE, contract]])
  return { world, registry, abi, outcome: () => executeTransaction(world.state, world.block, tx, registry) }
}

t.test('contracts call contracts', async (t) => {
  const members = CONTRACT_ADDRESSES.members
  const seen: unknown[] = []
  const { outcome } = probe((host) => {
    const input = membersInterface.encodeCall('IdentityAuth', { userID: MARKET })
    seen.push(membersInterface.decodeResult('IdentityAuth', host.staticCall(members, input)).active)
    seen.push(host.caller, host.origin, host.self, host.static)
    const rotate = membersInterface.encodeCall('rotateEncryptionKey', { encryptionKey: word('k') })
    try {
      host.call(members, rotate)
    } catch (error) {
      seen.push(membersInterface.decodeError((error as ContractRevert).data))
    }
  })
  t.equal(outcome().status, 1)
  const refused = { name: 'NotActiveMember', args: { account: PROBE } }
  t.same(seen, [true, ENTERPRISE, ENTERPRISE, PROBE, false, refused], 'the callee sees the contract, not the sender')
})

t.test('a failed inner call is undone, also when it is caught', async (t) => {
  const slot = word('slot') as Hash
  const inner = defineContract({
    name: 'inner',
    version: 1,
    address: account(0xdef),
    abi: new ContractAbi(['function fail()'] as const),
    functions: {
      fail(host) {
        host.store(slot, word('inner'))
        host.emit([word('topic')], EMPTY_BYTES)
        throw new ContractRevert(utf8('x'), 'x')
      },
    },
  })
  const { world, registry, outcome } = probe((host) => {
    host.store(slot, word('outer'))
    t.throws(
      () => host.call(inner.address, new ContractAbi(['function fail()']).encodeCall('fail', {})),
      ContractRevert,
    )
  })
  registry.set(inner.address, inner)
  t.match(outcome(), { status: 1, logs: [] })
  t.equal(world.state.storage(PROBE, slot), word('outer'))
  t.equal(world.state.storage(inner.address, slot), `0x${'00'.repeat(32)}`)
})

t.test('static calls cannot change state, calls cannot nest without end', async (t) => {
  let depth = 0
  const nested = probe((host) => {
    depth++
    host.call(PROBE, nested.abi.encodeCall('go', {}))
  })
  t.match(nested.outcome(), { status: 0, error: 'REVERTED' })
  t.equal(depth, 17)
  const changing = probe((host) => {
    if (host.static) host.store(word('s'), word('v'))
    else host.staticCall(PROBE, changing.abi.encodeCall('go', {}))
  })
  const outcome = changing.outcome()
  t.equal(changing.abi.decodeError(outcome.revertData!)?.args.message, 'state change in a static call')
})

t.test('gas meters every write: a loop ends at the limit', async (t) => {
  let writes = 0
  const { outcome } = probe((host) => {
    for (;;) {
      host.store(word(`${writes}`), word('v'))
      writes++
    }
  })
  t.match(outcome(), { status: 0, error: 'OUT_OF_GAS', gasUsed: 10_000_000n })
  t.ok(writes < 10_000_000 / GAS_STORE)
})

t.test('a defect in a contract is no revert', async (t) => {
  const { outcome } = probe(() => {
    throw new TypeError('defect')
  })
  t.throws(outcome, TypeError)
})

t.test('block context reaches the contract', async (t) => {
  let seen: unknown
  const { world, outcome } = probe((host) => {
    seen = [host.block, toHex(host.keccak(EMPTY_BYTES))]
  })
  outcome()
  t.same(seen, [world.block, '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'])
})
