/**
 * Range sync: a node that lags or starts empty fetches final blocks from its peers, checks links, seals and certificates
 * before it executes anything, and commits in order, epoch after epoch. Serving is bounded and paced.
 */

import { decodeCertificate } from '../consensus/codec.js'
import type { Certificate, SealedBlock, SealerSet, Verdict } from '../consensus/types.js'
import { type Address, asHeight, type Height } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { blockBytesMax, blocksFrameBytesMax } from '../core/limits.js'
import { CHANNEL, type Network } from '../p2p/network.js'
import { HeightClaims } from './claims.js'
import { type ChainPoint, followHeader, type HeaderRules } from './headerChain.js'
import { SYNC_BLOCKS_MAX, SYNC_BYTES_MAX, SYNC_REQUESTS_PER_SECOND_MAX, SYNC_TIMEOUT_MS } from './limits.js'
import { type ForeignReceipts, type ReceiptsRequest, receiptsAnswer } from './receiptsMessages.js'
import { readBody } from './sealedBlock.js'
import {
  decodeSyncMessage,
  encodeSyncMessage,
  type RangeRequest,
  type RangeResponse,
  type SyncedBlock,
  type SyncMessage,
} from './syncMessages.js'

/** What answers a question. */
export type SyncAnswer = Exclude<SyncMessage, { type: 'request' | 'receipts' | 'foreignRequest' }>

/** A range whose links and certificates hold; only this is imported. */
interface CheckedRange {
  readonly blocks: readonly {
    readonly sealed: SealedBlock
    readonly certificate: Certificate | null
    readonly encoded: Uint8Array
    /** Sealers of the next block. */
    readonly set: SealerSet
  }[]
}

export interface SyncNeeds {
  readonly network: Network
  readonly now: () => number
  readonly rules: HeaderRules
  /** Reads a block and checks its seal. Throws CodedError. */
  readonly readBlock: (payload: Uint8Array) => SealedBlock
  /** Final head that is queued or in the database. */
  readonly head: () => ChainPoint
  /** The block that closed the epoch of a final block; undefined while that epoch lasts. */
  readonly epochEnd: (height: Height) => Height | undefined
  /** A final block of this node with its certificate (empty when a later one covers it). */
  readonly serve: (height: Height) => SyncedBlock | undefined
  /** Receipts of a final block as they are stored. */
  readonly rawReceipts: (height: Height) => Uint8Array | undefined
  /** An answer to a question that was not asked here. */
  readonly onOtherAnswer: (from: Address, answer: SyncAnswer) => void
  readonly verify: (sealed: SealedBlock) => Verdict
  /** Commits an executed block; resolves when it is durable. */
  readonly commit: (sealed: SealedBlock, certificate: Uint8Array) => Promise<void>
  /** The database stands at `sealed`, final by `certificate`; `set` seals the next block. */
  readonly onSynced: (sealed: SealedBlock, certificate: Certificate, set: SealerSet) => void
  readonly fatal: (error: unknown) => void
  readonly log: (message: string, fields: Record<string, unknown>) => void
  /** Patience with an unanswered request, in ms. */
  readonly timeoutMs?: number
}

export class BlockSync {
  readonly #needs: SyncNeeds
  /** Final height of the peers that are worth asking. */
  readonly #heights = new Map<Address, Height>()
  readonly #claims = new HeightClaims()
  readonly #served = new Map<Address, { second: number; count: number }>()
  #startedAt: Height | undefined
  #request:
    | { readonly id: number; readonly peer: Address; readonly from: Height; readonly timer: NodeJS.Timeout }
    | undefined
  #importing = false
  #lastId = 0
  #stopped = false

  constructor(needs: SyncNeeds) {
    this.#needs = needs
  }

  /** Whether a peer was seen to be no further than this node. */
  get compared(): boolean {
    return this.#claims.compared
  }

