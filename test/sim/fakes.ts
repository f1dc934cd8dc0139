/** Cheap stand-ins for hashing, signing and execution; unforgeable only because actors sign with nothing but their own key. */
import type { SealedBlock, Vote } from '../../src/consensus/types.js'
import {
  type Address,
  asEpoch,
  asHeight,
  asView,
  fromHex,
  type Hash,
  toAddress,
  uintToBytes,
} from '../../src/core/bytes.js'
import { addressField, bytesField, hashField, listField, numberField } from '../../src/core/codec.js'
import { rlpDecode, rlpEncode } from '../../src/core/rlp.js'

/** 53-bit hash of a string (cyrb53). */
export function hash53(text: string, seed = 0): number {
  let a = 0xdeadbeef ^ seed
  let b = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

export function fakeHash(text: string): Hash {
  return `0x${hash53(text).toString(16).padStart(64, '0')}` as Hash
}

export function addressOf(index: number): Address {
  const bytes = new Uint8Array(20)
  bytes[0] = 0xaa
  bytes[19] = index
  return toAddress(bytes)
}

export function indexOf(address: Address): number {
  return Number.parseInt(address.slice(-2), 16)
}

/** What the signature of a vote covers; `withEpoch` false is a planted bug. */
function voteText(vote: Vote, withEpoch: boolean): string {
  return `${withEpoch ? vote.epoch : ''}|${vote.view}|${vote.kind}|${vote.block}`
}

/** Signatures in place of secp256k1: byte 64 names the signer, the rest authenticates. */
export class Keys {
  constructor(private readonly withEpoch = true) {}

  sign(signer: Address, vote: Vote): Uint8Array {
    return this.seal(signer, voteText(vote, this.withEpoch))
  }

  recover = (vote: Vote, signature: Uint8Array): Address | null => {
    const signer = addressOf(signature[64]!)
    return equal(signature, this.sign(signer, vote)) ? signer : null
  }

  seal(signer: Address, text: string): Uint8Array {
    const signature = new Uint8Array(65)
    new DataView(signature.buffer).setFloat64(0, hash53(text, indexOf(signer) + 1))
    signature[64] = indexOf(signer)
    return signature
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 65; i++) if (a[i] !== b[i]) return false
  return a.length === 65
}

/** Transactions are numbers; those from here on close the epoch. */
export const epochTx = 1_000_000

/** Body of a simulated block. */
export interface SimBody {
  readonly txs: readonly number[]
  readonly root: Hash
  readonly salt: number
}

const bodies = new WeakMap<SealedBlock, SimBody>()

export interface BlockDraft {
  readonly parent: Hash
  readonly height: number
  readonly epoch: number
  readonly view: number
  readonly leader: Address
  readonly txs: readonly number[]
  readonly root: Hash
  /** Makes blocks differ that are otherwise equal. */
  readonly salt: number
}

/** A block with its seal; `payload` round-trips through `readSimBlock`. */
export function sealBlock(keys: Keys, draft: BlockDraft): SealedBlock {
  const { parent, height, epoch, view, leader, txs, root, salt } = draft
  const text = `${parent}|${height}|${epoch}|${view}|${leader}|${txs.join()}|${root}|${salt}`
  const hash = fakeHash(text)
  const payload = rlpEncode([
    fromHex(parent),
    uintToBytes(height),
    uintToBytes(epoch),
    uintToBytes(view),
    fromHex(leader),
    txs.map((tx) => uintToBytes(tx)),
    fromHex(root),
    uintToBytes(salt),
    keys.seal(leader, hash),
  ])
  const block: SealedBlock = {
    hash,
    parent,
    height: asHeight(height),
    epoch: asEpoch(epoch),
    view: asView(view),
    leader,
    payload,
  }
  bodies.set(block, { txs, root, salt })
  return block
}

export function readSimBlock(keys: Keys, payload: Uint8Array): SealedBlock {
  const fields = listField(rlpDecode(payload), 'block', 9)
  const txs = listField(fields[5], 'txs', 0, 1000).map((tx) => numberField(tx, 'tx'))
  return sealBlock(keys, {
    parent: hashField(fields[0], 'parent'),
    height: numberField(fields[1], 'height'),
    epoch: numberField(fields[2], 'epoch'),
    view: numberField(fields[3], 'view'),
    leader: addressField(fields[4], 'leader'),
    txs,
    root: hashField(fields[6], 'root'),
    salt: numberField(fields[7], 'salt') + 0 * bytesField(fields[8], 'seal', 65).length,
  })
}

export function bodyOf(block: SealedBlock): SimBody {
  return bodies.get(block)!
}

/** State after a block: root of a hash chain over transactions, linked to the parent's so that inclusion can be asked. */
export interface SimState {
  readonly root: Hash
  readonly parent: SimState | null
  readonly txs: readonly number[]
  readonly height: number
}

export const genesisState: SimState = { root: fakeHash('genesis state'), parent: null, txs: [], height: 0 }

export const genesisFinal = { hash: fakeHash('genesis'), height: asHeight(0), view: asView(0), certificate: null }

export function rootAfter(parent: SimState, txs: readonly number[]): Hash {
  return txs.length === 0 ? parent.root : fakeHash(`${parent.root}|${txs.join()}`)
}
