/**
 * The RPC server of a node over a chain of one sealer in memory: the real store, tries, contracts, pool, blocks and certificates,
 * and no network. Blocks are made when a test says so.
 */
import type { Test } from 'tap'
import { formCertificate } from '../../src/consensus/certificate.js'
import { encodeCertificate } from '../../src/consensus/codec.js'
import { createEngine } from '../../src/consensus/engine.js'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { ROLE } from '../../src/contracts/codes.js'
import { endBlock } from '../../src/contracts/epoch.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { sealerSetOf } from '../../src/contracts/sealers.js'
import { textId } from '../../src/contracts/textId.js'
import {
  type Address,
  asEpoch,
  asHeight,
  asView,
  EMPTY_BYTES,
  type Hash,
  toHex,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import type { UnsignedTransaction } from '../../src/core/transaction.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { type RecoveredTransaction, signTransaction } from '../../src/crypto/transaction.js'
import { Blocks } from '../../src/node/blocks.js'
import { ChainView } from '../../src/node/chainView.js'
import { FinalCalls } from '../../src/node/finalCalls.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { buildGenesis } from '../../src/node/genesis.js'
import { genesisProofReader } from '../../src/node/genesisProof.js'
import { Mempool } from '../../src/node/mempool.js'
import type { BlockSync } from '../../src/node/sync.js'
import { Transactions } from '../../src/node/transactions.js'
import { voteSigner } from '../../src/node/votes.js'
import { startRpcServer } from '../../src/rpc/server.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import {
  BANK_ACCOUNT,
  CAPITAL,
  CHAIN_ID,
  EMPLOYEES,
  ENTERPRISE_ID,
  genesisConfig,
  INTERFACES,
  LEGAL_REPRESENTATIVE,
  PURPOSE,
  profile,
  word,
} from '../contracts/world.js'
import { RecordedNetwork, timers } from '../node/world.js'
import { type Answer, post } from './harness.js'

export type ContractName = keyof typeof INTERFACES

const privateKeys = { operator: 0x51, market: 0x52, finance: 0x53, patents: 0x54, enterprise: 0x55, sealer: 0x56 }
export type Who = keyof typeof privateKeys
const privateKeyOf = (who: Who): Uint8Array => new Uint8Array(32).fill(privateKeys[who])
export const addressOf = (who: Who): Address => privateKeyToAddress(privateKeyOf(who))
export const hexKeyOf = (who: Who) => toHex(privateKeyOf(who))

const member = (who: Who, role: number, id: string) => {
  const encryptionKey = role === ROLE.department ? { encryptionKey: word(`key of ${id}`) } : {}
  return { address: addressOf(who), role, name: `Member ${id}`, id, ...encryptionKey }
}

const genesis = genesisConfig({
  chainId: Number(CHAIN_ID),
  sealers: [{ address: addressOf('sealer'), weight: 1 }],
  members: [
    member('operator', ROLE.operator, 'operator'),
    member('market', ROLE.department, 'market-regulation'),
    member('finance', ROLE.department, 'finance'),
    member('patents', ROLE.department, 'intellectual-property'),
    member('enterprise', ROLE.enterprise, '91440300708461136T'),
  ],
  attributes: [
    profile(CAPITAL, [addressOf('market')]),
    profile(EMPLOYEES, [addressOf('market')]),
    profile(BANK_ACCOUNT, [addressOf('finance')]),
    profile(LEGAL_REPRESENTATIVE, [addressOf('market'), addressOf('finance')]),
  ],
  alloc: [{ address: addressOf('operator'), balance: 1_000n }],
  consensus: { sealersMin: 1 },
})

/** Of which a live chain keeps the state, besides the last. */
export const recentBlocks = 24

const clocks = { monotonic: () => performance.now(), wall: () => Date.now() }

export class LiveChain {
  readonly view: ChainView
  readonly #pool = new Mempool()
  readonly #transactions: Transactions
  readonly #blocks: Blocks
  readonly #chain: FinalChain
  readonly #genesisHash: Hash
  #nextView = 1
  #timeMs = 1_800_000_000_000

