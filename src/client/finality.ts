/**
 * Finality. A block of a concordat chain is final before any node shows it: more than two thirds of the sealers' weight have signed
 * it. A receipt is therefore enough; the certificate proves the same to who does not trust the node.
 */
import { verifyCertificate } from '../consensus/certificate.js'
import type { Certificate, SealerSet } from '../consensus/types.js'
import { votePreimage } from '../consensus/vote.js'
import { asEpoch, asHash, asView, fromHex, type Hash, type Hex } from '../core/bytes.js'
import { decodeHeader, type Header } from '../core/header.js'
import { readVanity } from '../core/seal.js'
import { hashHeader, recoverSealer } from '../crypto/header.js'
import { keccak256 } from '../crypto/keccak.js'
import { recoverAddress } from '../crypto/secp256k1.js'
import type { RpcReceipt, RpcSealerSet } from '../rpc/wire.js'
import { ClientError } from './clientError.js'
import type { Member, Reader } from './connect.js'

/** Of `block`, or of a later block of the same epoch that it is an ancestor of. */
export interface FinalityCertificate {
  readonly block: number
  readonly blockHash: Hash
  readonly epoch: number
  readonly view: number
  readonly signers: readonly Hex[]
  readonly signatures: readonly Hex[]
}

export interface FinalReceipt {
  readonly receipt: RpcReceipt
  readonly certificate: FinalityCertificate
}

/** Waits for a transaction's receipt, and reads the certificate of its block. Throws WaitError, ClientError, RpcError or RpcClientError. */
export async function waitForFinality(
  reader: Reader | Member,
  transaction: Hex,
  timeoutMs = 30_000,
): Promise<FinalReceipt> {
  const { client, heads } = reader
  const hash = asHash(transaction, 'transaction')
  const read = async () => (await client.call('eth_getTransactionReceipt', hash)) ?? undefined
  const receipt = await heads.until(read, timeoutMs, `transaction ${hash} to become final`)
  return { receipt, certificate: await readCertificate(reader, Number(receipt.blockNumber)) }
}

/** Throws ClientError NOT_FOUND, RpcError or RpcClientError. */
async function readCertificate({ client }: Reader, block: number): Promise<FinalityCertificate> {
  const found = await client.call('concordat_getFinalityCertificate', `0x${block.toString(16)}`)
  if (found === null) throw new ClientError('NOT_FOUND', `the node has no certificate of block ${block}`)
  const { blockNumber, blockHash, epoch, view, signers, signatures } = found
  return {
    block: Number(blockNumber),
    blockHash,
    epoch: Number(epoch),
    view: Number(view),
    signers,
    signatures,
  }
}

/** Sealers of the epoch of `block`. Throws ClientError NOT_FOUND, RpcError or RpcClientError. */
export async function readSealerSet({ client }: Reader, block: number): Promise<SealerSet> {
  const found = await client.call('concordat_getSealerSet', `0x${block.toString(16)}`)
  if (found === null) throw new ClientError('NOT_FOUND', `the node has no sealer set of block ${block}`)
  return sealerSetOf(found)
}

const sealerSetOf = ({ epoch, sealers }: RpcSealerSet): SealerSet => ({
  epoch: asEpoch(Number(epoch)),
  sealers: sealers.map(({ address, weight }) => ({ address, weight: Number(weight) })),
})

/** A header as the chain hashes it. Throws RpcError (unknown block) or RpcClientError. */
async function readHeader({ client }: Reader, block: number): Promise<Hex> {
  return client.call('debug_getRawHeader', `0x${block.toString(16)}`)
}

export interface ChainIdentity {
  readonly chainId: number
  readonly genesisHash: Hash
}

/** What tells this chain from every other; trust the hash only from who runs it. Throws RpcError or RpcClientError. */
export async function readChainIdentity({ client, chainId }: Reader): Promise<ChainIdentity> {
  return { chainId, genesisHash: await client.call('concordat_genesisHash') }
}

export interface FinalityProof {
  /** Raw headers, of the block and of those up to the certificate's; mostly one. */
  readonly headers: readonly Hex[]
  readonly certificate: FinalityCertificate
}

/** All that proves one block final, but for the sealers. Throws ClientError NOT_FOUND, RpcError or RpcClientError. */
export async function readFinalityProof(reader: Reader, block: number): Promise<FinalityProof> {
  const certificate = await readCertificate(reader, block)
  const count = certificate.block - block + 1
  const headers = await Promise.all(Array.from({ length: count }, (_, i) => readHeader(reader, block + i)))
  return { headers, certificate }
}

/**
 * The header of a block that more than two thirds of `sealers` have made final on this chain; nothing else is trusted, the node
 * neither. Throws ClientError PROOF, or CodecError for what is no header.
 */
export function verifyFinality(
  { headers, certificate }: FinalityProof,
  sealers: SealerSet,
  chain: ChainIdentity,
): Header {
  const decoded = headers.map((raw) => decodeHeader(fromHex(raw, 'header')))
  decoded.forEach((header, i) => {
    const before = decoded[i - 1]
    const follows = before === undefined || header.parentHash === hashHeader(before)
    must(follows, () => `block ${header.number} does not follow the header before it`)
    checkOwn(header, sealers, chain)
  })
  const last = decoded.at(-1)
  must(last !== undefined && hashHeader(last) === certificate.blockHash, () => 'the certificate is of another block')
  const fault = verifyCertificate(sealers, certificateOf(certificate, sealers), (vote, signature) =>
    recoverAddress(keccak256(votePreimage(chain, vote)), signature),
  )
  must(fault === null, () => `the certificate of block ${certificate.block} does not hold: ${fault!.message}`)
  return decoded[0]!
}

function checkOwn(header: Header, { epoch }: SealerSet, { chainId }: ChainIdentity): void {
  const own = readVanity(header.extraData).epoch
  must(own === epoch, () => `block ${header.number} is of epoch ${own}, the sealers are those of epoch ${epoch}`)
  must(recoverSealer(header, chainId) === header.miner, () => `block ${header.number} is not sealed by its miner`)
}

function certificateOf(certificate: FinalityCertificate, { sealers }: SealerSet): Certificate {
  const { blockHash, epoch, view, signers, signatures } = certificate
  return {
    kind: 'finalize',
    epoch: asEpoch(epoch),
    view: asView(view),
    block: blockHash,
    signers: signers.map((signer) => sealers.findIndex(({ address }) => address === signer)),
    signatures: signatures.map((signature) => fromHex(signature, 'signature')),
  }
}

function must(condition: boolean, problem: () => string): asserts condition {
  if (!condition) throw new ClientError('PROOF', problem())
}
