/** The network inside one process, for tests: same promises as over libp2p, and links that can be cut. */
import type { Address } from '../core/bytes.js'
import { FaultLedger } from './faultLedger.js'
import { FrameDecoder } from './frames.js'
import { parsePeerMultiaddr } from './identity.js'
import {
  type Admission,
  type Channel,
  type FrameHandler,
  type Network,
  NetworkError,
  type NetworkReportCode,
  type NetworkReportHandler,
  type PeerHandler,
  type PeerInfo,
  type StaticPeer,
} from './network.js'
import { requireFrameSize } from './peerLink.js'
import { Reporter } from './reporter.js'
import { SendQueue } from './sendQueue.js'
import { defaultTuning } from './tuning.js'

export interface MemoryNetworkOptions {
  readonly self: Address
  readonly networkId: string
  readonly admission: (address: Address) => Admission
  readonly report?: NetworkReportHandler
  readonly banMs?: number
}

const now = (): number => performance.now()
const pairKey = (a: Address, b: Address): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** What the members of one in-process network are plugged into. */
export class MemoryHub {
  readonly #members = new Map<Address, MemoryNetwork>()
  readonly #cut = new Set<string>()

  /** Separates two members; frames under way are lost. */
  cut(a: Address, b: Address): void {
    this.#cut.add(pairKey(a, b))
    this.refresh()
  }

  /** Undoes `cut`. */
  heal(a: Address, b: Address): void {
    this.#cut.delete(pairKey(a, b))
    this.refresh()
  }

  /** Connects and disconnects what may, and may no longer, be connected; to be called when permissions changed. */
  refresh(): void {
    const members = [...this.#members.values()]
    for (const a of members) for (const b of members) if (a.self < b.self) this.#settle(a, b)
  }

  /** For MemoryNetwork only. */
  join(member: MemoryNetwork): void {
    if (this.#members.has(member.self)) throw new NetworkError('LISTEN_FAILED', `${member.self} is already on this hub`)
    this.#members.set(member.self, member)
    this.refresh()
  }

  /** For MemoryNetwork only. */
  leave(member: MemoryNetwork): void {
    this.#members.delete(member.self)
    for (const other of this.#members.values()) other.unlink(member.self)
  }

  #settle(a: MemoryNetwork, b: MemoryNetwork): void {
    const isWhole = a.networkId === b.networkId && !this.#cut.has(pairKey(a.self, b.self))
    // Both are asked, so that each reports whom it refuses.
    const admitted = [a.admits(b.self), b.admits(a.self)].every(Boolean)
    if (isWhole && admitted) {
      a.link(b)
      b.link(a)
    } else {
      a.unlink(b.self)
      b.unlink(a.self)
    }
  }
}

/** One direction of a link: a send queue emptied in the next turn of the event loop, through the real frame codec. */
class MemoryLink {
  readonly #queue = new SendQueue()
  readonly #decoder: FrameDecoder
  readonly since = Date.now()
  #scheduled = false
  #open = true

  constructor(deliver: (channel: Channel, frame: Uint8Array) => void) {
    this.#decoder = new FrameDecoder((channel, frame) => {
      if (channel !== 0 && this.#open) deliver(channel, frame)
    })
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes
  }

  send(channel: Channel, frame: Uint8Array): boolean {
    if (!this.#queue.push(channel, frame)) return false
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => this.#flush())
    }
    return true
  }

  close(): void {
    this.#open = false
  }

  #flush(): void {
    this.#scheduled = false
    for (let bytes = this.#queue.take(); bytes !== undefined && this.#open; bytes = this.#queue.take()) {
      this.#decoder.push(bytes)
    }
  }
}

export class MemoryNetwork implements Network {
  readonly self: Address
  readonly networkId: string
  readonly #options: MemoryNetworkOptions
  readonly #hub: MemoryHub
  readonly #ledger: FaultLedger
  readonly #banMs: number
  readonly #reporter: Reporter
  readonly #links = new Map<Address, MemoryLink>()
  readonly #lostAt = new Map<Address, number>()
  /** Names by address; everyone on the hub is connected without being dialled. */
  readonly #added = new Map<Address, string | undefined>()
  readonly #frameHandlers: FrameHandler[] = []
  readonly #peerHandlers: PeerHandler[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #state: 'new' | 'started' | 'stopped' = 'new'

