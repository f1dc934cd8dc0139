/** Parts of a node over a store in memory, with real keys, blocks and certificates; only the network is recorded instead of sent. */
import { formCertificate } from '../../src/consensus/certificate.js'
import { createEngine, type Engine } from '../../src/consensus/engine.js'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import type {
  Certificate,
  ConsensusTimers,
  Effect,
  Proposal,
  SealedBlock,
  SealerSet,
  SignedVote,
  VoteKind,
} from '../../src/consensus/types.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { endBlock } from '../../src/contracts/epoch.js'
import type { GenesisConfig } from '../../src/contracts/genesisTypes.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { sealerSetOf, sealersInterface } from '../../src/contracts/sealers.js'
import {
  type Address,
  asEpoch,
  asHeight,
  asView,
  EMPTY_BYTES,
  type Hash,
  toAddress,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import type { UnsignedTransaction } from '../../src/core/transaction.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { type RecoveredTransaction, signTransaction } from '../../src/crypto/transaction.js'
import { Blocks, type BlocksNeeds, type Candidate } from '../../src/node/blocks.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { buildGenesis } from '../../src/node/genesis.js'
import { Mempool, type MempoolOptions } from '../../src/node/mempool.js'
import { sealedBlockReader } from '../../src/node/sealedBlock.js'
import { type AdmissionState, Transactions } from '../../src/node/transactions.js'
import { voteRecoverer, voteSigner } from '../../src/node/votes.js'
import type { Channel, Network, PeerInfo } from '../../src/p2p/network.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { MemoryStore } from '../../src/state/store/memory.js'

export const CHAIN_ID = 20_261
export const GAS_LIMIT = 1_000_000n
/** Wall clock of the tests, in ms. */
export const NOW = 1_800_000_000_123

export const sealerKeys = [1, 2, 3, 4].map((n) => new Uint8Array(32).fill(n))
export const sealers: readonly Address[] = sealerKeys.map(privateKeyToAddress)
/** Keys of funded accounts. */
export const accountKeys = [11, 12, 13].map((n) => new Uint8Array(32).fill(n))
export const accounts: readonly Address[] = accountKeys.map(privateKeyToAddress)
export const someone = toAddress(new Uint8Array(20).fill(0x77))

export const genesis: GenesisConfig = {
  chainId: CHAIN_ID,
  timestamp: 1_700_000_000,
  gasLimit: GAS_LIMIT,
  sealers: sealers.map((address) => ({ address, weight: 1 })),
  members: [],
  attributes: [],
  alloc: accounts.map((address) => ({ address, balance: 1_000_000n })),
  // Sealers may leave one after the other, so that tests have epochs.
  consensus: { sealersMin: 1 },
}
export const genesisHash = buildGenesis(genesis).hash
export const sealerSet: SealerSet = sealerSetOf(buildGenesis(genesis).overlay)
const context = { chainId: CHAIN_ID, genesisHash }
export const recoverVote = voteRecoverer(context)

export interface TransferParts extends Partial<UnsignedTransaction> {
  readonly key?: Uint8Array
}

/** A transfer of 1 wei by the first account. */
export function transfer(nonce: number, { key = accountKeys[0]!, ...changes }: TransferParts = {}) {
  const unsigned: UnsignedTransaction = {
    type: 2,
    chainId: BigInt(CHAIN_ID),
    nonce: BigInt(nonce),
    gasPrice: 0n,
    maxPriorityFeePerGas: 0n,
    gasLimit: 100_000n,
    to: someone,
    value: 1n,
    data: EMPTY_BYTES,
    accessList: [],
    ...changes,
  }
  return signTransaction(unsigned, key)
}

/** What another chain would make of `context`. */
export function signerOf(index: number, chainId = CHAIN_ID) {
  return voteSigner({ ...context, chainId }, sealerKeys[index]!)
}

export function voteBy(index: number, kind: VoteKind, view: number, block: Hash = ZERO_HASH, epoch = 0): SignedVote {
  const vote = { kind, epoch: asEpoch(epoch), view: asView(view), block }
  return { ...vote, signer: sealers[index]!, signature: signerOf(index)(vote) }
}

export function certificateBy(
  indices: readonly number[],
  kind: VoteKind,
  view: number,
  block: Hash = ZERO_HASH,
  epoch = 0,
): Certificate {
  const votes = indices.map((i) => [i, voteBy(i, kind, view, block, epoch)] as const)
  return formCertificate(voteBy(0, kind, view, block, epoch), new Map(votes))
}

/** A sealer gives its seat up: the block with it closes its epoch. */
export function leaving(index: number, nonce = 0) {
  const data = sealersInterface.encodeCall('leave', {})
  const call = { to: CONTRACT_ADDRESSES.sealers, value: 0n, data, gasLimit: 900_000n }
  return transfer(nonce, { key: sealerKeys[index]!, ...call })
}

export function proposalOf(block: SealedBlock, changes: Partial<Proposal> = {}): Proposal {
  const vote = voteBy(sealers.indexOf(block.leader), 'notarize', block.view, block.hash)
  return { type: 'proposal', block, parentView: asView(0), justification: [], vote, ...changes }
}

export const timers: ConsensusTimers = {
  viewTimeoutMs: 400,
  viewTimeoutMaxMs: 4_000,
  resendMs: 250,
  idleStatusMs: 3_000,
  inactivityMs: 3_000,
  finalizeGraceMs: 50,
}

/** The engine of a sealer that has nothing but genesis. */
export function engineOf(index: number): Engine {
  const final = { hash: genesisHash, height: asHeight(0), view: asView(0), certificate: null }
  const options = { self: sealers[index]!, schedule: roundRobin, timers, sign: signerOf(index) }
  return createEngine(options, { final, set: sealerSet, journal: [] }, 0)
}

/** Records what is sent; `takes` says whether a peer's queue takes a frame. */
export class RecordedNetwork implements Network {
  readonly sent: { readonly to: Address | 'all'; readonly channel: Channel; readonly frame: Uint8Array }[] = []
  readonly faults: { readonly peer: Address; readonly fault: string }[] = []
  takes: (to: Address) => boolean = () => true
  constructor(readonly self: Address = sealers[0]!) {}
  async start() {}
  async stop() {}
  peers(): readonly PeerInfo[] {
    return []
  }
  send(to: Address, channel: Channel, frame: Uint8Array): boolean {
    const taken = this.takes(to)
    if (taken) this.sent.push({ to, channel, frame })
    return taken
  }
  broadcast(channel: Channel, frame: Uint8Array): number {
    this.sent.push({ to: 'all', channel, frame })
    return 1
  }
  addPeer() {}
  removePeer() {}
  onFrame() {}
  onPeer() {}
  penalize(peer: Address, fault: string): void {
    this.faults.push({ peer, fault })
  }
}

export interface PartsOptions {
  readonly index?: number
  readonly store?: ChainStore
  readonly pool?: MempoolOptions
  readonly admission?: Partial<AdmissionState>
  readonly ingestBytesMax?: number
  readonly blocks?: Partial<BlocksNeeds>
}

/** The parts of one sealer's node, put together as node.ts does. */
export class Parts {
  now = NOW
  readonly network: RecordedNetwork
  readonly pool: Mempool
  readonly transactions: Transactions
  readonly pooled: RecoveredTransaction[] = []
  readonly chain: FinalChain
  readonly blocks: Blocks
  readonly fatal: unknown[] = []
  readonly readBlock = sealedBlockReader(CHAIN_ID)

  private constructor(
    readonly store: ChainStore,
    { index = 0, pool, admission, blocks, ingestBytesMax }: PartsOptions,
  ) {
    const self = sealers[index]!
    this.network = new RecordedNetwork(self)
    this.pool = new Mempool(pool)
    this.transactions = new Transactions({
      chainId: BigInt(CHAIN_ID),
      blockGasLimit: GAS_LIMIT,
      pool: this.pool,
      network: this.network,
      state: {
        nonce: (address) => store.state().account(address)?.nonce ?? 0n,
        balance: (address) => store.state().account(address)?.balance ?? 0n,
        maySend: () => true,
        isEvidence: () => false,
        ...admission,
      },
      now: () => performance.now(),
      relays: (peer) => !sealers.includes(peer),
      onPooled: (tx) => this.pooled.push(tx),
      ...(ingestBytesMax === undefined ? {} : { ingestBytesMax }),
    })
    this.chain = new FinalChain(
      store,
      sealerSet,
      (error) => this.fatal.push(error),
      () => ({ generation: 0, sequence: 1 }),
    )
    this.blocks = new Blocks({
      chainId: CHAIN_ID,
      genesisHash,
      gasLimit: GAS_LIMIT,
      clockDriftMs: 1_000,
      registry: systemContracts,
      schedule: roundRobin,
      endBlock: (state, block, turn) => endBlock(state, block, turn, builtinExtensions),
      head: () => this.chain.ground(),
      isFinal: (hash) => store.heightOf(hash) !== undefined,
      now: () => this.now,
      recover: (raw) => this.transactions.recover(raw),
      select: (nonceOf) => this.pool.candidates(nonceOf),
      discard: (tx) => this.pool.remove(tx),
      privateKey: sealerKeys[index]!,
      self,
      ...blocks,
    })
    this.chain.onFinal(({ sealed, block }) => {
      this.pool.committed(block.transactions)
      this.blocks.prune(sealed.height)
    })
  }

  static async open(options: PartsOptions = {}): Promise<Parts> {
    const store = options.store ?? (await ChainStore.open({ store: new MemoryStore() }))
    await store.init(buildGenesis(genesis))
    return new Parts(store, options)
  }

  /** Builds on `parent`, by default the final head. */
  build(view: number, changes: Partial<Extract<Effect, { type: 'build' }>> = {}): Candidate | null {
    const parent = changes.parent ?? this.chain.head().hash
    const height = asHeight((this.blocks.ground(parent)?.header.number ?? 0) + 1)
    return this.blocks.build({
      type: 'build',
      epoch: this.blocks.ground(parent)?.set.epoch ?? asEpoch(0),
      view: asView(view),
      parent,
      height,
      mayBeEmpty: true,
      ...changes,
    })
  }
}
