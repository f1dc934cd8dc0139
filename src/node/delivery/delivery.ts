/**
 * Envelopes from node to node: takes them from senders over RPC and from other nodes, keeps them until they expire or are
 * erased, brings them to the recipients' nodes, hands them out to recipients. Nothing of it touches consensus.
 */
import { type Address, asHeight } from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { envelopeBytesPerSecondMax, envelopeCostBytes } from '../../core/limits.js'
import type { Log } from '../../core/receipt.js'
import { claimDigest, receiptDigest } from '../../crypto/envelopeSlip.js'
import { recoverAddress } from '../../crypto/secp256k1.js'
import type { Network } from '../../p2p/network.js'
import type { DeliveryApi, EnvelopeStatus, HandedEnvelope } from '../../rpc/deliveryApi.js'
import { LruMap } from '../lru.js'
import { checkAdmission, senderOf } from './admission.js'
import type { DeliveryChain } from './deliveryChain.js'
import { DeliveryError } from './deliveryError.js'
import type { EnvelopeStore } from './envelopeStore.js'
import { Erasures } from './erasures.js'
import {
  type DeliveryMessage,
  decodeDeliveryMessage,
  type EnvelopeMessage,
  type SignedMessage,
  type SignedSlip,
} from './messages.js'
import { Outgoing, type Overdue, waitingFor } from './outgoing.js'
import { RateBucket } from './rate.js'
import { type DropReason, type EnvelopeId, type HeldEnvelope, idText } from './records.js'
import { Routes } from './routes.js'

export interface DeliveryOptions {
  readonly chainId: number
  readonly orphanBlocks: number
  /** How often what is due is looked for; default 250. */
  readonly roundMs?: number
}

export interface DeliveryNeeds {
  readonly network: Network
  readonly store: EnvelopeStore
  readonly chain: DeliveryChain
  /** Signs a digest with this node's key: 65 bytes. */
  readonly sign: (digest: Uint8Array) => Uint8Array
  /** Puts confirmErasure on chain; false when the chain does not want it any more. */
  readonly confirm: (id: EnvelopeId) => boolean
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', fields: Record<string, unknown>, message: string) => void
}

export interface DeliveryCounts {
  readonly stored: number
  readonly bytes: number
  readonly waiting: number
  readonly owed: number
}

/** Envelopes whose claims were sent lately; they are not claimed again at once. */
const CLAIMS_MAX = 1_024
const CLAIM_MS = 1_000
/** Bytes of envelopes of peers that are being checked and stored; beyond it frames are dropped. */
const INFLIGHT_BYTES_MAX = 32 * 1024 * 1024

export class Delivery implements DeliveryApi {
  readonly #options: DeliveryOptions
  readonly #needs: DeliveryNeeds
  readonly #member: Address
  readonly #routes: Routes
  readonly #outgoing: Outgoing
  readonly #erasures: Erasures
  readonly #budgets = new Map<Address, RateBucket>()
  readonly #claims = new LruMap<string, number>(CLAIMS_MAX)
  /** Called when anything about an envelope changed. */
  readonly #watchers = new Map<string, Set<() => void>>()
  #inflightBytes = 0
  #chainWork: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #failedBlock = false

