/** What tests do with the sealers of a real network: nodes by index, each acting with its own key as the commands do. */
import { connect } from '../../src/agent/connection.js'
import { members, sealers, view } from '../../src/agent/contractClient.js'
import { act } from '../../src/cli/sealer/act.js'
import { type ChangeRow, readChange } from '../../src/cli/sealer/read.js'
import { CHANGE_KIND, ROLE } from '../../src/contracts/codes.js'
import type { sealersAbi } from '../../src/contracts/sealers.abi.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, fromHex, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import type { FunctionArgs } from '../../src/vm/abiTypes.js'
import { eventually, type LocalNetwork } from './localNetwork.js'

type VoteKind = 'add' | 'remove' | 'replace'

export class SealerDesk {
  #auditors = 0
  /** Highest block in which something was done. */
  #height = 0

  constructor(readonly net: LocalNetwork) {}

  address(node: number): Address {
    return this.net.network.nodes[node]!.address
  }

  key(node: number): Uint8Array {
    const { department, name } = this.net.network.nodes[node]!
    return fromHex(this.net.network.accounts[department ?? name]!.privateKey)
  }

  /** Flags of a command that `node` signs, sent to its own RPC. */
  as(node: number) {
    return { network: this.net.dir, as: this.net.network.nodes[node]!.name }
  }

  /** The operator registers a member, through the RPC of node `via`. Returns the block. */
  async register(account: Address, role: number, name: string, via = 0): Promise<number> {
    const member = { account, role, id: textId(name), name, encryptionKey: ZERO_HASH }
    return this.operate(via, (sender) => sender.send(members, 'registerMember', { member }))
  }

  async setStatus(account: Address, status: number): Promise<number> {
    return this.operate(0, (sender) => sender.send(members, 'setStatus', { account, status }))
  }

  /** One more block at least, which changes nothing for the sealers; its height. */
  async work(via = 0): Promise<number> {
    const n = ++this.#auditors
    return this.register(`0x${n.toString(16).padStart(40, 'a')}` as Address, ROLE.auditor, `auditor-${n}`, via)
  }

  /** A new node's folder, its membership, its process: from empty, with genesis and `peer`. */
  async join(name: string, peer = 0): Promise<number> {
    const node = await this.net.add(name, this.net.network.nodes[peer]!.name)
    await this.register(this.address(node), ROLE.sealer, name)
    await this.net.restart(node)
    return node
  }

  /** A command signed by `node` on its own RPC, once that node has seen all that was done before. */
  async act<N extends Parameters<typeof act>[1]>(node: number, name: N, args: FunctionArgs<typeof sealersAbi, N>) {
    await eventually(
      async () => Number(await this.net.client(node).call('eth_blockNumber')) >= this.#height,
      `node ${node} to reach block ${this.#height}`,
    )
    const done = await act(this.as(node), name, args)
    this.#height = Math.max(this.#height, done.block)
    return done
  }

  async volunteer(node: number): Promise<void> {
    await this.act(node, 'volunteer', { multiaddr: this.net.network.nodes[node]!.p2p })
  }

  /** Proposed by the first of `by`, approved by the others; how it stands then. */
  async change(
    kind: VoteKind,
    sealer: number,
    by: readonly number[],
    replacement: Address = ZERO_ADDRESS,
  ): Promise<ChangeRow> {
    const [first, ...others] = by as [number, ...number[]]
    const proposal = { kind: CHANGE_KIND[kind], sealer: this.address(sealer), replacement, reason: 'for a test' }
    const { changeId } = await this.act(first, 'proposeChange', proposal)
    for (const node of others) await this.act(node, 'approveChange', { id: changeId! })
    return readChange(this.as(others.at(-1) ?? first), changeId!)
  }

  /** Waits until all of `nodes` name these sealers; the epoch. */
  async sealers(nodes: readonly number[], expected: readonly number[]): Promise<number> {
    const wanted = expected.map((node) => this.address(node)).sort()
    return eventually(
      async () => {
        const sets = await Promise.all(nodes.map((node) => view(this.net.client(node), sealers, 'sealers', {})))
        const epochs = new Set(sets.map(({ epoch }) => epoch))
        const same = sets.every(({ addresses }) => `${[...addresses].sort()}` === `${wanted}`)
        return same && epochs.size === 1 ? Number(sets[0]!.epoch) : undefined
      },
      `sealers ${expected.join(', ')} on nodes ${nodes.join(', ')}`,
    )
  }

  /** Waits until `nodes` have the same head; it. */
  agree(nodes: readonly number[]) {
    return eventually(
      async () => {
        const heads = await Promise.all(
          nodes.map((node) => this.net.client(node).call('eth_getBlockByNumber', 'latest', false)),
        )
        return heads.every((head) => head!.hash === heads[0]!.hash) ? heads[0] : undefined
      },
      `nodes ${nodes.join(', ')} to agree`,
    )
  }

  /** Makes blocks until `node` has sealed one of them. */
  seals(node: number, via = 0) {
    return eventually(async () => {
      const height = await this.work(via)
      const block = await this.net.client(via).call('eth_getBlockByNumber', `0x${height.toString(16)}`, false)
      return block!.miner === this.address(node)
    }, `node ${node} to seal a block`)
  }

  /** Waits until `node` is connected with exactly these others. */
  connected(node: number, others: readonly number[]) {
    const wanted = others.map((other) => this.address(other)).sort()
    return eventually(
      async () => {
        const peers = await this.net.client(node).call('concordat_peers')
        const found = peers.filter((peer) => peer.connected).map((peer) => peer.address)
        return `${found.sort()}` === `${wanted}`
      },
      `node ${node} to be connected with ${others.join(', ')}`,
    )
  }

  async operate(
    via: number,
    send: (sender: Awaited<ReturnType<typeof connect>>['sender']) => Promise<`0x${string}`>,
  ): Promise<number> {
    const privateKey = fromHex(this.net.network.accounts.operator!.privateKey)
    const connection = await connect({ rpc: { url: this.net.network.nodes[via]!.rpc }, privateKey })
    try {
      const receipt = await connection.sender.final((await send(connection.sender)) as never)
      if (receipt.status !== '0x1')
        throw new Error(`the operator's transaction ${receipt.transactionHash} had no effect`)
      this.#height = Math.max(this.#height, Number(receipt.blockNumber))
      return Number(receipt.blockNumber)
    } finally {
      connection.close()
    }
  }
}
