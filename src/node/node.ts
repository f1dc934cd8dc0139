/** One node: composes store, journal, consensus, network, pool and RPC, and carries out what the core decides. */
import { mkdirSync } from 'node:fs'
import type { Logger } from 'pino'
import { decodeJournalRecord, encodeCertificate, encodeMessage } from '../consensus/codec.js'
import { createEngine, type Engine } from '../consensus/engine.js'
import { roundRobin } from '../consensus/schedule.js'
import type { Effect, Input, JournalRecord, SealerSet, Vote } from '../consensus/types.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import type { GenesisConfig } from '../contracts/genesisTypes.js'
import { systemContracts } from '../contracts/registry.js'
import { sealerSetOf } from '../contracts/sealers.js'
import { type Address, asEpoch, EMPTY_BYTES, type Hash } from '../core/bytes.js'
import { readVanity } from '../core/seal.js'
import { privateKeyToAddress } from '../crypto/secp256k1.js'
import { listenMultiaddr } from '../p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../p2p/libp2pNetwork.js'
import { CHANNEL, type Channel } from '../p2p/network.js'
import { type RunningServer, startHealthServer, startRpcServer } from '../rpc/server.js'
import { ChainStore } from '../state/chainStore.js'
import type { Journal } from '../state/journal.js'
import { Blocks } from './blocks.js'
import { ChainView } from './chainView.js'
import type { NodeConfig } from './config.js'
import { FinalChain } from './finalChain.js'
import { buildGenesis } from './genesis.js'
import { Inbox } from './inbox.js'
import { LOOP_BACKLOG_MAX, REMIND_MS } from './limits.js'
import { ConsensusLoop } from './loop.js'
import { Membership } from './membership.js'
import { Mempool } from './mempool.js'
import { createMetrics, type NodeMetrics } from './metrics.js'
import { type OwnJournal, openOwnJournal } from './ownJournal.js'
import { sealedBlockReader } from './sealedBlock.js'
import { BlockSync } from './sync.js'
import { Transactions } from './transactions.js'
import { voteRecoverer, voteSigner } from './votes.js'

export interface NodeOptions {
  readonly config: NodeConfig
  readonly genesis: GenesisConfig
  /** 32 bytes: sealer, network and member key of this node. */
  readonly privateKey: Uint8Array
  readonly clientVersion: string
  readonly log: Logger
  /** The operator vouches that this sealer signed nothing that its journal does not know. Default false. */
  readonly acceptLostJournal?: boolean
  /** Called once with what the node cannot go on after; by then it signs nothing any more. */
  readonly onFatal: (error: unknown) => void
}

/** Monotonic milliseconds for the consensus core; wall-clock time goes into headers only. */
const monotonic = (): number => performance.now()

export class Node {
  readonly address: Address
  readonly genesisHash: Hash
  readonly view: ChainView
  readonly engine: Engine
  readonly network: Libp2pNetwork
  readonly #options: NodeOptions
  readonly #store: ChainStore
  readonly #journal: Journal
  readonly #chain: FinalChain
  readonly #blocks: Blocks
  readonly #pool: Mempool
  readonly #transactions: Transactions
  readonly #inbox: Inbox
  readonly #loop: ConsensusLoop
  readonly #sync: BlockSync
  readonly #metrics: NodeMetrics
  readonly #set: SealerSet
  #servers: RunningServer[] = []
  #tip: Hash
  /** Transactions of unfinal blocks up to the tip: they no longer make a block wanted. */
  #inTip: ReadonlySet<Hash> = new Set()
  #wanted = false
  #heartbeat: NodeJS.Timeout | undefined
  #heartbeatDue = false
  #finalAt = monotonic()
  #reminder: NodeJS.Timeout | undefined
  #failed = false
  #stopping: Promise<void> | undefined

