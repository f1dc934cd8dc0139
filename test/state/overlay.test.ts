import fc from 'fast-check'
import t from 'tap'
import {
  type Address,
  EMPTY_BYTES,
  type Hash,
  toAddress,
  toHash,
  uintToWord,
  utf8,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../../src/core/header.js'
import { keccakHash } from '../../src/crypto/keccak.js'
import { decodeAccount, EMPTY_ACCOUNT, EMPTY_CODE_HASH, encodeAccount } from '../../src/state/account.js'
import { EMPTY_STATE, type StateLayer } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'

const address = (n: number): Address => toAddress(new Uint8Array(20).fill(n + 1))
const word = (n: number): Hash => toHash(uintToWord(n))

type Operation =
  | { readonly kind: 'storage'; readonly account: number; readonly slot: number; readonly value: number }
  | { readonly kind: 'nonce' | 'balance' | 'remove' | 'code'; readonly account: number; readonly value: number }

const small = fc.nat(3)
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('storage' as const), account: small, slot: small, value: small }),
  fc.record({
    kind: fc.constantFrom('nonce' as const, 'balance' as const, 'code' as const),
    account: small,
    value: small,
  }),
)
/** A transaction: its writes, and whether they are taken back. */
const anyTransaction = fc.record({ operations: fc.array(anyOperation, { maxLength: 8 }), reverted: fc.boolean() })

interface ModelAccount {
  nonce: number
  balance: number
  code: string
  slots: Map<number, number>
}
type Model = Map<number, ModelAccount>

const copyOf = (model: Model): Model => new Map([...model].map(([id, a]) => [id, { ...a, slots: new Map(a.slots) }]))
const codeOf = (value: number): Uint8Array => (value === 0 ? EMPTY_BYTES : utf8(`code ${value}`))

function applyTo(overlay: StateOverlay, model: Model, operation: Operation): void {
  const account = model.get(operation.account) ?? { nonce: 0, balance: 0, code: '', slots: new Map() }
  model.set(operation.account, account)
  const at = address(operation.account)
  if (operation.kind === 'storage') {
    // Every account with storage is written, as a contract is.
    overlay.setNonce(at, BigInt(account.nonce))
    overlay.setStorage(at, word(operation.slot), word(operation.value))
    account.slots.set(operation.slot, operation.value)
  } else if (operation.kind === 'nonce') {
    overlay.setNonce(at, BigInt(operation.value))
    account.nonce = operation.value
  } else if (operation.kind === 'balance') {
    overlay.setBalance(at, BigInt(operation.value))
    account.balance = operation.value
  } else {
    overlay.setCode(at, codeOf(operation.value))
    account.code = new TextDecoder().decode(codeOf(operation.value))
  }
}

function rootOfModel(model: Model): Hash {
  const overlay = new StateOverlay(EMPTY_STATE)
  for (const [id, { nonce, balance, code, slots }] of model) {
    overlay.setAccount(address(id), { ...EMPTY_ACCOUNT, nonce: BigInt(nonce), balance: BigInt(balance) })
    if (code !== '') overlay.setCode(address(id), utf8(code))
    for (const [slot, value] of slots) if (value !== 0) overlay.setStorage(address(id), word(slot), word(value))
  }
  return overlay.root()
}

function sameAsModel(state: StateLayer, model: Model): boolean {
  for (let id = 0; id < 4; id++) {
    const expected = model.get(id)
    const account = state.account(address(id))
    if ((account === undefined) !== (expected === undefined)) return false
    if (expected === undefined) continue
    if (account!.nonce !== BigInt(expected.nonce) || account!.balance !== BigInt(expected.balance)) return false
    if (new TextDecoder().decode(state.code(address(id))) !== expected.code) return false
    for (let slot = 0; slot < 4; slot++) {
      if (state.storage(address(id), word(slot)) !== word(expected.slots.get(slot) ?? 0)) return false
    }
  }
  return true
}

