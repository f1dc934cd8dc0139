/** verifyProof against tries and proofs of @ethereumjs/trie: what is there, what is not, and what was changed on the way. */
import { RLP } from '@ethereumjs/rlp'
import { Trie } from '@ethereumjs/trie'
import fc from 'fast-check'
import t from 'tap'
import { type GetProofReturnType, getAddress, hexToBytes, pad, toHex } from 'viem'
import { type ProvedAccount, verifyProof } from '../../src/client/index.js'
import type { Hex } from '../../src/core/bytes.js'

interface AccountModel {
  readonly nonce: bigint
  readonly balance: bigint
}

interface Model {
  /** More than the account that is asked about. */
  readonly accounts: ReadonlyMap<Hex, AccountModel>
  readonly about: Hex
  /** Of that account. */
  readonly storage: ReadonlyMap<Hex, bigint>
  readonly slots: readonly Hex[]
}

const CODE_HASH = `0x${'c0'.repeat(32)}` as const
const hexes = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value): Hex => toHex(value))
const word = fc.oneof(fc.bigInt({ min: 1n, max: 127n }), fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }))
const account = fc.record({
  nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  balance: fc.bigInt({ min: 0n, max: 2n ** 128n }),
})
/** One of `keys`, or a key that is hardly among them. */
const oneOf = (keys: readonly Hex[], bytes: number) =>
  keys.length === 0
    ? hexes(bytes)
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: hexes(bytes) })
const tableOf = <T>(bytes: number, value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(hexes(bytes), value), { maxLength: 24, size: 'max' }).map((entries) => new Map(entries))

const model: fc.Arbitrary<Model> = fc.tuple(tableOf(20, account), tableOf(32, word)).chain(([accounts, storage]) =>
  fc.record({
    accounts: fc.constant(accounts),
    about: oneOf([...accounts.keys()], 20),
    storage: fc.constant(storage),
    slots: fc.uniqueArray(oneOf([...storage.keys()], 32), { minLength: 1, maxLength: 4 }),
  }),
)

const newTrie = () => new Trie({ useKeyHashing: true })
const minimal = (value: bigint): Uint8Array => (value === 0n ? new Uint8Array() : hexToBytes(toHex(value)))

async function storageTrie(storage: ReadonlyMap<Hex, bigint>): Promise<Trie> {
  const trie = newTrie()
  for (const [key, value] of storage) await trie.put(hexToBytes(key), RLP.encode(minimal(value)))
  return trie
}

async function stateTrie({ accounts, about, storage }: Model): Promise<Trie> {
  const trie = newTrie()
  for (const [key, { nonce, balance }] of accounts) {
    const words = await storageTrie(key === about ? storage : new Map())
    await trie.put(hexToBytes(key), RLP.encode([minimal(nonce), minimal(balance), words.root(), hexToBytes(CODE_HASH)]))
  }
  return trie
}

const proofIn = async (trie: Trie, key: Hex): Promise<Hex[]> =>
  (await trie.createProof(hexToBytes(key))).map((node) => toHex(node))

/** Only the nodes are true: what stands beside them must not count. */
async function proofOf(
  trie: Trie,
  { accounts, storage }: Model,
  about: Hex,
  slots: readonly Hex[],
): Promise<GetProofReturnType> {
  const words = await storageTrie(accounts.has(about) ? storage : new Map())
  const storageProof = []
  for (const key of slots) storageProof.push({ key, value: 99n, proof: await proofIn(words, key) })
  const lies = { balance: 7n, nonce: 7, codeHash: `0x${'11'.repeat(32)}`, storageHash: `0x${'22'.repeat(32)}` } as const
  return { address: getAddress(about), ...lies, accountProof: await proofIn(trie, about), storageProof }
}

function truth({ accounts, about, storage, slots }: Model) {
  const found = accounts.get(about)
  return {
    address: about,
    account: found ? { ...found, codeHash: CODE_HASH } : null,
    storage: slots.map((key) => [key, (found && storage.get(key)) ?? 0n] as const),
  }
}

const told = ({ storage, ...rest }: ProvedAccount) => ({ ...rest, storage: [...storage] })

t.test('says what the trie says, of what is there and of what is not', async (t) => {
  const seen = { accounts: 0, nothing: 0, words: 0, empty: 0 }
  await fc.assert(
    fc.asyncProperty(model, async (model) => {
      const trie = await stateTrie(model)
      const expected = truth(model)
      const proved = verifyProof(toHex(trie.root()), await proofOf(trie, model, model.about, model.slots))
      t.same(told(proved), expected)
      seen[expected.account ? 'accounts' : 'nothing']++
      for (const [, value] of expected.storage) seen[value > 0n ? 'words' : 'empty']++
    }),
    { numRuns: 150 },
  )
  t.ok(
    Object.values(seen).every((count) => count > 15),
    `all kinds were met: ${JSON.stringify(seen)}`,
  )
})

