/** The node as its RPC sees it: ChainApi over the final chain, the pool, consensus and the peers. */
import { type EngineView, type SealerView, withConnections } from '../consensus/describe.js'
import type { Engine } from '../consensus/engine.js'
import { explain } from '../consensus/explain.js'
import { encodeBlock } from '../core/block.js'
import { type Address, EMPTY_BYTES, type Epoch, type Hash, type Height, ZERO_ADDRESS } from '../core/bytes.js'
import type { Header } from '../core/header.js'
import { readVanity } from '../core/seal.js'
import { keccak256 } from '../crypto/keccak.js'
import type { Network } from '../p2p/network.js'
import type {
  AccessListOutcome,
  AccountProof,
  AccountView,
  CallOutcome,
  CallRequest,
  CertificateView,
  ChainApi,
  ChainState,
  ChainTransaction,
  ConsensusStatus,
  ConsensusView,
  EstimateOutcome,
  FinalBlock,
  FinalBlockEvent,
  GenesisProof,
  Head,
  PeerView,
  PoolView,
  Readiness,
  SealerSetView,
  SealerStanding,
  SubmitResult,
  SyncStatus,
  TransactionPlace,
  Unsubscribe,
} from '../rpc/chainApi.js'
import type { ChainStore, StoredBlock } from '../state/chainStore.js'
import { accessListOf, callContract, estimateGas } from '../vm/call.js'
import type { ContractRegistry } from '../vm/contract.js'
import type { FinalCalls } from './finalCalls.js'
import type { FinalChain } from './finalChain.js'
import type { HistoryStatus } from './historySync.js'
import type { Mempool } from './mempool.js'
import type { BlockSync } from './sync.js'
import type { Transactions } from './transactions.js'

export interface ChainViewNeeds {
  readonly name: string
  readonly chainId: number
  readonly clientVersion: string
  readonly genesisHash: Hash
  readonly genesisProof: () => GenesisProof
  readonly self: Address
  readonly store: ChainStore
  readonly chain: FinalChain
  readonly calls: FinalCalls
  readonly pool: Mempool
  readonly transactions: Transactions
  readonly registry: ContractRegistry
  readonly engine: Engine
  readonly network: Network
  readonly sync: BlockSync
  /** How far the blocks below a snapshot are fetched; undefined where none are. */
  readonly history: () => HistoryStatus | undefined
  /** Monotonic, as handed to the engine, and since 1970; both in ms. */
  readonly clocks: { readonly monotonic: () => number; readonly wall: () => number }
}

export class ChainView implements ChainApi {
  readonly #needs: ChainViewNeeds
  readonly chainId: number
  readonly clientVersion: string
  readonly genesisHash: Hash
  readonly contracts: Readonly<Record<string, Address>>
  readonly #blockListeners = new Set<(event: FinalBlockEvent) => void>()
  readonly #pendingListeners = new Set<(transaction: ChainTransaction) => void>()

