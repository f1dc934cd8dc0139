/** Simulated blocks: their fields, their bytes, and what is in them. */
import type { SealedBlock } from '../consensus/types.js'
import { type Address, asEpoch, asHeight, asView, fromHex, type Hash, uintToBytes } from '../core/bytes.js'
import { addressField, fixedField, hashField, listField, numberField } from '../core/codec.js'
import { rlpDecode, rlpEncode } from '../core/rlp.js'
import { fakeHash } from './hashing.js'
import type { Keys } from './keys.js'

const blockTxsReadMax = 1000

export interface BlockDraft {
  readonly parent: Hash
  readonly height: number
  readonly epoch: number
  readonly view: number
  readonly leader: Address
  /** Time in its header, ms. */
  readonly timeMs: number
  readonly txs: readonly number[]
  /** State after the block. */
  readonly root: Hash
  /** Makes blocks differ that are otherwise equal. */
  readonly salt: number
}

/** A block with its seal; its bytes are made when somebody asks for them. */
export class SimBlock implements SealedBlock {
  readonly hash: Hash
  readonly parent: Hash
  readonly height: SealedBlock['height']
  readonly epoch: SealedBlock['epoch']
  readonly view: SealedBlock['view']
  readonly leader: Address

  constructor(
    private readonly keys: Keys,
    readonly draft: BlockDraft,
  ) {
    const { parent, height, epoch, view, leader, timeMs, txs, root, salt } = draft
    this.hash = fakeHash(`${parent}|${height}|${epoch}|${view}|${leader}|${timeMs}|${txs.join()}|${root}|${salt}`)
    this.parent = parent
    this.height = asHeight(height)
    this.epoch = asEpoch(epoch)
    this.view = asView(view)
    this.leader = leader
  }

  get payload(): Uint8Array {
    const { parent, height, epoch, view, leader, timeMs, txs, root, salt } = this.draft
    return rlpEncode([
      fromHex(parent),
      uintToBytes(height),
      uintToBytes(epoch),
      uintToBytes(view),
      fromHex(leader),
      uintToBytes(timeMs),
      txs.map((tx) => uintToBytes(tx)),
      fromHex(root),
      uintToBytes(salt),
      this.keys.seal(leader, this.hash),
    ])
  }
}

/** What is in `block`; every block of a simulation is a SimBlock. */
export function draftOf(block: SealedBlock): BlockDraft {
  if (!(block instanceof SimBlock)) throw new TypeError(`block ${block.hash} was not made by the simulator`)
  return block.draft
}

/** Inverse of `payload`. Throws CodecError or RlpError on anything else. */
export function readSimBlock(keys: Keys, payload: Uint8Array): SealedBlock {
  const fields = listField(rlpDecode(payload), 'block', 10)
  fixedField(fields[9], 'seal', 65)
  return new SimBlock(keys, {
    parent: hashField(fields[0], 'parent'),
    height: numberField(fields[1], 'height'),
    epoch: numberField(fields[2], 'epoch'),
    view: numberField(fields[3], 'view'),
    leader: addressField(fields[4], 'leader'),
    timeMs: numberField(fields[5], 'timeMs'),
    txs: listField(fields[6], 'txs', 0, blockTxsReadMax).map((tx) => numberField(tx, 'tx')),
    root: hashField(fields[7], 'root'),
    salt: numberField(fields[8], 'salt'),
  })
}