type Change = (nodes: readonly Hex[], pick: (count: number) => number, other: readonly Hex[]) => Hex[]

const replaced = (nodes: readonly Hex[], at: number, node: Hex): Hex[] => nodes.with(at, node)

const CHANGES: Readonly<Record<string, Change>> = {
  'a bit flipped': (nodes, pick) => {
    const at = pick(nodes.length)
    const bytes = hexToBytes(nodes[at]!)
    const index = pick(bytes.length)
    bytes[index] = bytes[index]! ^ (1 << pick(8))
    return replaced(nodes, at, toHex(bytes))
  },
  'a node left out': (nodes, pick) => nodes.toSpliced(pick(nodes.length), 1),
  'cut short': (nodes, pick) => nodes.slice(0, pick(nodes.length)),
  'a node cut short': (nodes, pick) => {
    const at = pick(nodes.length)
    const node = nodes[at]!
    return replaced(nodes, at, node.slice(0, 2 + 2 * pick((node.length - 2) / 2)) as Hex)
  },
  'turned round': (nodes) => nodes.toReversed(),
  'another key’s proof': (_nodes, _pick, other) => [...other],
  'a node of another key’s proof': (nodes, pick, other) =>
    other.length === 0 ? [] : replaced(nodes, pick(nodes.length), other[pick(other.length)]!),
}

t.test('a changed proof proves the same or nothing', async (t) => {
  let refused = 0
  const changed = fc.record({
    model,
    kind: fc.constantFrom(...Object.keys(CHANGES)),
    inStorage: fc.boolean(),
    picks: fc.infiniteStream(fc.nat()),
  })
  await fc.assert(
    fc.asyncProperty(changed, async ({ model, kind, inStorage, picks }) => {
      const trie = await stateTrie(model)
      const pick = (count: number) => picks.next().value % Math.max(count, 1)
      const one = (keys: Iterable<Hex>, otherwise: Hex) => [...keys].at(pick([...keys].length)) ?? otherwise
      const genuine = await proofOf(trie, model, model.about, model.slots)
      const other = inStorage ? model.about : one(model.accounts.keys(), model.about)
      const foreign = await proofOf(trie, model, other, [one(model.storage.keys(), model.slots[0]!)])
      const alter = (nodes: readonly Hex[], others: readonly Hex[]) =>
        nodes.length === 0 ? [...others] : CHANGES[kind]!(nodes, pick, others)
      const others = foreign.storageProof[0]!.proof
      const altered = inStorage
        ? { storageProof: genuine.storageProof.map((entry) => ({ ...entry, proof: alter(entry.proof, others) })) }
        : { accountProof: alter(genuine.accountProof, foreign.accountProof) }
      try {
        t.same(told(verifyProof(toHex(trie.root()), { ...genuine, ...altered })), truth(model), kind)
      } catch (error) {
        refused++
        t.match(error, { name: 'ClientError', code: 'PROOF' }, kind)
      }
    }),
    { numRuns: 300 },
  )
  t.ok(refused > 100, `${refused} were refused`)
})

const about = pad('0x1', { size: 20 })
const slots = [pad('0x0')]
const small: Model = {
  accounts: new Map([[about, { nonce: 1n, balance: 1n }]]),
  about,
  storage: new Map([[slots[0]!, 5n]]),
  slots,
}

t.test('under another root it proves nothing', async (t) => {
  const trie = await stateTrie(small)
  const proof = await proofOf(trie, small, about, slots)
  t.match(verifyProof(toHex(trie.root()), proof).account, { nonce: 1n })
  t.throws(() => verifyProof(`0x${'11'.repeat(32)}`, proof), { name: 'ClientError', code: 'PROOF' })
})

t.test('what is no proof at all is refused as one', async (t) => {
  const trie = await stateTrie(small)
  const proof = await proofOf(trie, small, about, slots)
  const nonsense = [
    { address: '0x1' },
    { accountProof: ['0xzz'] },
    { accountProof: ['0x1'] },
    { accountProof: [7] },
    { accountProof: undefined },
    { accountProof: Array(66).fill('0x') },
    { storageProof: [{ key: '0x0', value: 0n, proof: 'nodes' }] },
    { storageProof: [{ key: 'slot', value: 0n, proof: [] }] },
    { storageProof: undefined },
  ]
  for (const changes of nonsense) {
    const altered = { ...proof, ...changes } as GetProofReturnType
    const refused = { name: 'ClientError', code: 'PROOF', message: /^the proof does not hold: / }
    t.throws(() => verifyProof(toHex(trie.root()), altered), refused, `${Object.keys(changes)}`)
  }
})
