/** The parts of a node on opened resources, each given what it needs of the others. */
import type { Logger } from 'pino'
import { decodeJournalRecord } from '../consensus/codec.js'
import { createEngine, type Engine } from '../consensus/engine.js'
import { type Extensions, scheduleNamed } from '../consensus/extensions.js'
import type { LeaderSchedule, SealedBlock, SealerSet } from '../consensus/types.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { endBlock } from '../contracts/epoch.js'
import { consensusConfigOf } from '../contracts/genesisDefaults.js'
import type { GenesisConfig } from '../contracts/genesisTypes.js'
import { systemContracts } from '../contracts/registry.js'
import { type Address, asHeight, asView, type Hash } from '../core/bytes.js'
import { readVanity } from '../core/seal.js'
import { secp256k1 } from '../crypto/secp256k1.js'
import { CHANNEL, type Network } from '../p2p/network.js'
import type { ChainStore } from '../state/chainStore.js'
import { AuditService } from './auditService.js'
import { nodeSource, timeMsOf } from './auditSource.js'
import { Blocks, type Candidate } from './blocks.js'
import { EffectCarrier } from './carrier.js'
import type { ChainAddresses } from './chainAddresses.js'
import { ChainView } from './chainView.js'
import type { NodeConfig } from './config.js'
import { confirmer, finalDeliveryChain } from './delivery/chain.js'
import { Delivery } from './delivery/delivery.js'
import type { EnvelopeStore } from './delivery/envelopeStore.js'
import { Demand } from './demand.js'
import { EvidenceReporter } from './evidence.js'
import type { FailStop } from './failStop.js'
import type { FinalCalls } from './finalCalls.js'
import type { FinalChain } from './finalChain.js'
import { genesisProofReader } from './genesisProof.js'
import { type HistoryNeeds, HistorySync } from './historySync.js'
import { Inbox } from './inbox.js'
import { HISTORY_BACKLOG_MAX } from './limits.js'
import { ConsensusLoop } from './loop.js'
import type { Membership } from './membership.js'
import { Mempool } from './mempool.js'
import { createMetrics, type NodeMetrics } from './metrics.js'
import type { OwnJournal } from './ownJournal.js'
import type { Peering } from './peering.js'
import type { ReadLog } from './readLog.js'
import { ReadLogAnchors } from './readLogAnchors.js'
import { PortraitReads } from './readObserver.js'
import { sealedBlockReader } from './sealedBlock.js'
import { BlockSync } from './sync.js'
import { Transactions } from './transactions.js'
import { voteRecoverer, voteSigner } from './votes.js'

export interface NodeOptions {
  readonly config: NodeConfig
  readonly genesis: GenesisConfig
  /** Weight policies and leader schedules from which genesis names its own. */
  readonly extensions: Extensions
  /** 32 bytes: sealer, network and member key of this node. */
  readonly privateKey: Uint8Array
  readonly clientVersion: string
  readonly log: Logger
  /** The operator vouches that this sealer signed nothing that its journal does not know. Default false. */
  readonly acceptLostJournal?: boolean
  /** Called once with what the node cannot go on after; by then it signs nothing any more. */
  readonly onFatal: (error: unknown) => void
}

/** What has to be opened, and in the end closed. */
export interface NodeResources {
  readonly self: Address
  readonly genesisHash: Hash
  /** Sealers of epoch 0. */
  readonly genesisSet: SealerSet
  readonly store: ChainStore
  readonly own: OwnJournal
  readonly envelopes: EnvelopeStore
  readonly chain: FinalChain
  readonly calls: FinalCalls
  readonly membership: Membership
  readonly addresses: ChainAddresses
  readonly peering: Peering
  readonly reads: ReadLog
  readonly network: Network
  readonly failStop: FailStop
}

export interface NodeParts {
  readonly engine: Engine
  readonly loop: ConsensusLoop
  readonly inbox: Inbox
  readonly sync: BlockSync
  readonly history: HistorySync
  readonly transactions: Transactions
  readonly demand: Demand
  readonly delivery: Delivery
  readonly view: ChainView
  readonly metrics: NodeMetrics
  readonly reads: PortraitReads
  readonly audit: AuditService
  readonly anchors: ReadLogAnchors
}

/** Monotonic milliseconds for the consensus core; wall-clock time goes into headers only. */
const monotonic = (): number => performance.now()

