/** eth_getProof held by @ethereumjs/trie to the state root of the header: accounts and slots, there and absent, block after block. */
import { Trie } from '@ethereumjs/trie'
import t, { type Test } from 'tap'
import { fromRlp, type Hex, hexToBytes } from 'viem'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { keccakHash } from '../../src/crypto/keccak.js'
import { addressOf, type Live, recentBlocks, sharing, startLive } from './liveChain.js'

interface Proof {
  readonly accountProof: readonly Hex[]
  readonly balance: Hex
  readonly nonce: Hex
  readonly codeHash: Hex
  readonly storageHash: Hex
  readonly storageProof: readonly { readonly key: Hex; readonly value: Hex; readonly proof: readonly Hex[] }[]
}

const verifier = new Trie({ useKeyHashing: true })
const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'
const EMPTY_CODE = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'

/** RLP that the trie of `root` holds under `key`; undefined when the proof shows that there is nothing. Throws on a wrong proof. */
async function proven(root: Hex, key: Hex, proof: readonly Hex[]): Promise<Hex | undefined> {
  const nodes = proof.map((node) => hexToBytes(node))
  const value = await verifier.verifyProof(hexToBytes(root), hexToBytes(key), nodes)
  return value === null ? undefined : (`0x${Buffer.from(value).toString('hex')}` as Hex)
}

const quantityOf = (bytes: Hex) => (bytes === '0x' ? 0n : BigInt(bytes))

interface Header {
  readonly number: Hex
  readonly stateRoot: Hex
}

const headerOf = async ({ rpc }: Live, block: string) =>
  (await rpc('eth_getHeaderByNumber', [block])).result as unknown as Header

async function checkAccount(
  t: Test,
  { rpc }: Live,
  address: Hex,
  slots: readonly Hex[],
  { number, stateRoot: root }: Header,
): Promise<Proof> {
  const proof = (await rpc('eth_getProof', [address, slots, number])).result as Proof
  const account = await proven(root, address, proof.accountProof)
  if (account === undefined) {
    t.match(proof, { nonce: '0x0', balance: '0x0', codeHash: EMPTY_CODE, storageHash: EMPTY_ROOT }, `${address} absent`)
  } else {
    const [nonce, balance, storageHash, codeHash] = fromRlp(account) as [Hex, Hex, Hex, Hex]
    t.equal(BigInt(proof.nonce), quantityOf(nonce))
    t.equal(BigInt(proof.balance), quantityOf(balance))
    t.same([proof.storageHash, proof.codeHash], [storageHash, codeHash], `${address} is there`)
  }
  for (const { key, value, proof: nodes } of proof.storageProof) {
    const found = proof.storageHash === EMPTY_ROOT ? undefined : await proven(proof.storageHash, key, nodes)
    t.equal(found === undefined ? 0n : quantityOf(fromRlp(found) as Hex), BigInt(value), `slot ${key}`)
    t.equal(BigInt((await rpc('eth_getStorageAt', [address, key, number])).result as Hex), BigInt(value))
  }
  return proof
}

const absentAccount = `0x${'a7'.repeat(20)}` as const
const absentSlots = [`0x${'00'.repeat(32)}`, `0x${'fe'.repeat(32)}`, keccakHash(new Uint8Array(3))] as Hex[]

interface Access {
  readonly accessList: readonly { readonly address: Hex; readonly storageKeys: readonly Hex[] }[]
}

/** The call of a member's last transaction. */
async function rotation({ rpc }: Live) {
  const block = (await rpc('eth_getBlockByNumber', ['latest', true])).result as { transactions: Record<string, Hex>[] }
  const { from, to, input } = block.transactions[0]!
  return { from, to, input }
}

t.test('accounts and slots verify, present and absent, on the states of many blocks', async (t) => {
  const live = await startLive(t)
  const { chain, rpc } = live
  const { question, answer } = await sharing(chain)
  for (let block = 0; block < 40; block++) {
    chain.send('finance', 'members', 'rotateEncryptionKey', { encryptionKey: keccakHash(Uint8Array.of(block)) })
    await chain.seal()
    if (block % 13 !== 0) continue
    const header = await headerOf(live, 'latest')
    for (const hash of [question, answer]) {
      const { from, to, input } = (await rpc('eth_getTransactionByHash', [hash])).result as Record<string, Hex>
      const access = (await rpc('eth_createAccessList', [{ from, to, input }])).result as Access
      t.ok(access.accessList.length > 1, 'contracts read each other')
      for (const { address, storageKeys } of access.accessList) {
        const { storageProof } = await checkAccount(t, live, address, [...storageKeys, ...absentSlots], header)
        t.ok(
          storageProof.some(({ value }) => value !== '0x0'),
          'some are set',
        )
        t.ok(
          storageProof.some(({ value }) => value === '0x0'),
          'some are not',
        )
      }
    }
    const accounts = [addressOf('operator'), addressOf('finance'), absentAccount]
    for (const address of accounts) await checkAccount(t, live, address, absentSlots, header)
  }
  const latest = await headerOf(live, 'latest')
  for (const address of Object.values(CONTRACT_ADDRESSES)) {
    const proof = await checkAccount(t, live, address, [], latest)
    const code = (await rpc('eth_getCode', [address])).result as Hex
    t.equal(keccakHash(hexToBytes(code)), proof.codeHash, 'code is what its hash says')
  }
  const { accountProof } = await checkAccount(t, live, CONTRACT_ADDRESSES.members, [], latest)
  await t.rejects(proven(EMPTY_ROOT, CONTRACT_ADDRESSES.members, accountProof), 'the verifier refuses another root')

  const oldest = Number(latest.number) - recentBlocks
  for (const height of [oldest, oldest + 7, Number(latest.number) - 1]) {
    const past = await headerOf(live, `0x${height.toString(16)}`)
    t.not(past.stateRoot, latest.stateRoot)
    const changed = (await rpc('eth_createAccessList', [await rotation(live), past.number])).result as Access
    const [{ address, storageKeys } = { address: absentAccount, storageKeys: [] }] = changed.accessList
    await checkAccount(t, live, address, [...storageKeys, ...absentSlots], past)
    await checkAccount(t, live, addressOf('finance'), [], past)
    await checkAccount(t, live, absentAccount, absentSlots, past)
  }
  const below = `0x${(oldest - 1).toString(16)}`
  const kept = `this node keeps those of blocks ${oldest} to ${Number(latest.number)}`
  for (const [method, params] of [
    ['eth_getProof', [absentAccount, [], below]],
    ['eth_getBalance', [absentAccount, below]],
    ['eth_getTransactionBySenderAndNonce', [addressOf('enterprise'), '0x0']],
  ] as const) {
    const { error } = await rpc(method, params)
    t.equal(error?.code, -32000)
    t.match(error?.message, `missing trie node: state of block ${oldest - 1} is not kept, ${kept}`, method)
  }
  t.same(live.defects, [])
})