  constructor(hub: MemoryHub, options: MemoryNetworkOptions) {
    this.#hub = hub
    this.#options = options
    this.self = options.self
    this.networkId = options.networkId
    this.#banMs = options.banMs ?? defaultTuning.banMs
    this.#ledger = new FaultLedger(this.#banMs)
    this.#reporter = new Reporter(options.report, now)
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new NetworkError('STOPPED', 'a network starts once; create another one')
    this.#state = 'started'
    this.#hub.join(this)
  }

  async stop(): Promise<void> {
    const wasStarted = this.#state === 'started'
    this.#state = 'stopped'
    for (const timer of this.#timers) clearTimeout(timer)
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    if (wasStarted) this.#hub.leave(this)
  }

  peers(): readonly PeerInfo[] {
    const addresses = new Set([...this.#added.keys(), ...this.#links.keys()])
    return [...addresses].sort().map((address) => this.#peerInfo(address))
  }

  addPeer(peer: StaticPeer): void {
    const { address } = parsePeerMultiaddr(peer.multiaddr)
    if (address !== this.self) this.#added.set(address, peer.name)
  }

  removePeer(address: Address): void {
    this.#added.delete(address)
  }

  send(to: Address, channel: Channel, frame: Uint8Array): boolean {
    requireFrameSize(channel, frame)
    const link = this.#links.get(to)
    if (link === undefined) return false
    const taken = link.send(channel, frame)
    if (!taken) this.#reporter.report('FRAME_DROPPED', to, `queue of channel ${channel} is full`)
    return taken
  }

  broadcast(channel: Channel, frame: Uint8Array): number {
    let taken = 0
    for (const address of this.#links.keys()) if (this.send(address, channel, frame)) taken++
    return taken
  }

  onFrame(handler: FrameHandler): void {
    this.#frameHandlers.push(handler)
  }

  onPeer(handler: PeerHandler): void {
    this.#peerHandlers.push(handler)
  }

  penalize(address: Address, fault: string): void {
    this.#reporter.report('PEER_PENALIZED', address, fault)
    if (this.#options.admission(address) === 'refused' || !this.#ledger.add(address, now())) return
    this.#reporter.report('PEER_BANNED', address, `refused for ${this.#banMs} ms; the last fault: ${fault}`)
    this.#hub.refresh()
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#hub.refresh()
    }, this.#banMs + 1)
    this.#timers.add(timer)
  }

  reportCounts(): ReadonlyMap<NetworkReportCode, number> {
    return this.#reporter.counts()
  }

  /** For MemoryHub only. */
  admits(address: Address): boolean {
    if (this.#options.admission(address) !== 'refused') return !this.#ledger.isBanned(address, now())
    this.#reporter.report('STRANGER_REFUSED', address, `${address} is not permitted to connect`)
    return false
  }

  /** For MemoryHub only. */
  link(to: MemoryNetwork): void {
    if (this.#links.has(to.self)) return
    this.#links.set(to.self, new MemoryLink((channel, frame) => to.receive(this.self, channel, frame)))
    this.#notify(to.self, true)
  }

  /** For MemoryHub only. */
  unlink(address: Address): void {
    const link = this.#links.get(address)
    if (link === undefined) return
    link.close()
    this.#links.delete(address)
    this.#lostAt.set(address, Date.now())
    this.#notify(address, false)
  }

  /** For MemoryLink only. */
  receive(from: Address, channel: Channel, frame: Uint8Array): void {
    if (this.#state !== 'started') return
    for (const handler of this.#frameHandlers) handler(from, channel, frame)
  }

  #notify(address: Address, connected: boolean): void {
    if (this.#state !== 'started') return
    for (const handler of this.#peerHandlers) handler({ address, connected })
  }

  #peerInfo(address: Address): PeerInfo {
    const link = this.#links.get(address)
    return {
      address,
      name: this.#added.get(address),
      connected: link !== undefined,
      rttMs: link === undefined ? undefined : 0,
      queuedBytes: link?.queuedBytes ?? 0,
      since: link?.since ?? this.#lostAt.get(address) ?? 0,
    }
  }
}
