/** Delivery parts of the members' nodes beside a TestChain, over the network in memory: what `concordat_` methods of a node answer. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '../../../src/core/bytes.js'
import { ZERO_ADDRESS } from '../../../src/core/bytes.js'
import { privateKeyToAddress, secp256k1 } from '../../../src/crypto/secp256k1.js'
import { confirmer, finalDeliveryChain } from '../../../src/node/delivery/chain.js'
import { Delivery } from '../../../src/node/delivery/delivery.js'
import { EnvelopeStore } from '../../../src/node/delivery/envelopeStore.js'
import { MemoryHub, MemoryNetwork } from '../../../src/p2p/memoryNetwork.js'
import { RpcClientError } from '../../../src/rpc/client.js'
import { Line } from '../../../src/rpc/line.js'
import { deliveryMethods } from '../../../src/rpc/methods/delivery.js'
import { openLevelStore } from '../../../src/state/store/level.js'
import type { ContractAbi } from '../../../src/vm/abi.js'
import type { FunctionArgs, FunctionName, HumanAbi } from '../../../src/vm/abiTypes.js'
import type { TestChain } from './testChain.js'

interface Running {
  readonly delivery: Delivery
  readonly stop: () => Promise<void>
}

export class DeliveryParts {
  readonly hub = new MemoryHub()
  readonly #chain: TestChain
  readonly #dir: string
  readonly #running = new Map<Address, Running>()
  /** Logs of all blocks: a node that was away reads what it missed. */
  readonly #blocks: Parameters<Parameters<TestChain['onBlock']>[0]>[] = []

  constructor(chain: TestChain, dir: string) {
    this.#chain = chain
    this.#dir = dir
    chain.onBlock((height, logs) => {
      this.#blocks.push([height, logs])
      for (const { delivery } of this.#running.values()) void delivery.finalBlock(height, logs)
    })
  }

  dirOf(privateKey: Uint8Array): string {
    return join(this.#dir, privateKeyToAddress(privateKey))
  }

  /** Starts the node with this key, in the folder of its former run if there was one. */
  async start(privateKey: Uint8Array): Promise<Delivery> {
    const self = privateKeyToAddress(privateKey)
    const dir = this.dirOf(privateKey)
    mkdirSync(dir, { recursive: true })
    const sizes = { bytesMax: 2 ** 30, senderBytesMax: 2 ** 30 }
    const store = await EnvelopeStore.open(
      { dir: join(dir, 'bodies'), ...sizes },
      await openLevelStore(join(dir, 'index')),
    )
    const network = new MemoryNetwork(this.hub, { self, networkId: 'test', admission: () => 'peer' })
    const { final, chainId } = this.#chain
    const view = <H extends HumanAbi, N extends FunctionName<H>>(
      to: Address,
      abi: ContractAbi<H>,
      name: N,
      args: FunctionArgs<H, N>,
    ) => {
      const outcome = final.call({
        from: ZERO_ADDRESS,
        to,
        data: abi.encodeCall(name, args),
        value: 0n,
        gas: undefined,
      })
      return outcome.ok ? abi.decodeResult(name, outcome.returnData) : undefined
    }
    const calls = { view, context: final.context, call: final.call }
    const submit = (raw: Uint8Array) => {
      final.submit(raw)
      return { ok: false, code: 'MALFORMED' } as const
    }
    const delivery = new Delivery(
      { chainId, orphanBlocks: 1_000, roundMs: 10 },
      {
        network,
        store,
        chain: finalDeliveryChain({ calls, state: final.state, relays: () => false }),
        sign: (digest) => secp256k1.sign(digest, privateKey),
        confirm: confirmer({ chainId, self, privateKey, calls, nonce: () => final.pendingNonce(self), submit }),
        now: () => performance.now(),
        log: () => {},
      },
    )
    network.onFrame((from, _, frame) => void delivery.receive(from, frame))
    network.onPeer(({ connected }) => connected && delivery.peerConnected())
    await network.start()
    for (const [height, logs] of this.#blocks) void delivery.finalBlock(height, logs)
    delivery.start()
    const stop = async () => {
      await network.stop()
      await delivery.stop()
    }
    this.#running.set(self, { delivery, stop })
    return delivery
  }

  async stop(privateKey: Uint8Array): Promise<void> {
    const self = privateKeyToAddress(privateKey)
    const running = this.#running.get(self)
    this.#running.delete(self)
    await running?.stop()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ stop }) => stop()))
  }

  /** A client of the node with this key; `concordat_` methods fail while it is stopped. */
  client(privateKey: Uint8Array) {
    const self = privateKeyToAddress(privateKey)
    return this.#chain.client([], (method, params) => {
      if (!method.startsWith('concordat_')) return undefined
      const running = this.#running.get(self)
      if (running === undefined) throw new RpcClientError('UNREACHABLE', `the node of ${self} is down`)
      const found = new Map(deliveryMethods(running.delivery)).get(method)
      return Promise.resolve(
        found!.run(params, { deadlineMs: performance.now() + 5_000, remote: '', line: new Line() }),
      )
    })
  }
}
