/** Sends transactions of one account: nonces in order, signing, waiting for the final receipt. */
import { assert } from '../core/assert.js'
import { type Address, type Hash, toHex } from '../core/bytes.js'
import { agentCacheEntriesMax } from '../core/limits.js'
import type { UnsignedTransaction } from '../core/transaction.js'
import type { RpcClient } from '../rpc/client.js'
import { RpcError } from '../rpc/errors.js'
import type { RpcReceipt } from '../rpc/wire.js'
import type { FunctionArgs, FunctionName, HumanAbi } from '../vm/abiTypes.js'
import { asRevert, type Contract, ContractRevert } from './contractClient.js'
import { type Fee, readFee } from './fee.js'
import { type Heads, WaitError } from './heads.js'
import { replacedKey } from './replacedKey.js'
import type { SignedTransaction, Signer, TypedData, TypedSigner } from './signer.js'

export interface SenderOptions {
  readonly chainId: number
  readonly signer: Signer
  /** How long a transaction may take to become final; default 30,000. */
  readonly finalTimeoutMs?: number
}

export interface SenderNeeds {
  readonly client: RpcClient
  readonly heads: Heads
}

/** What has to be durable before a transaction may leave. */
export type BeforeHandOver = (hash: Hash) => Promise<void>

export interface TransactionSender extends TypedSigner {
  readonly address: Address
  /**
   * Signs and hands to the node; resolves with the hash when the node has taken it. Without `gasLimit` the node estimates first, so a
   * contract's refusal costs nothing. `beforeHandOver` gets the hash of each signed transaction and is awaited before the node gets it; a
   * wallet that signs and sends in one does not let it be called.
   * Throws ContractRevert, AgentError KEY_REPLACED, RpcError or RpcClientError.
   */
  send<H extends HumanAbi, N extends FunctionName<H>>(
    contract: Contract<H>,
    name: N,
    args: FunctionArgs<H, N>,
    gasLimit?: bigint,
    beforeHandOver?: BeforeHandOver,
  ): Promise<Hash>
  /**
   * The receipt once the transaction is final, whatever its status. Throws WaitError; after its TIMEOUT the node may have lost
   * the transaction, or have it still: look at what it was to change before doing that again. After OVERTAKEN it can be done again.
   */
  final(hash: Hash): Promise<RpcReceipt>
}

/** Pause between looks whether somebody else with this key, at another node perhaps, has used a nonce. */
const NONCE_LOOK_MS = 1_500

/** How often one transaction is signed again because another process with this key took its nonce. */
const NONCE_TRIES = 8

/** The state may grow between estimate and execution: a fifth more, and some storage words. */
const withMargin = (gas: bigint): bigint => (gas * 6n) / 5n + 50_000n

export function createSender(options: SenderOptions, needs: SenderNeeds): TransactionSender {
  return new Sender(options, needs)
}

/** `known`: the node had these very bytes before, their answer was lost; they may be final already. Wallets do not tell the nonce. */
interface Submitted {
  readonly hash: Hash
  readonly known: boolean
  readonly nonce: bigint | undefined
}

/** Newest final block seen before a transaction was sent: it is in a later one. Undefined when it may be in an earlier one. */
interface Sent {
  readonly nonce: bigint | undefined
  readonly afterHeight: number | undefined
}