export function assemble(options: NodeOptions, resources: NodeResources): NodeParts {
  const { config, genesis, extensions, log } = options
  const { self, genesisHash, store, chain, calls, network, peering, own, failStop } = resources
  const { chainId } = genesis
  const schedule = scheduleNamed(extensions, consensusConfigOf(genesis).leaderSchedule)
  const votes = { chainId, genesisHash }
  const recoverVote = voteRecoverer(votes)
  const readBlock = sealedBlockReader(chainId)
  const nonce = (address: Address) => store.state().account(address)?.nonce ?? 0n

  const pool = new Mempool(config.mempool)
  const transactions: Transactions = new Transactions({
    chainId: BigInt(chainId),
    blockGasLimit: genesis.gasLimit,
    pool,
    network,
    state: {
      nonce,
      balance: (address) => store.state().account(address)?.balance ?? 0n,
      maySend: (address) => resources.membership.maySend(address),
      isEvidence: (tx) => evidence.isNews(tx),
    },
    now: monotonic,
    relays: (peer) => !peering.isSealer(peer),
    onPooled: (tx) => {
      view.announcePending(tx)
      demand.pooled()
    },
  })
  const blocks = new Blocks({
    chainId,
    genesisHash,
    gasLimit: genesis.gasLimit,
    clockDriftMs: config.consensus.clockDriftMs,
    registry: systemContracts,
    schedule,
    endBlock: (state, block, turn) => endBlock(state, block, turn, extensions),
    head: () => chain.ground(),
    isFinal: (hash) => store.heightOf(hash) !== undefined,
    now: Date.now,
    recover: (raw) => transactions.recover(raw),
    select: (nonceOf) => pool.candidates(nonceOf),
    discard: (tx) => pool.remove(tx),
    privateKey: options.privateKey,
    self,
  })
  const engine = openEngine(options, resources, { schedule, readBlock, sign: voteSigner(votes, options.privateKey) })
  const demand: Demand = new Demand(chain.head().hash, {
    pool,
    unfinal: (tip) => blocks.unfinal(tip),
    heartbeatMs: config.consensus.heartbeatMs,
    now: monotonic,
    onChange: (wanted) => loop.push({ type: 'demand', wanted }),
    remind: () => transactions.remind(),
  })
  const evidence = new EvidenceReporter({
    chainId,
    calls,
    nonce,
    submit: (raw) => transactions.submit(raw),
    onEvidence: () => metrics.evidence(),
    log,
  })
  const sync = new BlockSync({
    network,
    now: Date.now,
    rules: { schedule, recoverVote },
    readBlock,
    head: () => chain.queued(),
    epochEnd: (height) => chain.epochEnd(height),
    serve: (height) => chain.serve(height),
    rawReceipts: (height) => store.rawReceipts(height),
    onOtherAnswer: (from, answer) => history.take(from, answer),
    verify: (sealed) => blocks.verify(sealed, true),
    commit: (sealed, certificate) => chain.commit(blocks.candidate(sealed.hash)!, certificate),
    onSynced: (block, certificate, set) => loop.push({ type: 'synced', block, certificate, set }),
    fatal: failStop.raise,
    log: (message, fields) => log.info(fields, message),
  })
  const isBusy = () => loop.backlog > HISTORY_BACKLOG_MAX || chain.pending > 1 || sync.status() !== false
  const history = openHistory(options, resources, { rules: { schedule, recoverVote }, isBusy })
  const carrier = new EffectCarrier({
    network,
    blocks,
    chain,
    demand,
    sync,
    evidence,
    push: (input) => loop.push(input),
    log,
  })
  const loop: ConsensusLoop = new ConsensusLoop({
    engine,
    journal: own.journal,
    now: monotonic,
    work: (effect) => carrier.work(effect),
    carryOut: (effect) => carrier.carryOut(effect),
    fatal: failStop.raise,
  })
  const view: ChainView = new ChainView({
    name: config.name,
    chainId,
    clientVersion: options.clientVersion,
    genesisHash,
    genesisProof: genesisProofReader(options.genesis),
    self,
    store,
    chain,
    calls,
    pool,
    transactions,
    registry: systemContracts,
    engine,
    network,
    sync,
    history: () => (config.sync.history ? history.status() : undefined),
    clocks: { monotonic, wall: Date.now },
  })
  const reads = new PortraitReads({ log: resources.reads, height: () => chain.head().height, now: Date.now })
  const audit = new AuditService({
    chainId,
    self,
    head: () => chain.head().height,
    state: () => store.state(),
    calls,
    timeOf: (height) => Math.floor(timeMsOf(view, height) / 1_000),
    source: (slices) => nodeSource(view, slices),
    log: resources.reads,
    reads,
    nowS: () => Math.floor(Date.now() / 1_000),
  })
  const { anchorEntries, anchorMs } = config.readLog
  const anchors = new ReadLogAnchors(
    { chainId, self, privateKey: options.privateKey, anchorEntries, anchorMs },
    {
      head: () => resources.reads.head,
      state: () => store.state(),
      isMember: () => resources.membership.standing(self) === 'active',
      nonce: (address) => view.pendingNonce(address),
      submit: (raw) => transactions.submit(raw),
      log,
    },
  )
  const delivery = openDelivery(options, resources, {
    pendingNonce: () => view.pendingNonce(self),
    submit: (raw) => transactions.submit(raw),
  })
  const metrics = createMetrics({ name: config.name, engine, pool, chain, store, network, loop, delivery })
  // Registered after the view's own listener; all of them run once the block is on disk.
  chain.onFinal((candidate) => {
    const { sealed, block } = candidate
    pool.committed(block.transactions)
    transactions.advanced()
    blocks.prune(sealed.height)
    followChain(resources, candidate, loop)
    void delivery.finalBlock(
      sealed.height,
      candidate.receipts.flatMap((receipt) => receipt.logs),
    )
    evidence.advanced()
    metrics.finalBlock(block)
    loop.prune(sealed.hash)
    demand.advanced()
    const { height, hash, epoch, view } = sealed
    log.debug({ height, hash, epoch, view, transactions: block.transactions.length }, 'final')
    if (candidate.nextSet !== null) log.info({ height, epoch: candidate.nextSet.epoch }, 'a new epoch begins')
  })
  failStop.onFailure((error) => {
    loop.stop()
    sync.stop()
    void history.stop()
    anchors.stop()
    options.onFatal(error)
  })
  return {
    engine,
    loop,
    inbox: new Inbox({ readBlock, engine, recoverVote }),
    sync,
    history,
    transactions,
    demand,
    delivery,
    view,
    metrics,
    reads,
    audit,
    anchors,
  }
}

