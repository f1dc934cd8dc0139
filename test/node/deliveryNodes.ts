/** Delivery parts of nodes over the network in memory, with real files and indexes, beside a chain that tests write. */
import { mkdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { deliveryInterface } from '../../src/contracts/deliveryStorage.js'
import type { Address } from '../../src/core/bytes.js'
import type { Log } from '../../src/core/receipt.js'
import { envelopeHash, slipDigest } from '../../src/crypto/envelopeSlip.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import { Delivery } from '../../src/node/delivery/delivery.js'
import type { AnnouncedEnvelope, DeliveryChain } from '../../src/node/delivery/deliveryChain.js'
import { EnvelopeStore } from '../../src/node/delivery/envelopeStore.js'
import { type EnvelopeId, idText } from '../../src/node/delivery/records.js'
import { MemoryHub, MemoryNetwork } from '../../src/p2p/memoryNetwork.js'
import { openLevelStore } from '../../src/state/store/level.js'

export const CHAIN_ID = 20_261
export const keyOf = (n: number) => new Uint8Array(32).fill(n)
export const addressOf = (n: number): Address => privateKeyToAddress(keyOf(n))

/** What every node's final chain says. */
export class FakeChain {
  height = 1
  readonly inactive = new Set<Address>()
  readonly relays = new Set<Address>()
  readonly envelopes = new Map<string, AnnouncedEnvelope>()
  readonly confirmed: string[] = []
  readonly nodes = new Set<Delivery>()
  /** Logs by height. */
  readonly #logs = new Map<number, readonly Log[]>()

  port(): DeliveryChain {
    return {
      height: () => this.height,
      isActive: (member) => !this.inactive.has(member),
      announced: (id) => this.envelopes.get(idText(id)),
      nodesOf: (member) => [member],
      memberOf: (key) => key,
      ownerOf: (key) => key,
      relays: (peer) => this.relays.has(peer),
    }
  }

  /** Ends a block; resolves when every node has acted on it. */
  async block(...logs: Log[]): Promise<void> {
    this.height++
    this.#logs.set(this.height, logs)
    await Promise.all([...this.nodes].map((node) => node.finalBlock(this.height, logs)))
  }

  /** Lets a node read what it missed, as it does when it starts. */
  async reread(node: Delivery): Promise<void> {
    for (let height = node.nextBlock; height <= this.height; height++) {
      await node.finalBlock(height, this.#logs.get(height) ?? [])
    }
  }

  announce(id: EnvelopeId, recipient: Address, carrier: Address, expiresAt: number): Promise<void> {
    const known = { recipient, carrier, expiresAt, erasureAsked: false, confirmedBy: [] }
    this.envelopes.set(idText(id), known)
    return this.block(log('EnvelopeAnnounced', { ...id, recipient, carrier, expiresAt: BigInt(expiresAt) }))
  }

  askErasure(id: EnvelopeId): Promise<void> {
    this.envelopes.set(idText(id), { ...this.envelopes.get(idText(id))!, erasureAsked: true })
    return this.block(log('ErasureRequested', { ...id, deadline: BigInt(this.height + 10) }))
  }

  confirm(id: EnvelopeId, holder: Address): void {
    const known = this.envelopes.get(idText(id))!
    if (known.confirmedBy.includes(holder)) return
    this.envelopes.set(idText(id), { ...known, confirmedBy: [...known.confirmedBy, holder] })
    this.confirmed.push(`${holder} ${idText(id)}`)
  }
}

type EventName = 'EnvelopeAnnounced' | 'ErasureRequested' | 'ErasureConfirmed'

export function log<N extends EventName>(name: N, args: Parameters<typeof deliveryInterface.encodeEvent<N>>[1]): Log {
  return { address: CONTRACT_ADDRESSES.delivery, ...deliveryInterface.encodeEvent(name, args) }
}

export interface TestNode {
  readonly address: Address
  readonly dir: string
  readonly network: MemoryNetwork
  readonly delivery: Delivery
  stop(): Promise<void>
}

export interface NodeOptions {
  readonly bytesMax?: number
  readonly senderBytesMax?: number
  readonly orphanBlocks?: number
}

export class DeliveryNodes {
  readonly hub = new MemoryHub()
  readonly chain = new FakeChain()
  readonly faults: string[] = []
  /** For which nodes would have stopped. */
  readonly fatal: Error[] = []
  now: () => number = () => performance.now()
  readonly #dir: string
  readonly #open = new Set<TestNode>()

  constructor(t: Test) {
    this.#dir = t.testdir()
    t.teardown(() => Promise.all([...this.#open].map((node) => node.stop())))
  }

  folder(n: number): string {
    return join(this.#dir, `node${n}`)
  }

  /** Starts the node with key `n`, in the folder of its former run if there was one. */
  async start(n: number, options: NodeOptions = {}): Promise<TestNode> {
    const dir = this.folder(n)
    mkdirSync(dir, { recursive: true })
    const { bytesMax = 2 ** 30, senderBytesMax = 2 ** 30, orphanBlocks = 1_000 } = options
    const index = await openLevelStore(join(dir, 'index'))
    const store = await EnvelopeStore.open({ dir: join(dir, 'bodies'), bytesMax, senderBytesMax }, index)
    store.onFault((error) => this.fatal.push(error))
    const network = new MemoryNetwork(this.hub, { self: addressOf(n), networkId: 'test', admission: () => 'peer' })
    const delivery = new Delivery(
      { chainId: CHAIN_ID, orphanBlocks, roundMs: 10 },
      {
        network,
        store,
        chain: this.chain.port(),
        sign: (digest) => secp256k1.sign(digest, keyOf(n)),
        confirm: (id) => {
          this.chain.confirm(id, addressOf(n))
          return true
        },
        now: () => this.now(),
        log: () => {},
      },
    )
    network.onFrame((from, _, frame) => {
      const fault = delivery.receive(from, frame)
      if (fault !== undefined) this.faults.push(fault)
    })
    network.onPeer(({ address, connected }) => (connected ? delivery.peerConnected() : delivery.peerGone(address)))
    await network.start()
    delivery.start()
    this.chain.nodes.add(delivery)
    const node: TestNode = {
      address: addressOf(n),
      dir,
      network,
      delivery,
      stop: async () => {
        if (!this.#open.delete(node)) return
        this.chain.nodes.delete(delivery)
        await network.stop()
        await delivery.stop()
      },
    }
    this.#open.add(node)
    return node
  }
}

/** An envelope of sender `n` with its slip, signed. */
export function handed(n: number, body: Uint8Array, recipients: readonly Address[], expiresAt = 1_000) {
  const slip = { hash: envelopeHash(body), lengthBytes: body.length, expiresAt, recipients }
  const signature = secp256k1.sign(slipDigest(CHAIN_ID, slip), keyOf(n))
  return { slip: { ...slip, signature }, body }
}

/** Whether any file below `dir` holds these bytes. */
export async function folderHolds(dir: string, bytes: Uint8Array): Promise<boolean> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const contents = await Promise.all(files.map((file) => readFile(file)))
  return contents.some((content) => content.includes(Buffer.from(bytes)))
}
