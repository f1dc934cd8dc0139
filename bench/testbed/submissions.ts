/** Submissions (StoreData) as load: shaped like real ones, with contents that follow from the seed. */
import { createCipheriv } from 'node:crypto'
import { dataPortrait, dataSharing, view } from '../../src/agent/contractClient.js'
import { type Address, type Hash, toHash, toHex, utf8 } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { type Enterprise, PORTRAIT_VERSION } from './population.js'
import type { SignedTransaction } from './submitter.js'
import { signCall } from './transactions.js'

export interface SubmissionShape {
  /** Recipients, 1 to 3; each gets three attributes. */
  readonly departments: number
  /** Ciphertext for each recipient, in bytes. */
  readonly envelopeBytes: number
}

/** Three attributes of Table 2 sealed for one department take about as much. */
export const ENVELOPE_BYTES = 320
const ATTRIBUTES = 3

interface Recipient {
  readonly account: Address
  readonly keyEpoch: bigint
  readonly attributes: readonly Hash[]
}

/** Signs submissions of the enterprises in turn. */
export class SubmissionMaker {
  #turn = 0
  readonly #bytes: (length: number) => Uint8Array

  private constructor(
    private readonly chainId: number,
    private readonly enterprises: readonly Enterprise[],
    private readonly recipients: readonly Recipient[],
    private readonly nodes: number,
    seed: string,
  ) {
    this.#bytes = byteStream(`${seed}/submissions`)
  }

  /** Reads from the data portrait who supervises what, and from the chain where the enterprises' nonces stand. */
  static async create(
    clients: readonly RpcClient[],
    chainId: number,
    enterprises: readonly Enterprise[],
    seed: string,
  ): Promise<SubmissionMaker> {
    const profiles = await view(clients[0]!, dataPortrait, 'GetDataProfile', {})
    const recipients = new Map<Address, Recipient & { attributes: Hash[] }>()
    for (const { attribute, supervisors, keyEpoch } of profiles) {
      const account = supervisors[0] as Address
      const recipient = recipients.get(account) ?? { account, keyEpoch, attributes: [] }
      if (recipient.attributes.length < ATTRIBUTES) recipient.attributes.push(attribute as Hash)
      recipients.set(account, recipient)
    }
    for (const enterprise of enterprises) {
      enterprise.nonce = BigInt(await clients[0]!.call('eth_getTransactionCount', enterprise.address, 'latest'))
    }
    return new SubmissionMaker(chainId, enterprises, [...recipients.values()], clients.length, seed)
  }

  stock(shape: SubmissionShape, count: number): Stock {
    return new Stock(() => this.#sign(shape), count)
  }

  #sign(shape: SubmissionShape): Signed {
    const index = this.#turn++ % this.enterprises.length
    const enterprise = this.enterprises[index]!
    const { raw, hash } = signCall(this.chainId, enterprise, dataSharing.address, this.#data(enterprise, shape))
    return { raw: toHex(raw), hash, node: index % this.nodes, enterprise }
  }

  #data({ id }: Enterprise, { departments, envelopeBytes }: SubmissionShape): Uint8Array {
    const word = () => toHash(this.#bytes(32))
    const parts = this.recipients.slice(0, departments).map(({ account, keyEpoch, attributes }) => ({
      recipient: account,
      keyEpoch,
      attributes,
      digests: attributes.map(word),
      envelope: this.#bytes(envelopeBytes),
    }))
    const submission = { enterpriseId: id, documentHash: word(), portraitVersion: PORTRAIT_VERSION, parts }
    return dataSharing.abi.encodeCall('StoreData', submission)
  }
}

interface Signed extends SignedTransaction {
  readonly enterprise: Enterprise
}

/** Transactions signed before the clock starts; beyond these they are signed as they are taken. */
export class Stock {
  readonly #signed: Signed[]
  #taken = 0
  #takenBytes = 0

  constructor(
    private readonly sign: () => Signed,
    count: number,
  ) {
    this.#signed = Array.from({ length: count }, sign)
  }

  get taken(): number {
    return this.#taken
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Of those signed beforehand. */
  get first(): SignedTransaction {
    return this.#signed[0]!
  }

  next(): SignedTransaction {
    const signed = this.#signed[this.#taken] ?? this.sign()
    this.#taken++
    this.#takenBytes += (signed.raw.length - 2) / 2
    return signed
  }

  /** Gives the nonces of what was not taken back to the senders; the stock is used up. */
  release(): void {
    for (const { enterprise } of this.#signed.splice(this.#taken)) enterprise.nonce--
  }
}

/** Bytes without pattern that follow from the seed. */
export function byteStream(seed: string): (length: number) => Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', keccak256(utf8(seed)), new Uint8Array(16))
  return (length) => new Uint8Array(cipher.update(new Uint8Array(length)))
}
