/** One node: opens its folders, joins what they say, takes part, and closes everything in order. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../consensus/engine.js'
import { policyNamed, scheduleNamed } from '../consensus/extensions.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { consensusConfigOf } from '../contracts/genesisDefaults.js'
import { systemContracts } from '../contracts/registry.js'
import { sealerSetOf } from '../contracts/sealers.js'
import { type Address, asHeight, type Hash } from '../core/bytes.js'
import { bloomMayHold } from '../crypto/bloom.js'
import { privateKeyToAddress } from '../crypto/secp256k1.js'
import { listenMultiaddr } from '../p2p/identity.js'
import { createLibp2pNetwork, type Libp2pNetwork } from '../p2p/libp2pNetwork.js'
import { CHANNEL, type Channel } from '../p2p/network.js'
import { isLoopbackHost } from '../rpc/gate.js'
import { type RunningRpcServer, type RunningServer, startHealthServer, startRpcServer } from '../rpc/server.js'
import { ChainStore } from '../state/chainStore.js'
import { openLevelStore } from '../state/store/level.js'
import { ChainAddresses } from './chainAddresses.js'
import type { ChainView } from './chainView.js'
import type { NodeConfig } from './config.js'
import { EnvelopeStore } from './delivery/envelopeStore.js'
import { FailStop } from './failStop.js'
import { FinalCalls } from './finalCalls.js'
import { FinalChain } from './finalChain.js'
import { buildGenesis } from './genesis.js'
import { LOOP_BACKLOG_MAX } from './limits.js'
import { Membership } from './membership.js'
import { type OwnJournal, openOwnJournal } from './ownJournal.js'
import { announceAbsent, assemble, type NodeOptions, type NodeParts, type NodeResources } from './parts.js'
import { Peering } from './peering.js'
import { ReadLog } from './readLog.js'
import { finalAnchor } from './readLogAnchors.js'
import { rpcLimitsOf } from './rpcConfig.js'
import { readRpcSecrets } from './rpcSecrets.js'

const CLEAR_TEXT =
  'tokens travel in clear text to this node: set rpc.tls, or let clients come through a proxy that has TLS (docs/access.md)'

export class Node {
  readonly #options: NodeOptions
  readonly #resources: NodeResources & { readonly network: Libp2pNetwork }
  readonly #parts: NodeParts
  #servers: RunningServer[] = []
  #rpc: RunningRpcServer | undefined
  #stopping: Promise<void> | undefined

  /**
   * Opens the data folder (one process at a time) and the journal, and joins what they say. Throws coded errors, among them
   * ExtensionError where genesis names a policy or schedule that this node lacks.
   */
  static async open(options: NodeOptions): Promise<Node> {
    const { config, genesis, extensions } = options
    const { weightPolicy, leaderSchedule } = consensusConfigOf(genesis)
    policyNamed(extensions, weightPolicy)
    scheduleNamed(extensions, leaderSchedule)
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
    const store = await ChainStore.open({ dir: config.dataDir, history: config.state })
    let own: OwnJournal | undefined
    let envelopes: EnvelopeStore | undefined
    try {
      const block0 = buildGenesis(genesis)
      const genesisSet = sealerSetOf(block0.overlay)
      const genesisHash = block0.hash
      const self = privateKeyToAddress(options.privateKey)
      const { acceptLostJournal: acceptLost = false, log } = options
      own = openOwnJournal({ dir: config.journalDir, genesisHash, self, store, acceptLost, log })
      await store.init(block0)
      envelopes = await openEnvelopes(config)
      const resources = openResources(options, { self, store, own, envelopes, genesisHash, genesisSet })
      const network = await openNetwork(options, block0.hash, resources.peering)
      return new Node(options, { ...resources, network })
    } catch (error) {
      own?.journal.close()
      await envelopes?.close()
      await store.close()
      throw error
    }
  }

  private constructor(options: NodeOptions, resources: NodeResources & { readonly network: Libp2pNetwork }) {
    this.#options = options
    this.#resources = resources
    this.#parts = assemble(options, resources)
  }

  get address(): Address {
    return this.#resources.self
  }

  get genesisHash(): Hash {
    return this.#resources.genesisHash
  }

  get view(): ChainView {
    return this.#parts.view
  }

  get engine(): Engine {
    return this.#parts.engine
  }

  get network(): Libp2pNetwork {
    return this.#resources.network
  }

  /** Where RPC listens. */
  get rpcUrl(): string | undefined {
    return this.#servers[0]?.url
  }

  /** Listens, dials and takes part. Resolves when RPC and network are up; readiness comes later. */
  async start(): Promise<void> {
    const { loop, transactions, sync, history, demand, delivery, anchors } = this.#parts
    const { network, peering } = this.#resources
    network.onFrame((from, channel, frame) => this.#receive(from, channel, frame))
    network.onPeer(({ address, connected }) => {
      this.#options.log.info({ peer: address, connected }, 'peer')
      loop.push({ type: 'peer', address, connected })
      if (connected) {
        transactions.greet(address)
        history.peerCame()
        delivery.peerConnected()
      } else {
        sync.peerGone(address)
        history.peerGone(address)
        delivery.peerGone(address)
      }
    })
    this.#rereadDelivery()
    await network.start()
    peering.refresh(network)
    await this.#serve()
    announceAbsent(this.#resources, loop)
    loop.push({ type: 'tick' })
    demand.start()
    anchors.start()
    delivery.start()
    if (this.#options.config.sync.history) history.start()
  }

  /** Blocks that became final before envelopes were acted on: this node ended in between. */
  #rereadDelivery(): void {
    const { store } = this.#resources
    const { delivery } = this.#parts
    const end = store.head()?.height ?? 0
    // Blocks that are not kept were acted on before they went, or before this folder began.
    const first = store.oldestBlock()
    const start = asHeight(first > 1 ? Math.max(delivery.nextBlock, first) : delivery.nextBlock)
    for (let height = start; height <= end; height = asHeight(height + 1)) {
      const { logsBloom } = store.headerByNumber(height)!
      if (!bloomMayHold(logsBloom, CONTRACT_ADDRESSES.delivery) && height < end) continue
      void delivery.finalBlock(
        height,
        store.receipts(height)!.flatMap((receipt) => receipt.logs),
      )
    }
  }

  /** Stops taking part, waits for writes under way and closes everything. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close()
    return this.#stopping
  }

  /** One server after the other, each kept at once: where the second cannot listen, `stop` closes the first. */
  async #serve(): Promise<void> {
    const { rpc, metrics: monitoring } = this.#options.config
    const { view, metrics, delivery } = this.#parts
    const { host, port, allowedOrigins: corsOrigins } = rpc
    const { tokens, tls } = await readRpcSecrets(rpc)
    if (tokens && !tls && !isLoopbackHost(host)) this.#options.log.warn(CLEAR_TEXT)
    const listening = { host, port, allowedHosts: [host, ...rpc.allowedHosts], corsOrigins, limits: rpcLimitsOf(rpc) }
    const auth = { ...rpc.auth, ...(tokens && { tokens }) }
    const readMetrics = () => metrics.read()
    const onDefect = (error: unknown, method: string) =>
      this.#options.log.error({ err: error, method }, 'RPC method failed unexpectedly')
    this.#rpc = await startRpcServer(
      { ...listening, auth, ...(tls && { tls }) },
      {
        api: view,
        delivery,
        metrics: readMetrics,
        onRefused: (reason) => metrics.rpcRefused(reason),
        onDefect,
        reads: this.#parts.reads,
        audit: this.#parts.audit,
      },
    )
    this.#servers.push(this.#rpc)
    this.#servers.push(
      await startHealthServer(
        { host: monitoring.host, port: monitoring.port },
        { readiness: () => view.readiness(), metrics: readMetrics },
      ),
    )
  }

  /**
   * Reads the files of secrets, public keys and certificates again. Rejects with what is wrong with them, and goes on with the
   * old ones then.
   */
  async reloadSecrets(): Promise<void> {
    this.#rpc?.replaceSecrets(await readRpcSecrets(this.#options.config.rpc))
  }

  async #close(): Promise<void> {
    const { demand, loop, sync, history, delivery, anchors } = this.#parts
    const { network, store, own, reads } = this.#resources
    anchors.stop()
    demand.stop()
    loop.stop()
    sync.stop()
    await history.stop()
    await Promise.all(this.#servers.map((server) => server.close()))
    await reads.close()
    await network.stop()
    await delivery.stop()
    await store.close()
    own.journal.close()
  }

  #receive(from: Address, channel: Channel, frame: Uint8Array): void {
    if (this.#resources.failStop.failed) return
    const fault = this.#fault(from, channel, frame)
    if (fault === undefined) return
    this.#options.log.warn({ peer: from, fault }, 'a peer sent something invalid')
    this.#resources.network.penalize(from, fault)
  }

  /** Takes a frame in; what is wrong with it, if anything is. */
  #fault(from: Address, channel: Channel, frame: Uint8Array): string | undefined {
    const { transactions, sync, delivery } = this.#parts
    if (channel === CHANNEL.envelopes) return delivery.receive(from, frame)
    if (channel === CHANNEL.consensus) return this.#takeConsensus(from, frame)
    if (channel === CHANNEL.blocks) return sync.receive(from, frame)
    return transactions.receive(from, frame) ? undefined : 'MALFORMED: transactions'
  }

  #takeConsensus(from: Address, frame: Uint8Array): string | undefined {
    const { loop, inbox, sync } = this.#parts
    if (loop.backlog > LOOP_BACKLOG_MAX) return undefined
    const verdict = inbox.accept(from, frame)
    if (verdict.kind === 'reject') return verdict.fault
    if (verdict.kind === 'ignore') return undefined
    const { message } = verdict
    if (message.type === 'status') sync.heard(from, message.finalHeight)
    loop.push({ type: 'message', from, message })
    return undefined
  }
}

