/** eth_getProof held by @ethereumjs/trie to the state root of the header: accounts and slots, there and absent, block after block. */
import { Trie } from '@ethereumjs/trie'
import t, { type Test } from 'tap'
import { fromRlp, type Hex, hexToBytes } from 'viem'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { keccakHash } from '../../src/crypto/keccak.js'
import { addressOf, type Live, sharing, startLive } from './liveChain.js'

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

async function checkAccount(t: Test, { rpc }: Live, address: Hex, slots: readonly Hex[], root: Hex): Promise<Proof> {
  const proof = (await rpc('eth_getProof', [address, slots, 'latest'])).result as Proof
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
    t.equal(BigInt((await rpc('eth_getStorageAt', [address, key, 'latest'])).result as Hex), BigInt(value))
  }
  return proof
}

const absentAccount = `0x${'a7'.repeat(20)}` as const
const absentSlots = [`0x${'00'.repeat(32)}`, `0x${'fe'.repeat(32)}`, keccakHash(new Uint8Array(3))] as Hex[]

t.test('accounts and slots verify, present and absent, on the states of many blocks', async (t) => {
  const live = await startLive(t)
  const { chain, rpc } = live
  const { question, answer } = await sharing(chain)
  for (let block = 0; block < 40; block++) {
    chain.send('finance', 'members', 'rotateEncryptionKey', { encryptionKey: keccakHash(Uint8Array.of(block)) })
    await chain.seal()
    if (block % 13 !== 0) continue
    const { stateRoot } = (await rpc('eth_getBlockByNumber', ['latest', false])).result as { stateRoot: Hex }
    for (const hash of [question, answer]) {
      const { from, to, input } = (await rpc('eth_getTransactionByHash', [hash])).result as Record<string, Hex>
      const access = (await rpc('eth_createAccessList', [{ from, to, input }])).result as {
        accessList: { address: Hex; storageKeys: Hex[] }[]
      }
      t.ok(access.accessList.length > 1, 'contracts read each other')
      for (const { address, storageKeys } of access.accessList) {
        const { storageProof } = await checkAccount(t, live, address, [...storageKeys, ...absentSlots], stateRoot)
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
    for (const address of accounts) await checkAccount(t, live, address, absentSlots, stateRoot)
  }
  for (const address of Object.values(CONTRACT_ADDRESSES)) {
    const { stateRoot } = (await rpc('eth_getBlockByNumber', ['latest', false])).result as { stateRoot: Hex }
    const proof = await checkAccount(t, live, address, [], stateRoot)
    const code = (await rpc('eth_getCode', [address])).result as Hex
    t.equal(keccakHash(hexToBytes(code)), proof.codeHash, 'code is what its hash says')
  }
  const { accountProof } = (await rpc('eth_getProof', [CONTRACT_ADDRESSES.members, [], 'latest'])).result as Proof
  await t.rejects(proven(EMPTY_ROOT, CONTRACT_ADDRESSES.members, accountProof), 'the verifier refuses another root')
  t.same(live.defects, [])
})