  /** Opens the data folder (one process at a time) and the journal, and joins what they say. Throws coded errors. */
  static async open(options: NodeOptions): Promise<Node> {
    const { config, genesis, privateKey } = options
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
    const store = await ChainStore.open({ dir: config.dataDir })
    let own: OwnJournal | undefined
    try {
      const block0 = buildGenesis(genesis)
      await store.init(block0)
      const { p2p, journalDir: dir } = config
      const self = privateKeyToAddress(privateKey)
      const { acceptLostJournal: acceptLost = false, log } = options
      own = openOwnJournal({ dir, genesisHash: block0.hash, self, store, acceptLost, log })
      const permitted = new Set([
        ...genesis.sealers.map((sealer) => sealer.address),
        ...p2p.peers.map((peer) => peer.address.toLowerCase() as Address),
      ])
      const network = await createLibp2pNetwork({
        privateKey,
        networkId: block0.hash,
        listen: [listenMultiaddr(p2p.host, p2p.port)],
        peers: p2p.peers.map(({ name, multiaddr }) => ({ name, multiaddr })),
        permitted: () => permitted,
        report: ({ code, address, message }) => options.log.warn({ code, peer: address }, message),
      })
      return new Node(options, { store, own, network, genesisHash: block0.hash, self })
    } catch (error) {
      own?.journal.close()
      await store.close()
      throw error
    }
  }