async function openEnvelopes({ delivery: { dir, bytesMax, senderBytesMax } }: NodeConfig): Promise<EnvelopeStore> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const index = await openLevelStore(join(dir, 'index'))
  return EnvelopeStore.open({ dir: join(dir, 'bodies'), bytesMax, senderBytesMax }, index)
}

/** The final chain and what is read of it. */
function openResources(
  { config, genesis, log }: NodeOptions,
  opened: Pick<NodeResources, 'self' | 'store' | 'own' | 'envelopes' | 'genesisHash' | 'genesisSet'>,
): Omit<NodeResources, 'network'> {
  const { self, store, own, genesisHash, genesisSet } = opened
  const failStop = new FailStop()
  const chain = new FinalChain(store, genesisSet, failStop.raise, () => own.journal.position)
  const calls = new FinalCalls({ chainId: genesis.chainId, genesisHash, chain, registry: systemContracts })
  const membership = new Membership(() => store.state())
  const addresses = new ChainAddresses(calls)
  const reads = ReadLog.open(
    { ...config.readLog, anchored: finalAnchor(store.state(), self) },
    { fatal: failStop.raise, warn: (message, fields) => log.warn(fields, message) },
  )
  const peering = new Peering({
    self,
    configured: config.p2p.peers,
    set: () => chain.set,
    standing: (address) => membership.standing(address),
    onChain: () => addresses.read(chain.set),
    log: (message, fields) => log.warn(fields, message),
  })
  return { ...opened, chain, calls, membership, addresses, peering, reads, failStop }
}

function openNetwork(
  { config, privateKey, log }: NodeOptions,
  networkId: Hash,
  peering: Peering,
): Promise<Libp2pNetwork> {
  const { p2p } = config
  return createLibp2pNetwork({
    privateKey,
    networkId,
    listen: [listenMultiaddr(p2p.host, p2p.port)],
    peers: p2p.peers.map(({ name, multiaddr }) => ({ name, multiaddr })),
    admission: (address) => peering.admission(address),
    report: ({ code, address, message }) => log.warn({ code, peer: address }, message),
  })
}