t.test('layers of overlays with reverted transactions read and hash as a plain model does', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyTransaction, { maxLength: 5 }), { minLength: 1, maxLength: 4 }), (blocks) => {
      let below: StateLayer = EMPTY_STATE
      let model: Model = new Map()
      for (const transactions of blocks) {
        const overlay: StateOverlay = new StateOverlay(below)
        for (const { operations, reverted } of transactions) {
          const mark = overlay.checkpoint()
          const before = copyOf(model)
          for (const operation of operations) applyTo(overlay, model, operation)
          if (reverted) {
            overlay.revert(mark)
            model = before
          }
          if (!sameAsModel(overlay, model)) return false
        }
        if (overlay.root() !== rootOfModel(model) || !sameAsModel(overlay, model)) return false
        below = overlay
      }
      return true
    }),
    { numRuns: 300 },
  )
})

t.test('nested checkpoints', async (t) => {
  const overlay = new StateOverlay(EMPTY_STATE)
  overlay.setStorage(address(0), word(1), word(1))
  const outer = overlay.checkpoint()
  overlay.setStorage(address(0), word(1), word(2))
  const inner = overlay.checkpoint()
  overlay.setStorage(address(0), word(1), word(3))
  overlay.setBalance(address(1), 5n)
  overlay.revert(inner)
  t.equal(overlay.storage(address(0), word(1)), word(2))
  t.equal(overlay.account(address(1)), undefined)
  overlay.revert(outer)
  t.equal(overlay.storage(address(0), word(1)), word(1))
  overlay.dropCheckpoints()
  t.equal(overlay.checkpoint(), 0)
  t.throws(() => overlay.revert(outer), /checkpoint/)
})

t.test('a frozen overlay refuses writes and gives its changes without those that changed nothing', async (t) => {
  const below = new StateOverlay(EMPTY_STATE)
  below.setBalance(address(0), 7n)
  below.setStorage(address(0), word(1), word(1))
  below.setBalance(address(1), 1n)
  const overlay = new StateOverlay(below)
  t.throws(() => new StateOverlay(EMPTY_STATE).setBalance(address(0), -1n), /negative/)
  below.root()
  overlay.setBalance(address(0), 8n)
  overlay.setBalance(address(0), 7n)
  overlay.setStorage(address(0), word(1), word(1))
  overlay.setStorage(address(0), word(2), ZERO_HASH)
  t.equal(overlay.root(), below.root())
  const { accounts, storage, accountTrie, storageTries } = overlay.changes()
  t.same([accounts.size, storage.size, accountTrie, storageTries.size], [0, 0, undefined, 0])
  t.throws(() => overlay.setNonce(address(0), 1n), /frozen/)
  t.throws(() => overlay.setStorage(address(0), word(1), word(2)), /frozen/)
  t.throws(() => overlay.revert(0), /frozen/)
})

t.test('removing accounts', async (t) => {
  const below = new StateOverlay(EMPTY_STATE)
  below.setBalance(address(0), 7n)
  below.setStorage(address(1), word(1), word(1))
  const overlay = new StateOverlay(below)
  overlay.setAccount(address(0), undefined)
  overlay.setAccount(address(2), undefined)
  t.equal(overlay.account(address(0)), undefined)
  t.same(overlay.code(address(0)), EMPTY_BYTES)
  overlay.root()
  t.same([...overlay.changes().accounts], [[address(0), null]])
  const bad = new StateOverlay(overlay)
  bad.setAccount(address(1), undefined)
  t.throws(() => bad.root(), /has storage/)
})

t.test('account record', async (t) => {
  const account = { nonce: 3n, balance: 10n ** 20n, storageRoot: EMPTY_TRIE_ROOT, codeHash: keccakHash(utf8('x')) }
  t.same(decodeAccount(encodeAccount(account)), account)
  t.equal(EMPTY_CODE_HASH, keccakHash(EMPTY_BYTES))
  t.throws(() => decodeAccount(encodeAccount(account).subarray(1)))
})