  /** Where sync stands, or false when there is none that anyone but a single peer speaks of. */
  status(): false | { readonly startingBlock: Height; readonly currentBlock: Height; readonly highestBlock: Height } {
    const { height, set } = this.#needs.head()
    const target = this.#claims.believed(set)
    if (this.#startedAt === undefined || target <= height) return false
    return { startingBlock: this.#startedAt, currentBlock: height, highestBlock: target }
  }

  /** `peer` says how far its final chain reaches. */
  heard(peer: Address, height: Height): void {
    this.#claims.heard(peer, height, this.#needs.head().height)
  }

  /** `peer` says that it has final blocks up to `height`, which are worth fetching. */
  lagging(peer: Address, height: Height): void {
    this.heard(peer, height)
    if (height > (this.#heights.get(peer) ?? -1)) this.#heights.set(peer, height)
    this.#next()
  }

  /** A frame of the blocks channel. Returns the peer's fault, if there is one. */
  receive(from: Address, frame: Uint8Array): string | undefined {
    let message: SyncMessage
    try {
      message = decodeSyncMessage(frame)
    } catch (error) {
      if (error instanceof CodedError) return `MALFORMED: ${error.message}`
      throw error
    }
    switch (message.type) {
      case 'request':
        if (this.#mayAsk(from)) this.#serve(from, message)
        return undefined
      case 'receipts':
      case 'foreignRequest':
        if (this.#mayAsk(from)) this.#serveReceipts(from, message)
        return undefined
      case 'response':
        if (this.#isAnswer(from, message)) return this.#take(from, this.#request!.from, message)
    }
    this.#needs.onOtherAnswer(from, message)
    return undefined
  }

  peerGone(peer: Address): void {
    this.#heights.delete(peer)
    this.#claims.gone(peer)
    this.#served.delete(peer)
    if (this.#request?.peer === peer) this.#finishRequest()
    this.#next()
  }

  stop(): void {
    this.#stopped = true
    this.#finishRequest()
  }

  #next(): void {
    if (this.#stopped || this.#importing || this.#request !== undefined) return
    const { height } = this.#needs.head()
    const peers = [...this.#heights].filter(([, theirs]) => theirs > height).map(([peer]) => peer)
    if (peers.length === 0) {
      this.#startedAt = undefined
      return
    }
    this.#startedAt ??= height
    const id = ++this.#lastId
    const peer = peers[id % peers.length]!
    const to = asHeight(Math.min(this.#heights.get(peer)!, height + SYNC_BLOCKS_MAX))
    const from = asHeight(height + 1)
    const timer = setTimeout(() => this.#giveUp(peer), this.#needs.timeoutMs ?? SYNC_TIMEOUT_MS)
    this.#request = { id, peer, from, timer }
    const request = encodeSyncMessage({ type: 'request', id, from, to })
    if (!this.#needs.network.send(peer, CHANNEL.blocks, request)) this.#giveUp(peer)
  }

  /** Turns to another peer until this one is seen to have blocks again. */
  #giveUp(peer: Address): void {
    this.#heights.delete(peer)
    this.#finishRequest()
    this.#next()
  }

  #finishRequest(): void {
    clearTimeout(this.#request?.timer)
    this.#request = undefined
  }

  #isAnswer(from: Address, { id }: RangeResponse): boolean {
    return this.#request?.id === id && this.#request.peer === from
  }

  #take(from: Address, first: Height, { blocks }: RangeResponse): string | undefined {
    const checked = blocks.length === 0 ? undefined : this.#check(first, blocks)
    if (checked === undefined || typeof checked === 'string') {
      this.#giveUp(from)
      return checked
    }
    this.#finishRequest()
    this.#importing = true
    this.#import(checked)
      .catch((error) => this.#needs.fatal(error))
      .finally(() => {
        this.#importing = false
        this.#next()
      })
    return undefined
  }

  /** Links, seals, bodies and certificates, before anything is executed. A string is the peer's fault. */
  #check(from: Height, blocks: readonly SyncedBlock[]): CheckedRange | string {
    const { readBlock, rules, head } = this.#needs
    let point = head()
    const checked: CheckedRange['blocks'][number][] = []
    if (blocks.at(-1)!.certificate.length === 0) return 'SYNC_CERTIFICATE: the last block of a range must have one'
    for (const [index, { block, certificate: encoded }] of blocks.entries()) {
      try {
        const sealed = readBlock(block)
        if (sealed.height !== from + index) return `SYNC_LINK: block ${sealed.height} in place of block ${from + index}`
        // Consensus was faster.
        if (sealed.height <= point.height) continue
        const { header } = readBody(block)
        const certificate = encoded.length === 0 ? null : decodeCertificate(encoded)
        point = followHeader(point, { hash: sealed.hash, header }, certificate, rules)
        checked.push({ sealed, certificate, encoded, set: point.set })
      } catch (error) {
        if (error instanceof CodedError) return `${error.code}: ${error.message}`
        throw error
      }
    }
    return { blocks: checked }
  }

  async #import(range: CheckedRange): Promise<void> {
    for (const { sealed, certificate, encoded, set } of range.blocks) {
      if (this.#stopped) return
      if (sealed.height <= this.#needs.head().height) continue
      const verdict = this.#needs.verify(sealed)
      if (!verdict.ok)
        throw new Error(`final block ${sealed.height} (${sealed.hash}) fails execution here: ${verdict.reason} (R15)`)
      await this.#needs.commit(sealed, encoded)
      if (certificate !== null) this.#needs.onSynced(sealed, certificate, set)
    }
    const last = range.blocks.at(-1)
    if (last !== undefined) this.#needs.log('synced', { height: last.sealed.height, epoch: last.set.epoch })
  }

  /** Whether a request of this peer is answered; ranges and receipts count alike. */
  #mayAsk(peer: Address): boolean {
    const second = Math.floor(this.#needs.now() / 1_000)
    const served = this.#served.get(peer)
    const count = served?.second === second ? served.count + 1 : 1
    this.#served.set(peer, { second, count })
    return count <= SYNC_REQUESTS_PER_SECOND_MAX
  }

  /** A version that is not known here gets an empty answer of this one. */
  #serveReceipts(peer: Address, request: ReceiptsRequest | ForeignReceipts) {
    const { id } = request
    const answer: SyncAnswer =
      request.type === 'receipts'
        ? receiptsAnswer(request, this.#needs.rawReceipts)
        : { type: 'receiptsResponse', id, blocks: [] }
    this.#needs.network.send(peer, CHANNEL.blocks, encodeSyncMessage(answer))
  }

  #serve(peer: Address, { id, from, to }: RangeRequest): void {
    const blocks: SyncedBlock[] = []
    let bytes = 0
    // Only a finality that failed for as many notarized blocks in a row as make a range would leave nothing to serve.
    // Each epoch is a range of its own: whoever imports it knows the next one's sealers before their certificates come.
    const end = Math.min(to, this.#needs.epochEnd(from) ?? to)
    for (let height = from; height <= end && blocks.length < SYNC_BLOCKS_MAX; height = asHeight(height + 1)) {
      // A range must end with a certificate: go on beyond the usual size to find one.
      const certified = (blocks.at(-1)?.certificate.length ?? 1) > 0
      if (bytes > (certified ? SYNC_BYTES_MAX : blocksFrameBytesMax - 2 * blockBytesMax)) break
      const found = this.#needs.serve(height)
      if (found === undefined) break
      blocks.push(found)
      bytes += found.block.length + found.certificate.length
    }
    while (blocks.length > 0 && blocks.at(-1)!.certificate.length === 0) blocks.pop()
    this.#needs.network.send(peer, CHANNEL.blocks, encodeSyncMessage({ type: 'response', id, blocks }))
  }
}