/** Blocks below a snapshot; with seals of its own, so that those of consensus stay remembered. */
function openHistory(
  { genesis, log }: NodeOptions,
  { genesisHash, genesisSet, store, chain, network, failStop }: NodeResources,
  { rules, isBusy }: Pick<HistoryNeeds, 'rules' | 'isBusy'>,
): HistorySync {
  return new HistorySync({
    store,
    peers: {
      connected: () => network.peers().flatMap((peer) => (peer.connected ? [peer.address] : [])),
      send: (peer, frame) => network.send(peer, CHANNEL.blocks, frame),
      now: monotonic,
    },
    genesis: { hash: genesisHash, height: asHeight(0), view: asView(0), set: genesisSet },
    rules,
    readBlock: sealedBlockReader(genesis.chainId),
    setOf: (epoch) => chain.setOf(epoch),
    certifiedFrom: (height) => chain.certificateFor(height)?.height,
    isBusy,
    onFault: (peer, fault) => {
      log.warn({ peer, fault }, 'a peer sent something invalid')
      network.penalize(peer, fault)
    },
    fatal: failStop.raise,
    log: (message, fields) => log.info(fields, message),
  })
}

function openDelivery(
  { config, genesis, privateKey, log }: NodeOptions,
  { self, store, envelopes, network, calls, peering, failStop }: NodeResources,
  sending: { pendingNonce: () => bigint; submit: Transactions['submit'] },
): Delivery {
  const { chainId } = genesis
  const { pendingNonce: nonce, submit } = sending
  envelopes.onFault(failStop.raise)
  return new Delivery(
    { chainId, orphanBlocks: config.delivery.orphanBlocks },
    {
      network,
      store: envelopes,
      chain: finalDeliveryChain({ calls, state: () => store.state(), relays: (peer) => peering.isSealer(peer) }),
      sign: (digest) => secp256k1.sign(digest, privateKey),
      confirm: confirmer({ chainId, self, privateKey, calls, nonce, submit }),
      now: monotonic,
      log: (level, fields, message) => log[level](fields, message),
    },
  )
}

function openEngine(
  { config }: NodeOptions,
  { chain, own, self }: NodeResources,
  parts: {
    schedule: LeaderSchedule
    readBlock: (payload: Uint8Array) => SealedBlock
    sign: ReturnType<typeof voteSigner>
  },
): Engine {
  const { viewTimeoutMs, viewTimeoutMaxMs, resendMs, idleStatusMs, inactivityMs, finalizeGraceMs } = config.consensus
  const timers = { viewTimeoutMs, viewTimeoutMaxMs, resendMs, idleStatusMs, inactivityMs, finalizeGraceMs }
  const { hash, height, header } = chain.head()
  const certificate = chain.certificateFor(height)?.certificate ?? null
  return createEngine(
    { self, schedule: parts.schedule, timers, sign: parts.sign },
    {
      final: { hash, height, view: readVanity(header.extraData).view, certificate },
      set: chain.set,
      journal: own.records.map((record) => decodeJournalRecord(record, parts.readBlock)),
    },
    monotonic(),
  )
}

/** Members or sealers changed: who may connect and who is dialled may be others now. */
function followChain(resources: NodeResources, { receipts, nextSet }: Candidate, loop: ConsensusLoop): void {
  const { membership, addresses, peering, network } = resources
  addresses.note(receipts)
  const touched = (contract: Address) =>
    receipts.some((receipt) => receipt.logs.some((entry) => entry.address === contract))
  const members = touched(CONTRACT_ADDRESSES.members)
  if (members) membership.forget()
  if (members || nextSet !== null || touched(CONTRACT_ADDRESSES.sealers)) peering.refresh(network)
  if (nextSet !== null) announceAbsent(resources, loop)
}

/** The core takes every sealer for connected until it hears otherwise. */
export function announceAbsent({ chain, network, self }: NodeResources, loop: ConsensusLoop): void {
  const connected = new Set(network.peers().flatMap((peer) => (peer.connected ? [peer.address] : [])))
  for (const { address } of chain.set.sealers) {
    if (address !== self && !connected.has(address)) loop.push({ type: 'peer', address, connected: false })
  }
}