  private constructor(store: ChainStore) {
    const { hash: genesisHash, overlay } = buildGenesis(genesis)
    const set = sealerSetOf(overlay)
    const self = addressOf('sealer')
    const chainId = Number(CHAIN_ID)
    this.#genesisHash = genesisHash
    this.#chain = new FinalChain(
      store,
      set,
      (error) => {
        throw error
      },
      () => ({ generation: 0, sequence: 1 }),
    )
    const network = new RecordedNetwork(self)
    this.#transactions = new Transactions({
      chainId: CHAIN_ID,
      blockGasLimit: genesis.gasLimit,
      pool: this.#pool,
      network,
      state: {
        nonce: (address) => store.state().account(address)?.nonce ?? 0n,
        balance: (address) => store.state().account(address)?.balance ?? 0n,
        maySend: () => true,
        isEvidence: () => false,
      },
      now: clocks.monotonic,
      relays: () => false,
      onPooled: (tx) => this.view.announcePending(tx),
    })
    this.#blocks = new Blocks({
      chainId,
      genesisHash,
      gasLimit: genesis.gasLimit,
      clockDriftMs: 1_000,
      registry: systemContracts,
      schedule: roundRobin,
      endBlock: (state, block, turn) => endBlock(state, block, turn, builtinExtensions),
      head: () => this.#chain.ground(),
      isFinal: (hash) => store.heightOf(hash) !== undefined,
      now: () => this.#timeMs,
      recover: (raw) => this.#transactions.recover(raw),
      select: (nonceOf) => this.#pool.candidates(nonceOf),
      discard: (tx) => this.#pool.remove(tx),
      privateKey: privateKeyOf('sealer'),
      self,
    })
    const final = { hash: genesisHash, height: asHeight(0), view: asView(0), certificate: null }
    const sign = voteSigner({ chainId, genesisHash }, privateKeyOf('sealer'))
    const engine = createEngine({ self, schedule: roundRobin, timers, sign }, { final, set, journal: [] }, 0)
    this.view = new ChainView({
      name: 'node1',
      chainId,
      clientVersion: 'concordat/v0.0.0-test/node',
      genesisHash,
      genesisProof: genesisProofReader(genesis),
      self,
      store,
      chain: this.#chain,
      calls: new FinalCalls({ chainId, genesisHash, chain: this.#chain, registry: systemContracts }),
      pool: this.#pool,
      transactions: this.#transactions,
      registry: systemContracts,
      engine,
      network,
      sync: { status: () => false, compared: true } as unknown as BlockSync,
      history: () => undefined,
      clocks,
    })
    this.#chain.onFinal(({ sealed, block }) => {
      this.#pool.committed(block.transactions)
      this.#blocks.prune(sealed.height)
    })
  }

  static async open(): Promise<LiveChain> {
    const store = await ChainStore.open({ store: new MemoryStore(), history: { recentBlocks } })
    await store.init(buildGenesis(genesis))
    return new LiveChain(store)
  }

  /** A signed transaction with the sender's next nonce. */
  sign(who: Who, changes: Partial<UnsignedTransaction>): RecoveredTransaction {
    const unsigned: UnsignedTransaction = {
      type: 2,
      chainId: CHAIN_ID,
      nonce: this.view.pendingNonce(addressOf(who)),
      gasPrice: 7n,
      maxPriorityFeePerGas: changes.type === undefined || changes.type === 2 ? 3n : 7n,
      gasLimit: 5_000_000n,
      to: addressOf('patents'),
      value: 0n,
      data: EMPTY_BYTES,
      accessList: [],
      ...changes,
    }
    return signTransaction(unsigned, privateKeyOf(who))
  }

  /** Puts a call of a system contract into the pool and returns its hash. */
  send(
    who: Who,
    contract: ContractName,
    name: string,
    args: unknown,
    changes: Partial<UnsignedTransaction> = {},
  ): Hash {
    const { encodeCall } = INTERFACES[contract] as unknown as { encodeCall(name: string, args: unknown): Uint8Array }
    const data = encodeCall.call(INTERFACES[contract], name, args)
    return this.submit(this.sign(who, { to: CONTRACT_ADDRESSES[contract], data, ...changes }))
  }

  submit(tx: RecoveredTransaction): Hash {
    const result = this.#transactions.submit(tx.raw)
    if (!result.ok) throw new Error(`${result.code} ${result.detail ?? ''}`)
    return result.hash
  }

  /** Seals what the pool holds. */
  async seal(): Promise<void> {
    const { hash, height } = this.#chain.head()
    const view = asView(this.#nextView++)
    this.#timeMs += 1_000
    const { epoch } = this.#chain.set
    const next = { epoch, view, parent: hash, height: asHeight(height + 1), mayBeEmpty: true }
    const candidate = this.#blocks.build({ type: 'build', ...next })!
    const vote = { kind: 'finalize', epoch: asEpoch(epoch), view, block: candidate.sealed.hash } as const
    const context = { chainId: Number(CHAIN_ID), genesisHash: this.#genesisHash }
    const signature = voteSigner(context, privateKeyOf('sealer'))(vote)
    const signed = { ...vote, signer: addressOf('sealer'), signature }
    await this.#chain.commit(candidate, encodeCertificate(formCertificate(signed, new Map([[0, signed]]))))
  }
}

const ENVELOPE = Uint8Array.of(1, 2, 3)
const keyEpoch = 1n

/** Hashes of the transactions of `sharing`. */
export interface Sharing {
  readonly submission: Hash
  readonly question: Hash
  readonly answer: Hash
  readonly refused: Hash
  readonly transfer: Hash
}

/**
 * A submission, a question, its answer, a registration that a stranger may not make, a transfer: types 0, 1 and 2, several in one block,
 * events of every kind of argument, and one transaction that waits.
 */
export async function sharing(chain: LiveChain): Promise<Sharing> {
  const items = [CAPITAL, EMPLOYEES].map((attribute) => ({ attribute, digest: word(`digest of ${attribute}`) }))
  const attributes = items.map(({ attribute }) => attribute)
  const digests = items.map(({ digest }) => digest)
  const part = { recipient: addressOf('market'), keyEpoch, attributes, digests, envelope: ENVELOPE }
  const about = { enterpriseId: ENTERPRISE_ID, portraitVersion: 1 }
  const document = { ...about, documentHash: word('document') }
  const submission = chain.send('enterprise', 'dataSharing', 'StoreData', { ...document, parts: [part] }, { type: 0 })
  const newMember = {
    account: addressOf('sealer'),
    role: 3,
    id: textId('auditor'),
    name: '审计署',
    encryptionKey: ZERO_HASH,
  }
  chain.send('operator', 'members', 'registerMember', { member: newMember })
  const refused = chain.send('enterprise', 'members', 'registerMember', { member: newMember })
  await chain.seal()
  const sealed = [{ supervisor: addressOf('market'), keyEpoch, envelope: ENVELOPE }]
  const asked = { ...about, purpose: PURPOSE, basis: ZERO_HASH, items, sealed }
  const accessList = [{ address: CONTRACT_ADDRESSES.dataSharing, storageKeys: [ZERO_HASH] }]
  const question = chain.send('patents', 'dataSharing', 'requestVerification', asked, { type: 1, accessList })
  await chain.seal()
  const answers = attributes.map((attribute) => ({ requestId: 1n, attribute, existence: 1, confirmed: true }))
  const answer = chain.send('market', 'dataSharing', 'attest', { answers }, { accessList })
  const transfer = chain.submit(chain.sign('operator', { value: 5n }))
  await chain.seal()
  chain.send('operator', 'members', 'setStatus', { account: addressOf('patents'), status: 1 }, { type: 0 })
  chain.submit(chain.sign('operator', { value: 1n, nonce: chain.view.pendingNonce(addressOf('operator')) + 2n }))
  return { submission, question, answer, refused, transfer }
}

export interface Live {
  readonly chain: LiveChain
  readonly url: string
  readonly wsUrl: string
  readonly defects: unknown[]
  rpc(method: string, params?: unknown): Promise<Answer>
}

/** Closed with the test. */
export async function startLive(t: Test): Promise<Live> {
  const chain = await LiveChain.open()
  const defects: unknown[] = []
  const server = await startRpcServer(
    { host: '127.0.0.1', port: 0 },
    { api: chain.view, onDefect: (error) => defects.push(error) },
  )
  t.teardown(() => server.close())
  const { url } = server
  const rpc = async (method: string, params: unknown = []) =>
    JSON.parse((await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).body) as Answer
  return { chain, url, wsUrl: url.replace('http', 'ws'), defects, rpc }
}