  constructor(options: DeliveryOptions, needs: DeliveryNeeds) {
    this.#options = options
    this.#needs = needs
    const { chain, store, network, now } = needs
    this.#member = chain.ownerOf(network.self)
    this.#routes = new Routes({ network, chain })
    this.#outgoing = new Outgoing({ chain, now, send: (held, to) => this.#send(held, to) })
    this.#erasures = new Erasures({
      member: this.#member,
      store,
      chain,
      orphanBlocks: options.orphanBlocks,
      confirm: (id) => this.#confirm(id),
      onDrop: (held, reason) => this.#dropped(held, reason),
      now,
    })
    for (const held of store.all()) this.#outgoing.add(held)
  }

  /** The member whose node this is. */
  get carrier(): Address {
    return this.#member
  }

  /** First block whose events were not acted on. */
  get nextBlock(): number {
    return this.#erasures.next
  }

  overdue(): readonly Overdue[] {
    return this.#outgoing.overdue()
  }

  counts(): DeliveryCounts {
    const { store } = this.#needs
    const waiting = this.#outgoing.waiting
    return { stored: store.all().length, bytes: store.bytes, waiting, owed: store.owed().length }
  }

  start(): void {
    this.#timer = setInterval(() => this.#round(), this.#options.roundMs ?? 250)
  }

  /** Waits for writes under way and closes the store. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const watchers of this.#watchers.values()) for (const wake of watchers) wake()
    await this.#chainWork.catch(() => {})
    await this.#needs.store.close()
  }

  /** Takes note of the logs of a final block, in order of height; blocks that were read before are passed over. */
  finalBlock(height: number, logs: Iterable<Log>): Promise<void> {
    const kept = [...logs]
    this.#chainWork = this.#chainWork.then(async () => {
      if (this.#stopped || this.#failedBlock || height < this.#erasures.next) return
      try {
        await this.#erasures.block(height, kept)
      } catch (error) {
        // Later blocks must not be noted as read: the next start begins here.
        this.#failedBlock = true
        this.#needs.log(
          'error',
          { height, reason: String(error) },
          'erasures of a block failed: check the disk, then restart',
        )
      }
    })
    return this.#chainWork
  }

  peerConnected(): void {
    this.#outgoing.hurry()
    this.#round()
  }

  peerGone(peer: Address): void {
    this.#budgets.delete(peer)
  }

  /** A frame of the envelopes channel. Returns the peer's fault, if there is one. */
  receive(peer: Address, frame: Uint8Array): string | undefined {
    if (this.#stopped || !this.#budget(peer).take(frame.length + envelopeCostBytes, this.#needs.now())) return undefined
    let message: DeliveryMessage
    try {
      message = decodeDeliveryMessage(frame)
    } catch (error) {
      if (error instanceof CodedError) return `MALFORMED: ${error.message}`
      throw error
    }
    if (message.to !== this.#needs.network.self) this.#routes.passOn(peer, message, frame)
    else void this.#take(peer, message, frame.length)
    return undefined
  }

  /** Takes an envelope of a sender; resolves when it is durable and delivered, or after `waitMs`. Throws DeliveryError. */
  async deliver({ slip, body }: HandedEnvelope, waitMs: number): Promise<EnvelopeStatus> {
    const sender = senderOf(this.#options.chainId, slip, this.#needs.chain)
    const id = { sender, hash: slip.hash }
    checkAdmission(sender, slip, body, this.#needs.chain)
    await this.#store({ ...id, slip }, body, true)
    const held = this.#needs.store.get(id)
    if (held !== undefined) this.#outgoing.add(held)
    this.#round()
    await this.#until(id, () => this.status(id).state !== 'waiting', waitMs)
    return this.status(id)
  }

  /** The envelope for a recipient who signed the claim; null while it is not here. Throws DeliveryError. */
  async envelope(key: EnvelopeId, signature: Uint8Array): Promise<Uint8Array | null> {
    const { store, chain } = this.#needs
    const claimant = this.#claimant(key, signature)
    const id = this.#idOf(key)
    const held = store.get(id)
    if (held !== undefined && !held.slip.recipients.includes(claimant)) throw notRecipient(claimant)
    const body = held && (await store.body(held))
    if (body !== undefined) return body
    const known = chain.announced(id)
    if (known !== undefined && known.recipient !== claimant) throw notRecipient(claimant)
    if (known?.erasureAsked || store.tombstone(id)) throw new DeliveryError('ERASED', `envelope ${id.hash} is erased`)
    if (known !== undefined) this.#claim(key, known.carrier, signature)
    return null
  }

  status(key: EnvelopeId): EnvelopeStatus {
    const { store } = this.#needs
    const id = this.#idOf(key)
    const held = store.get(id)
    const base = { sender: id.sender, hash: id.hash, carrier: this.#member }
    if (held === undefined) {
      const state = store.tombstone(id)?.reason ?? 'unknown'
      return { ...base, state, lengthBytes: null, expiresAt: null, recipients: [] }
    }
    const { slip, outgoing, receipts } = held
    const recipients = slip.recipients.map((address) => ({ address, delivered: receipts.has(address) }))
    const state = !outgoing ? 'held' : waitingFor(held).length > 0 ? 'waiting' : 'delivered'
    return { ...base, state, lengthBytes: slip.lengthBytes, expiresAt: asHeight(slip.expiresAt), recipients }
  }

  #round(): void {
    if (this.#stopped) return
    this.#erasures.remind()
    this.#outgoing.round().catch((error: unknown) => this.#failed(error))
  }

  #failed(error: unknown): void {
    this.#needs.log('error', { reason: String(error) }, 'an envelope could not be read or stored')
  }

  async #take(peer: Address, message: DeliveryMessage, bytes: number): Promise<void> {
    if (this.#inflightBytes + bytes > INFLIGHT_BYTES_MAX) return
    this.#inflightBytes += bytes
    try {
      if (message.kind === 'envelope') await this.#takeEnvelope(peer, message)
      else if (message.kind === 'receipt') await this.#takeReceipt(message)
      else await this.#takeClaim(peer, message)
    } catch (error) {
      if (!(error instanceof DeliveryError)) return this.#failed(error)
      this.#needs.log('warn', { peer, code: error.code, reason: error.message }, 'an envelope of a peer was refused')
    } finally {
      this.#inflightBytes -= bytes
    }
  }

  async #takeEnvelope(peer: Address, { from, slip, body }: EnvelopeMessage): Promise<void> {
    const { chain, network, sign } = this.#needs
    const { chainId } = this.#options
    const sender = senderOf(chainId, slip, chain)
    const id = { sender, hash: slip.hash }
    if (!slip.recipients.includes(this.#member)) throw notRecipient(this.#member)
    checkAdmission(sender, slip, body, chain)
    await this.#store({ ...id, slip }, body, false)
    const signature = sign(receiptDigest(chainId, sender, slip.hash))
    this.#routes.send({ kind: 'receipt', to: from, from: network.self, ...id, signature }, peer)
  }

  async #takeReceipt({ sender, hash, signature }: SignedMessage): Promise<void> {
    const id = { sender, hash }
    const signer = recoverAddress(receiptDigest(this.#options.chainId, sender, hash), signature)
    const held = this.#needs.store.get(id)
    if (signer === null || held === undefined) return
    const recipient = this.#needs.chain.memberOf(signer)
    if (!waitingFor(held).includes(recipient)) return
    await this.#needs.store.update(id, (now) => ({ ...now, receipts: new Map(now.receipts).set(recipient, signature) }))
    this.#outgoing.acknowledged(id, recipient)
    this.#changed(id)
  }

  /** A recipient's node asks again, since it has lost what it had or never had it. */
  async #takeClaim(peer: Address, { from, sender, hash, signature }: SignedMessage): Promise<void> {
    const id = { sender, hash }
    const held = this.#needs.store.get(this.#idOf(id))
    if (held === undefined) return
    const claimant = this.#claimant(id, signature)
    if (!held.slip.recipients.includes(claimant)) throw notRecipient(claimant)
    await this.#send(held, from, peer)
  }

  async #send(held: HeldEnvelope, to: Address, via?: Address): Promise<boolean> {
    const body = await this.#needs.store.body(held)
    if (body === undefined) {
      this.#needs.log('error', { envelope: idText(held) }, 'the bytes of an envelope are gone or changed')
      return false
    }
    return this.#routes.send({ kind: 'envelope', to, from: this.#needs.network.self, slip: held.slip, body }, via)
  }

  async #store(id: EnvelopeId & { readonly slip: SignedSlip }, body: Uint8Array, outgoing: boolean): Promise<void> {
    const { store, chain, sign } = this.#needs
    const receipts = new Map<Address, Uint8Array>()
    const own = id.slip.recipients.includes(this.#member)
    if (outgoing && own) receipts.set(this.#member, sign(receiptDigest(this.#options.chainId, id.sender, id.hash)))
    const announced = chain.announced(id) !== undefined
    const { sender, hash, slip } = id
    const held = { sender, hash, slip, storedAt: chain.height(), announced, outgoing, receipts }
    await store.put(held, body)
    if (outgoing) await this.#carry(held)
    const stored = store.get(id)
    if (stored !== undefined) this.#erasures.noted(stored)
    // Its erasure may have been asked for while it was being written.
    if (chain.announced(id)?.erasureAsked) await store.drop({ sender, hash }, 'erased', slip.expiresAt, false)
    this.#changed(id)
  }

  /** One that came for this node's own member may be handed to it by the sender as well. */
  async #carry({ receipts, ...id }: HeldEnvelope): Promise<void> {
    if (this.#needs.store.get(id)?.outgoing !== false) return
    await this.#needs.store.update(id, (held) => ({ ...held, outgoing: true, receipts }))
  }

  /** Who looks at a transaction sees the key that signed it; envelopes are kept by member. */
  #idOf({ sender, hash }: EnvelopeId): EnvelopeId {
    return { sender: this.#needs.chain.ownerOf(sender), hash }
  }

  #claimant({ sender, hash }: EnvelopeId, signature: Uint8Array): Address {
    const signer = recoverAddress(claimDigest(this.#options.chainId, sender, hash), signature)
    if (signer === null) throw new DeliveryError('BAD_SIGNATURE', 'the signature of the claim fits no key: sign again')
    return this.#needs.chain.memberOf(signer)
  }

  #claim(id: EnvelopeId, carrier: Address, signature: Uint8Array): void {
    const { chain, network, now } = this.#needs
    const key = idText(id)
    if (now() - (this.#claims.get(key) ?? Number.NEGATIVE_INFINITY) < CLAIM_MS) return
    this.#claims.set(key, now())
    for (const to of chain.nodesOf(carrier)) {
      if (to !== network.self) this.#routes.send({ kind: 'claim', to, from: network.self, ...id, signature })
    }
  }

  #confirm(id: EnvelopeId): void {
    if (this.#needs.confirm(id)) return
    this.#needs.store.settle(id).catch((error: unknown) => this.#failed(error))
  }

  #dropped(held: HeldEnvelope, reason: DropReason): void {
    this.#outgoing.drop(held)
    this.#needs.log('info', { envelope: held.hash, sender: held.sender, reason }, 'an envelope was erased')
    this.#changed(held)
  }

  #changed(id: EnvelopeId): void {
    for (const wake of this.#watchers.get(idText(id)) ?? []) wake()
  }

  async #until(id: EnvelopeId, done: () => boolean, waitMs: number): Promise<void> {
    if (done() || waitMs <= 0) return
    const key = idText(id)
    const watchers = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, watchers)
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer)
        watchers.delete(wake)
        if (watchers.size === 0) this.#watchers.delete(key)
        resolve()
      }
      const timer = setTimeout(finish, waitMs)
      const wake = () => {
        if (this.#stopped || done()) finish()
      }
      watchers.add(wake)
    })
  }

  #budget(peer: Address): RateBucket {
    let budget = this.#budgets.get(peer)
    if (budget === undefined) {
      budget = new RateBucket(this.#needs.now(), envelopeBytesPerSecondMax)
      this.#budgets.set(peer, budget)
    }
    return budget
  }
}

const notRecipient = (account: Address) =>
  new DeliveryError('NOT_A_RECIPIENT', `${account} is no recipient of this envelope: sign with a recipient's key`)