class Sender implements TransactionSender {
  readonly address: Address
  readonly #options: SenderOptions
  readonly #needs: SenderNeeds
  /** Next nonce; null when it has to be read from the node. */
  #nonce: bigint | null = null
  /** Read before the first transaction. */
  #fee: Fee | undefined
  readonly #sent = new Map<Hash, Sent>()
  /** Transactions reach the node in the order of their nonces. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: SenderOptions, needs: SenderNeeds) {
    this.#options = options
    this.#needs = needs
    this.address = options.signer.address
  }

  sign(digest: Uint8Array): Promise<Uint8Array> {
    return this.#options.signer.sign(digest)
  }

  signTypedData(data: TypedData, digest: Uint8Array): Promise<Uint8Array> {
    return this.#options.signer.signTypedData(data, digest)
  }

  async send<H extends HumanAbi, N extends FunctionName<H>>(
    contract: Contract<H>,
    name: N,
    args: FunctionArgs<H, N>,
    gasLimit?: bigint,
    beforeHandOver?: BeforeHandOver,
  ): Promise<Hash> {
    const data = contract.abi.encodeCall(name, args)
    const gas = gasLimit ?? (await this.#estimate(contract, data))
    const afterHeight = this.#needs.heads.height
    const sent = this.#tail.then(() => this.#submit(contract.address, data, gas, beforeHandOver))
    this.#tail = sent.catch(() => {})
    const { hash, known, nonce } = await sent
    if (this.#sent.size >= agentCacheEntriesMax) this.#sent.clear()
    this.#sent.set(hash, { nonce, afterHeight: known ? undefined : afterHeight })
    return hash
  }

  async final(hash: Hash): Promise<RpcReceipt> {
    const { client, heads } = this.#needs
    const check = async () => (await client.call('eth_getTransactionReceipt', hash)) ?? undefined
    const timeoutMs = this.#options.finalTimeoutMs ?? 30_000
    const { nonce, afterHeight } = this.#sent.get(hash) ?? {}
    this.#sent.delete(hash)
    const nonceWatch = nonce === undefined ? undefined : this.#watchNonce(hash, nonce, check)
    const waiting = heads.until(check, timeoutMs, `transaction ${hash} to become final`, afterHeight)
    try {
      return await (nonceWatch === undefined ? waiting : Promise.race([waiting, nonceWatch.overtaken]))
    } catch (error) {
      if (!(error instanceof WaitError) || error.code === 'STOPPED') throw error
      // A node that lost it waits for its nonce, and everything later behind it.
      this.#nonce = null
      // No head may have been heard of meanwhile; whoever sends again must not do so in vain.
      const late = await check().catch(() => undefined)
      if (late === undefined) throw error
      return late
    } finally {
      nonceWatch?.stop()
    }
  }

  /** `overtaken` rejects with WaitError OVERTAKEN once the account's nonce is past this one and there is no receipt; it never resolves. */
  #watchNonce(hash: Hash, nonce: bigint, check: () => Promise<RpcReceipt | undefined>) {
    const { client } = this.#needs
    let timer: ReturnType<typeof setTimeout> | undefined
    let stopped = false
    const isOvertaken = async () => {
      const next = BigInt(await client.call('eth_getTransactionCount', this.address, 'latest'))
      return next > nonce && (await check()) === undefined
    }
    const overtaken = new Promise<never>((_, reject) => {
      const look = async () => {
        // A node that cannot be asked is asked again.
        const isInVain = await isOvertaken().catch(() => false)
        if (stopped) return
        timer = setTimeout(look, NONCE_LOOK_MS)
        const message = `transaction ${hash} has no effect: another one of ${this.address} took its nonce; do it again`
        if (isInVain) reject(new WaitError('OVERTAKEN', message))
      }
      timer = setTimeout(look, NONCE_LOOK_MS)
    })
    const stop = () => {
      stopped = true
      clearTimeout(timer)
    }
    return { overtaken, stop }
  }

  async #estimate<H extends HumanAbi>(contract: Contract<H>, data: Uint8Array): Promise<bigint> {
    const call = { from: this.address, to: contract.address, data: toHex(data) }
    try {
      return withMargin(BigInt(await this.#needs.client.call('eth_estimateGas', call)))
    } catch (error) {
      throw await this.#refusal(asRevert(contract, error))
    }
  }

  /** Contracts take a key that was replaced for a stranger's: the refusal would not say why. */
  async #refusal(error: unknown): Promise<unknown> {
    if (!(error instanceof ContractRevert && error.error.startsWith('Not'))) return error
    return (await replacedKey(this.#needs.client, this.address).catch(() => undefined)) ?? error
  }

  async #submit(to: Address, data: Uint8Array, gasLimit: bigint, before?: BeforeHandOver): Promise<Submitted> {
    const { transactions } = this.#options.signer
    if ('send' in transactions) {
      assert(before === undefined, 'a wallet lets nothing be done between signing and sending')
      return { hash: await transactions.send({ to, data, gasLimit }), known: false, nonce: undefined }
    }
    for (let tries = 1; ; tries++) {
      const { hash, raw, nonce } = await this.#sign(transactions.sign, to, data, gasLimit)
      if (before) await before(hash)
      try {
        const known = await this.#hand(raw, hash)
        // Unless it was given up meanwhile.
        if (this.#nonce === nonce) this.#nonce = nonce + 1n
        return { hash, known, nonce }
      } catch (error) {
        this.#nonce = null
        if (!isNonceFault(error) || tries === NONCE_TRIES) throw error
      }
    }
  }

  /** True when the node had these very bytes before, in its pool or in a final block. */
  async #hand(raw: Uint8Array, hash: Hash): Promise<boolean> {
    const { client } = this.#needs
    try {
      await client.call('eth_sendRawTransaction', toHex(raw))
      return false
    } catch (error) {
      if (error instanceof RpcError && error.message.startsWith('already known')) return true
      if (isNonceFault(error) && (await client.call('eth_getTransactionReceipt', hash)) !== null) return true
      throw error
    }
  }

  async #sign(
    sign: (unsigned: UnsignedTransaction) => Promise<SignedTransaction>,
    to: Address,
    data: Uint8Array,
    gasLimit: bigint,
  ) {
    const { client } = this.#needs
    this.#fee ??= await readFee(client)
    this.#nonce ??= BigInt(await client.call('eth_getTransactionCount', this.address, 'pending'))
    const nonce = this.#nonce
    const unsigned = {
      type: 2,
      chainId: BigInt(this.#options.chainId),
      nonce,
      ...this.#fee,
      gasLimit,
      to,
      value: 0n,
      data,
      accessList: [],
    } as const
    const { raw, hash } = await sign(unsigned)
    return { raw, hash, nonce }
  }
}

/** Another process with this key used the nonce, or the node forgot one before it. */
function isNonceFault(error: unknown): boolean {
  return error instanceof RpcError && /^nonce too (low|high)|^replacement transaction/.test(error.message)
}
