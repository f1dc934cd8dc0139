/** Sends transactions of one account: nonces in order, signing, waiting for the final receipt. */

import { type Address, type Hash, toHex } from '../core/bytes.js'
import { privateKeyToAddress } from '../crypto/secp256k1.js'
import { signTransaction } from '../crypto/transaction.js'
import type { RpcClient } from '../rpc/client.js'
import { RpcError } from '../rpc/errors.js'
import type { RpcReceipt } from '../rpc/wire.js'
import type { FunctionArgs, FunctionName, HumanAbi } from '../vm/abiTypes.js'
import { asRevert, type Contract } from './contractClient.js'
import type { Heads } from './heads.js'

export interface SenderOptions {
  readonly chainId: number
  /** secp256k1, 32 bytes. */
  readonly privateKey: Uint8Array
  /** How long a transaction may take to become final; default 30,000. */
  readonly finalTimeoutMs?: number
}

export interface SenderNeeds {
  readonly client: RpcClient
  readonly heads: Heads
}

export interface TransactionSender {
  readonly address: Address
  /**
   * Signs and hands to the node; resolves with the hash when the node has taken it. The node estimates the gas first, so a
   * contract's refusal costs nothing. `reserve`: gas on top, for a state that may have grown by then. Throws
   * ContractRevert, RpcError or RpcClientError.
   */
  send<H extends HumanAbi, N extends FunctionName<H>>(
    contract: Contract<H>,
    name: N,
    args: FunctionArgs<H, N>,
    options?: { readonly reserve?: bigint },
  ): Promise<Hash>
  /** The receipt once the transaction is final, whatever its status. Throws WaitError. */
  final(hash: Hash): Promise<RpcReceipt>
}

/** The state may grow between estimate and execution: a fifth more, and some storage words. */
const withMargin = (gas: bigint): bigint => (gas * 6n) / 5n + 50_000n

export function createSender(options: SenderOptions, needs: SenderNeeds): TransactionSender {
  return new Sender(options, needs)
}

class Sender implements TransactionSender {
  readonly address: Address
  readonly #options: SenderOptions
  readonly #needs: SenderNeeds
  /** Next nonce; null when it has to be read from the node. */
  #nonce: bigint | null = null
  /** Transactions reach the node in the order of their nonces. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: SenderOptions, needs: SenderNeeds) {
    this.#options = options
    this.#needs = needs
    this.address = privateKeyToAddress(options.privateKey)
  }

  async send<H extends HumanAbi, N extends FunctionName<H>>(
    contract: Contract<H>,
    name: N,
    args: FunctionArgs<H, N>,
    options: { readonly reserve?: bigint } = {},
  ): Promise<Hash> {
    const data = contract.abi.encodeCall(name, args)
    const gas = (await this.#estimate(contract, data)) + (options.reserve ?? 0n)
    const sent = this.#tail.then(() => this.#submit(contract.address, data, gas))
    this.#tail = sent.catch(() => {})
    return sent
  }

  async final(hash: Hash): Promise<RpcReceipt> {
    const { client, heads } = this.#needs
    const check = async () => (await client.call('eth_getTransactionReceipt', hash)) ?? undefined
    return heads.until(check, this.#options.finalTimeoutMs ?? 30_000, `transaction ${hash} to become final`)
  }

  async #estimate<H extends HumanAbi>(contract: Contract<H>, data: Uint8Array): Promise<bigint> {
    const call = { from: this.address, to: contract.address, data: toHex(data) }
    try {
      return withMargin(BigInt(await this.#needs.client.call('eth_estimateGas', call)))
    } catch (error) {
      throw asRevert(contract, error)
    }
  }

  async #submit(to: Address, data: Uint8Array, gasLimit: bigint): Promise<Hash> {
    try {
      return await this.#submitOnce(to, data, gasLimit)
    } catch (error) {
      this.#nonce = null
      // Another process used this account's nonce: once more with the node's count.
      if (!isNonceFault(error)) throw error
      return this.#submitOnce(to, data, gasLimit).catch((second: unknown) => {
        this.#nonce = null
        throw second
      })
    }
  }

  async #submitOnce(to: Address, data: Uint8Array, gasLimit: bigint): Promise<Hash> {
    const { client } = this.#needs
    this.#nonce ??= BigInt(await client.call('eth_getTransactionCount', this.address, 'pending'))
    const unsigned = {
      type: 2,
      chainId: BigInt(this.#options.chainId),
      nonce: this.#nonce,
      gasPrice: 0n,
      maxPriorityFeePerGas: 0n,
      gasLimit,
      to,
      value: 0n,
      data,
      accessList: [],
    } as const
    const { raw, hash } = signTransaction(unsigned, this.#options.privateKey)
    await client.call('eth_sendRawTransaction', toHex(raw)).catch((error: unknown) => {
      // The same bytes arrived before: their answer was lost.
      if (!(error instanceof RpcError && error.message.startsWith('already known'))) throw error
    })
    this.#nonce++
    return hash
  }
}

function isNonceFault(error: unknown): boolean {
  return error instanceof RpcError && /^nonce too (low|high)|^replacement transaction/.test(error.message)
}