  constructor(needs: ChainViewNeeds) {
    this.#needs = needs
    this.chainId = needs.chainId
    this.clientVersion = needs.clientVersion
    this.genesisHash = needs.genesisHash
    this.contracts = Object.fromEntries([...needs.registry.values()].map(({ name, address }) => [name, address]))
    needs.chain.onFinal(({ sealed, block, receipts }) => {
      if (this.#blockListeners.size === 0) return
      const event = { hash: sealed.hash, block, sizeBytes: sealed.payload.length, receipts }
      for (const listener of this.#blockListeners) listener(event)
    })
  }

  keccak256(bytes: Uint8Array): Uint8Array {
    return keccak256(bytes)
  }

  head(): Head {
    const { hash, header } = this.#needs.chain.head()
    return { hash, header }
  }

  blockByNumber(number: Height): FinalBlock | undefined {
    const hash = this.#needs.store.canonicalHash(number)
    const block = this.#needs.store.blockByNumber(number)
    return hash === undefined || block === undefined ? undefined : finalBlock(hash, block)
  }

  blockByHash(hash: Hash): FinalBlock | undefined {
    const block = this.#needs.store.blockByHash(hash)
    return block === undefined ? undefined : finalBlock(hash, block)
  }

  hashOf(number: Height): Hash | undefined {
    return this.#needs.store.canonicalHash(number)
  }

  heightOf(hash: Hash): Height | undefined {
    return this.#needs.store.heightOf(hash)
  }

  headerByNumber(number: Height): Header | undefined {
    return this.#needs.store.headerByNumber(number)
  }

  receipts(number: Height) {
    return this.#needs.store.receipts(number)
  }

  locate(hash: Hash): TransactionPlace | undefined {
    const place = this.#needs.store.transactionLocation(hash)
    return place === undefined ? undefined : { blockNumber: place.height, index: place.index }
  }

  pendingTransaction(hash: Hash): ChainTransaction | undefined {
    return this.#needs.pool.get(hash)
  }

  pendingNonce(address: Address): bigint {
    return this.#needs.pool.pendingNonce(address) ?? this.#needs.store.state().account(address)?.nonce ?? 0n
  }

  state(number: Height): ChainState | undefined {
    const { store, registry, calls } = this.#needs
    const state = store.stateAt(number)
    const header = store.headerByNumber(number)
    if (state === undefined || header === undefined) return undefined
    const context = calls.context(header)
    return {
      account: (address): AccountView | undefined => state.account(address),
      code: (address) => (state.account(address) === undefined ? EMPTY_BYTES : state.code(address)),
      storage: (address, slot) => state.storage(address, slot),
      call: (request: CallRequest): CallOutcome => callContract(state, context, request, registry),
      estimateGas: (request: CallRequest): EstimateOutcome => estimateGas(state, context, request, registry),
      accessList: (request: CallRequest): AccessListOutcome => accessListOf(state, context, request, registry),
      prove: (address, slots): AccountProof => {
        const { account, proof, storage } = store.prove(address, slots, state)
        const storageProof = storage.map(({ slot, word, proof }) => ({ slot, value: word, proof }))
        return { ...account, accountProof: proof, storageProof }
      },
    }
  }

  oldestState(): Height {
    return this.#needs.store.oldestState()
  }

  oldestBlock(): Height {
    return this.#needs.store.oldestBlock()
  }

  submitTransaction(raw: Uint8Array): SubmitResult {
    return this.#needs.transactions.submit(raw)
  }

  poolCounts() {
    const { size, executable } = this.#needs.pool
    return { pending: executable, queued: size - executable }
  }

  pool(): PoolView {
    const pending: ChainTransaction[] = []
    const queued: ChainTransaction[] = []
    for (const { tx, executable } of this.#needs.pool.all()) (executable ? pending : queued).push(tx)
    return { pending, queued }
  }

  onFinalBlock(listener: (event: FinalBlockEvent) => void): Unsubscribe {
    this.#blockListeners.add(listener)
    return () => this.#blockListeners.delete(listener)
  }

  onPendingTransaction(listener: (transaction: ChainTransaction) => void): Unsubscribe {
    this.#pendingListeners.add(listener)
    return () => this.#pendingListeners.delete(listener)
  }

  /** Tells subscribers of a transaction that has become executable. */
  announcePending(transaction: ChainTransaction): void {
    for (const listener of this.#pendingListeners) listener(transaction)
  }

  syncing(): SyncStatus {
    return this.#needs.sync.status()
  }

  readiness(): Readiness {
    const reasons: string[] = []
    const view = this.#engineView()
    if (view.halted !== 'no') reasons.push(`consensus is halted: ${view.halted}`)
    const syncing = this.syncing()
    if (syncing !== false) reasons.push(`syncing: at block ${syncing.currentBlock} of ${syncing.highestBlock}`)
    const connected = this.#needs.network.peers().some((peer) => peer.connected)
    if (this.#isSealer()) {
      const missing = view.sealers.filter((sealer) => !sealer.connected).map((sealer) => sealer.address)
      if (view.quorum !== 'reached') reasons.push(`no quorum of sealers is connected; missing: ${missing.join(', ')}`)
    } else if (!connected) reasons.push('no peer is connected, and this node seals no blocks of its own')
    if (connected && !this.#needs.sync.compared)
      reasons.push('this node has not found a peer yet that is no further than itself')
    return { ready: reasons.length === 0, reasons }
  }

  peers(): readonly PeerView[] {
    return this.#needs.network.peers().map(({ address, name, connected, rttMs }) => ({
      address,
      connected,
      ...(name === undefined ? {} : { name }),
      ...(rttMs === undefined ? {} : { rttMs }),
    }))
  }

  certificate(number: Height): CertificateView | undefined {
    const found = this.#needs.chain.certificateFor(number)
    if (found === undefined) return undefined
    const { kind, epoch, view, block, signers, signatures } = found.certificate
    const sealers = this.#needs.chain.setOf(epoch)?.sealers ?? []
    const addresses = signers.map((index) => sealers[index]?.address ?? ZERO_ADDRESS)
    return { blockNumber: found.height, blockHash: block, kind, epoch, view, signers: addresses, signatures }
  }

  genesisProof(): GenesisProof {
    return this.#needs.genesisProof()
  }

  epochEnd(epoch: Epoch): Height | undefined {
    return this.#needs.chain.closing(epoch)
  }

  sealers(number: Height): SealerSetView | undefined {
    const { chain, store } = this.#needs
    if (number === chain.head().height + 1) return chain.set
    const header = store.headerByNumber(number)
    return header === undefined ? undefined : chain.setOf(readVanity(header.extraData).epoch)
  }

  consensusStatus(): ConsensusStatus {
    const { epoch, view, leader, finalView, finalHeight } = this.#needs.engine.describe()
    const { self, history } = this.#needs
    const standing = { self, isSealer: this.#isSealer(), history: history() ?? null }
    return { epoch, view, leader, finalView, finalHeight, ...standing }
  }

  #isSealer(): boolean {
    return this.#needs.chain.set.sealers.some((sealer) => sealer.address === this.#needs.self)
  }

  consensus(): ConsensusView {
    const { self, name, network, clocks } = this.#needs
    const view = this.#engineView()
    const names = new Map(network.peers().map((peer) => [peer.address, peer.name]))
    const nameOf = (address: Address) => (address === self ? name : names.get(address))
    return {
      self,
      name,
      epoch: view.epoch,
      view: view.view,
      leader: view.leader,
      finalHeight: view.finalHeight,
      finalHash: view.finalHash,
      finalView: view.finalView,
      halted: view.halted,
      haltReason: view.haltReason,
      inDoubt: view.votesFrom !== undefined,
      stage: view.stage,
      stageView: view.stageView,
      stageAgeMs: view.stageSince === null ? null : view.now - view.stageSince,
      givenUpInMs: view.overdueAt === null ? null : Math.max(0, view.overdueAt - view.now),
      weightTotal: view.weightTotal,
      weightConnected: view.weightConnected,
      weightQuorum: view.weightQuorum,
      sealers: view.sealers.map((sealer) => standing(sealer, view.now, nameOf(sealer.address))),
      missingBlocks: view.missingBlocks,
      missingCertificates: view.missingCertificates,
      why: explain(view, (address) => nameOf(address) ?? address),
      clockMs: clocks.wall(),
    }
  }

  /** The engine's view with the connections that are there. */
  #engineView(): EngineView {
    const { engine, network, self, clocks } = this.#needs
    const connected = new Set(network.peers().flatMap((peer) => (peer.connected ? [peer.address] : [])))
    return withConnections(engine.describe(clocks.monotonic()), (address) => address === self || connected.has(address))
  }
}

function standing(sealer: SealerView, now: number, name: string | undefined): SealerStanding {
  const { address, weight, connected, heardAt, notarized, nullified, awaited } = sealer
  return {
    address,
    ...(name === undefined ? {} : { name }),
    weight,
    connected,
    heardAgeMs: heardAt === null ? null : Math.max(0, now - heardAt),
    vote: nullified ? 'nullify' : notarized ? 'notarize' : 'none',
    awaited,
  }
}

function finalBlock(hash: Hash, block: StoredBlock): FinalBlock {
  return { hash, block, sizeBytes: encodeBlock(block).length }
}