  private constructor(
    options: NodeOptions,
    parts: { store: ChainStore; own: OwnJournal; network: Libp2pNetwork; genesisHash: Hash; self: Address },
  ) {
    const { config, genesis, privateKey } = options
    const { store, own, network, genesisHash, self } = parts
    const { journal } = own
    this.#options = options
    this.#store = store
    this.#journal = journal
    this.network = network
    this.address = self
    this.genesisHash = genesisHash
    const fatal = (error: unknown) => this.#fatal(error)
    const context = { chainId: genesis.chainId, genesisHash }
    const recoverVote = voteRecoverer(context)
    this.#set = sealerSetOf(store.state())
    this.#chain = new FinalChain(store, fatal, () => journal.position)
    this.#tip = this.#chain.head().hash
    this.#pool = new Mempool(config.mempool)
    const membership = new Membership(() => store.state(), systemContracts, genesis.chainId)
    this.#transactions = new Transactions({
      chainId: BigInt(genesis.chainId),
      blockGasLimit: genesis.gasLimit,
      pool: this.#pool,
      network,
      state: {
        nonce: (address) => store.state().account(address)?.nonce ?? 0n,
        balance: (address) => store.state().account(address)?.balance ?? 0n,
        maySend: (address) => membership.maySend(address),
      },
      now: monotonic,
      onPooled: (tx) => {
        this.view.announcePending(tx)
        // One more transaction never ends the demand.
        if (!this.#wanted) this.#updateDemand()
      },
    })
    this.#blocks = new Blocks({
      chainId: genesis.chainId,
      genesisHash,
      gasLimit: genesis.gasLimit,
      clockDriftMs: config.consensus.clockDriftMs,
      registry: systemContracts,
      head: () => this.#chain.ground(),
      isFinal: (hash) => store.heightOf(hash) !== undefined,
      now: Date.now,
      recover: (raw) => this.#transactions.recover(raw),
      select: (nonceOf) => this.#pool.candidates(nonceOf),
      discard: (tx) => this.#pool.remove(tx),
      privateKey,
      self,
    })
    const readBlock = sealedBlockReader(genesis.chainId)
    const records = own.records.map((record) => decodeJournalRecord(record, readBlock))
    this.engine = this.#createEngine(voteSigner(context, privateKey), records)
    this.#inbox = new Inbox({ readBlock, engine: this.engine, recoverVote })
    this.#loop = new ConsensusLoop({
      engine: this.engine,
      journal,
      now: monotonic,
      work: (effect) => this.#work(effect),
      carryOut: (effect) => this.#carryOut(effect),
      fatal,
    })
    this.#sync = new BlockSync({
      network,
      now: Date.now,
      recoverVote,
      readBlock,
      setOf: (epoch) => this.engine.setOf(asEpoch(epoch)),
      head: () => this.#chain.queued(),
      serve: (height) => this.#chain.serve(height),
      verify: (sealed) => this.#blocks.verify(sealed, true),
      commit: (sealed, certificate) => this.#chain.commit(this.#blocks.candidate(sealed.hash)!, certificate),
      onSynced: (block, certificate) => this.#loop.push({ type: 'synced', block, certificate, set: this.#set }),
      fatal,
      log: (message, fields) => options.log.info(fields, message),
    })
    this.view = new ChainView({
      name: config.name,
      chainId: genesis.chainId,
      clientVersion: options.clientVersion,
      genesisHash,
      self,
      store,
      chain: this.#chain,
      pool: this.#pool,
      transactions: this.#transactions,
      registry: systemContracts,
      engine: this.engine,
      network,
      sync: this.#sync,
      sealerSet: () => this.#set,
      clocks: { monotonic, wall: Date.now },
    })
    this.#metrics = createMetrics({
      name: config.name,
      engine: this.engine,
      pool: this.#pool,
      chain: this.#chain,
      network,
      loop: this.#loop,
    })
    // Registered after the view's own listener; all of them run once the block is on disk.
    this.#chain.onFinal(({ sealed, block, receipts }) => {
      this.#pool.committed(block.transactions)
      this.#transactions.advanced()
      this.#blocks.prune(sealed.height)
      if (receipts.some((receipt) => receipt.logs.some((entry) => entry.address === CONTRACT_ADDRESSES.members)))
        membership.forget()
      this.#metrics.finalBlock(block)
      this.#loop.prune(sealed.hash)
      this.#heartbeatDue = false
      this.#finalAt = monotonic()
      this.#armHeartbeat()
      this.#setTip(this.#tip)
      options.log.debug(
        { height: sealed.height, hash: sealed.hash, view: sealed.view, transactions: block.transactions.length },
        'final',
      )
    })
  }

  /** Listens, dials and takes part. Resolves when RPC and network are up; readiness (a quorum is connected) comes later. */
  async start(): Promise<void> {
    const { config, log } = this.#options
    this.network.onFrame((from, channel, frame) => this.#receive(from, channel, frame))
    this.network.onPeer(({ address, connected }) => {
      log.info({ peer: address, connected }, 'peer')
      this.#loop.push({ type: 'peer', address, connected })
      if (connected) this.#transactions.greet(address)
      else this.#sync.peerGone(address)
    })
    await this.network.start()
    const { rpc, metrics } = config
    const limits = {
      bodyBytesMax: rpc.bodyBytesMax,
      batchMax: rpc.batchMax,
      responseBytesMax: rpc.responseBytesMax,
      logRangeBlocksMax: rpc.logBlockRangeMax,
      requestTimeoutMs: rpc.requestTimeoutMs,
    }
    const readMetrics = () => this.#metrics.read()
    // One after the other, each kept at once: where the second cannot listen, `stop` closes the first.
    this.#servers.push(
      await startRpcServer(
        { host: rpc.host, port: rpc.port, allowedHosts: rpc.allowedHosts, corsOrigins: rpc.allowedOrigins, limits },
        {
          api: this.view,
          metrics: readMetrics,
          onDefect: (error, method) => log.error({ err: error, method }, 'RPC method failed unexpectedly'),
        },
      ),
    )
    this.#servers.push(
      await startHealthServer(
        { host: metrics.host, port: metrics.port },
        { readiness: () => this.view.readiness(), metrics: readMetrics },
      ),
    )
    this.#loop.push({ type: 'tick' })
    this.#armHeartbeat()
    this.#reminder = setInterval(() => {
      if (this.#wanted && monotonic() - this.#finalAt >= REMIND_MS) this.#transactions.remind()
    }, REMIND_MS)
  }

  /** Where RPC listens. */
  get rpcUrl(): string | undefined {
    return this.#servers[0]?.url
  }

  /** Stops taking part, waits for writes under way and closes everything. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close()
    return this.#stopping
  }

  async #close(): Promise<void> {
    clearTimeout(this.#heartbeat)
    clearInterval(this.#reminder)
    this.#loop.stop()
    this.#sync.stop()
    await Promise.all(this.#servers.map((server) => server.close()))
    await this.network.stop()
    await this.#store.close()
    this.#journal.close()
  }

  #createEngine(sign: (vote: Vote) => Uint8Array, journal: readonly JournalRecord[]): Engine {
    const { consensus } = this.#options.config
    const head = this.#chain.head()
    const found = this.#chain.certificateFor(head.height)
    const { viewTimeoutMs, viewTimeoutMaxMs, resendMs, idleStatusMs, inactivityMs, finalizeGraceMs } = consensus
    return createEngine(
      {
        self: this.address,
        schedule: roundRobin,
        timers: { viewTimeoutMs, viewTimeoutMaxMs, resendMs, idleStatusMs, inactivityMs, finalizeGraceMs },
        sign,
      },
      {
        final: {
          hash: head.hash,
          height: head.height,
          view: readVanity(head.header.extraData).view,
          certificate: found?.certificate ?? null,
        },
        set: this.#set,
        journal,
      },
      monotonic(),
    )
  }

  #receive(from: Address, channel: Channel, frame: Uint8Array): void {
    if (this.#failed) return
    let fault: string | undefined
    if (channel === CHANNEL.consensus) {
      if (this.#loop.backlog > LOOP_BACKLOG_MAX) return
      const verdict = this.#inbox.accept(from, frame)
      if (verdict.kind === 'accept') this.#loop.push({ type: 'message', from, message: verdict.message })
      else if (verdict.kind === 'reject') fault = verdict.fault
    } else if (channel === CHANNEL.transactions) {
      if (!this.#transactions.receive(from, frame)) fault = 'MALFORMED: transactions'
    } else {
      fault = this.#sync.receive(from, frame)
    }
    if (fault === undefined) return
    this.#options.log.warn({ peer: from, fault }, 'a peer sent something invalid')
    this.network.penalize(from, fault)
  }

  #work(effect: Extract<Effect, { type: 'build' | 'verify' }>): Input {
    if (effect.type === 'verify') {
      const verdict = this.#blocks.verify(effect.block, effect.certified)
      if (!verdict.ok)
        this.#options.log.warn(
          { hash: effect.block.hash, leader: effect.block.leader, reason: verdict.reason },
          'proposed block refused',
        )
      return { type: 'verified', hash: effect.block.hash, verdict }
    }
    const built = this.#blocks.build({ ...effect, mayBeEmpty: effect.mayBeEmpty || this.#heartbeatDue })
    this.#heartbeatDue = false
    if (built === null) this.#wanted = false
    return { type: 'built', view: effect.view, block: built?.sealed ?? null, verdict: { ok: true } }
  }

  #carryOut(effect: Exclude<Effect, { type: 'build' | 'verify' }>): void {
    const { log } = this.#options
    switch (effect.type) {
      case 'broadcast':
        this.network.broadcast(CHANNEL.consensus, encodeMessage(effect.message))
        return
      case 'send':
        this.network.send(effect.to, CHANNEL.consensus, encodeMessage(effect.message))
        return
      case 'commit':
        this.#commit(effect)
        return
      case 'tip':
        this.#setTip(effect.hash)
        this.#loop.push({ type: 'demand', wanted: this.#wanted })
        return
      case 'lagging':
        this.#sync.lagging(effect.peer, effect.height)
        return
      case 'evidence':
        log.error(
          { sealer: effect.first.signer, view: effect.first.view, epoch: effect.first.epoch },
          'a sealer signed two conflicting votes',
        )
        this.#metrics.evidence()
        return
      case 'halt':
        if (effect.severity === 'stop-node') throw new Error(effect.reason)
        log.error({ reason: effect.reason }, 'this node stops voting')
        return
    }
  }

  #commit({ blocks, certificate }: Extract<Effect, { type: 'commit' }>): void {
    const encoded = encodeCertificate(certificate)
    blocks.forEach((block, index) => {
      const candidate = this.#blocks.candidate(block.hash)
      if (candidate === undefined) {
        // Range sync has committed it in the meantime.
        if (block.height <= this.#chain.queued().height) return
        throw new Error(`final block ${block.height} ${block.hash} was not executed here`)
      }
      this.#chain.commit(candidate, index === blocks.length - 1 ? encoded : EMPTY_BYTES).catch(() => {
        // Reported through `fatal`.
      })
    })
  }

  #setTip(tip: Hash): void {
    this.#tip = tip
    this.#inTip = this.#blocks.unfinal(tip)
    this.#updateDemand()
  }

  /** D1 and D4: executable transactions beyond those of unfinal blocks, or a heartbeat that is due. */
  #updateDemand(): void {
    let inPool = 0
    for (const hash of this.#inTip) if (this.#pool.has(hash)) inPool++
    const wanted = this.#heartbeatDue || this.#pool.executable > inPool
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#loop.push({ type: 'demand', wanted })
  }

  #armHeartbeat(): void {
    const { heartbeatMs } = this.#options.config.consensus
    if (heartbeatMs === 0 || this.#stopping !== undefined) return
    clearTimeout(this.#heartbeat)
    this.#heartbeat = setTimeout(() => {
      this.#heartbeatDue = true
      this.#updateDemand()
    }, heartbeatMs)
  }

  #fatal(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#loop.stop()
    this.#sync.stop()
    this.#options.onFatal(error)
  }
}
