/**
 * Layout of a header's extraData, in the manner of EIP-225: 32 bytes vanity, in genesis the sealer addresses, in a block that
 * closes its epoch (R8) the sealers of the next one, 65 bytes seal. So headers and certificates alone verify a chain.
 *
 *     vanity = 'cdt1' 4 | epoch u32 | view u64 | milliseconds below the second u16 | sealers listed u8 | 13 zero bytes
 *     sealer = address 20 | weight u64
 *     seal   = r 32 | s 32 | yParity 1
 */
import { type Address, asEpoch, asView, concatBytes, type Epoch, fromHex, toAddress, utf8, type View } from './bytes.js'
import { CodecError } from './codec.js'
import type { Header } from './header.js'
import { sealersMax } from './limits.js'

export const vanityBytes = 32
export const sealBytes = 65

export interface Vanity {
  readonly epoch: Epoch
  readonly view: View
  /** Milliseconds below the header's second, 0 to 999. */
  readonly ms: number
}

/** A sealer of the next epoch; weight is a positive integer below 2^52. */
export interface ListedSealer {
  readonly address: Address
  readonly weight: number
}

const MAGIC = utf8('cdt1')
/** Offset of the number of listed sealers. */
const LISTED_AT = 18
const LISTED_BYTES = 28
const WEIGHT_MAX = 2n ** 52n - 1n
const NO_SEAL = new Uint8Array(sealBytes)

/** The 32 vanity bytes. */
export function writeVanity(vanity: Vanity): Uint8Array {
  const bytes = new Uint8Array(vanityBytes)
  const words = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  words.setUint32(4, vanity.epoch)
  words.setBigUint64(8, BigInt(vanity.view))
  words.setUint16(16, vanity.ms)
  return bytes
}

/** Reads the vanity in front of `extraData`. Throws CodecError unless every byte is as `writeVanity` sets it. */
export function readVanity(extraData: Uint8Array): Vanity {
  if (extraData.length < vanityBytes + sealBytes) {
    throw new CodecError('FIELD_LENGTH', 'header.extraData', `must have at least ${vanityBytes + sealBytes} bytes`)
  }
  const words = new DataView(extraData.buffer, extraData.byteOffset, vanityBytes)
  for (let i = 0; i < MAGIC.length; i++) if (extraData[i] !== MAGIC[i]) throw invalidVanity("must start with 'cdt1'")
  const view = words.getBigUint64(8)
  if (view > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidVanity('names a view above 2^53')
  const ms = words.getUint16(16)
  if (ms > 999) throw invalidVanity(`has ${ms} milliseconds, at most 999 allowed`)
  for (let i = LISTED_AT + 1; i < vanityBytes; i++)
    if (extraData[i] !== 0) throw invalidVanity('must end in zero bytes')
  const listed = extraData[LISTED_AT]!
  if (listed !== 0 && extraData.length !== vanityBytes + LISTED_BYTES * listed + sealBytes) {
    throw invalidVanity(`announces ${listed} sealers, which do not fit the length`)
  }
  return { epoch: asEpoch(words.getUint32(4)), view: asView(Number(view)), ms }
}

/** extraData of a block before it is sealed: vanity, the next epoch's sealers where it closes its own, a seal of zero bytes. */
export function unsealedExtraData(vanity: Vanity, set: readonly ListedSealer[] = []): Uint8Array {
  if (set.length > sealersMax) {
    throw new CodecError('FIELD_COUNT', 'listed sealers', `must be at most ${sealersMax}, got ${set.length}`)
  }
  const front = writeVanity(vanity)
  front[LISTED_AT] = set.length
  return concatBytes(front, ...set.map(listedBytes), NO_SEAL)
}

function listedBytes({ address, weight }: ListedSealer): Uint8Array {
  const bytes = new Uint8Array(LISTED_BYTES)
  bytes.set(fromHex(address))
  new DataView(bytes.buffer).setBigUint64(20, BigInt(weight))
  return bytes
}

/** Sealers of the next epoch in leader order; null in a block that does not close its epoch, and in genesis. Throws CodecError. */
export function extraDataSealerSet(extraData: Uint8Array): readonly ListedSealer[] | null {
  readVanity(extraData)
  const listed = extraData[LISTED_AT]!
  if (listed === 0) return null
  if (listed > sealersMax) throw invalidVanity(`lists ${listed} sealers, at most ${sealersMax} allowed`)
  const words = new DataView(extraData.buffer, extraData.byteOffset)
  return Array.from({ length: listed }, (_, i) => {
    const at = vanityBytes + LISTED_BYTES * i
    const weight = words.getBigUint64(at + 20)
    if (weight === 0n || weight > WEIGHT_MAX) throw invalidVanity(`gives sealer ${i} the weight ${weight}`)
    return { address: toAddress(extraData.subarray(at, at + 20)), weight: Number(weight) }
  })
}

/** extraData of the genesis block: vanity (epoch 0, view 0), the sealers in leader order, no seal. */
export function genesisExtraData(sealers: readonly Address[]): Uint8Array {
  if (sealers.length === 0 || sealers.length > sealersMax) {
    throw new CodecError('FIELD_COUNT', 'genesis sealers', `must be 1 to ${sealersMax}, got ${sealers.length}`)
  }
  const vanity = writeVanity({ epoch: asEpoch(0), view: asView(0), ms: 0 })
  return concatBytes(vanity, ...sealers.map((sealer) => fromHex(sealer)), NO_SEAL)
}

/** Sealer addresses of the genesis block, between vanity and seal. Throws CodecError. */
export function extraDataSealers(extraData: Uint8Array): Address[] {
  const length = extraData.length - vanityBytes - sealBytes
  if (length < 0 || length % 20 !== 0) {
    throw new CodecError('FIELD_LENGTH', 'header.extraData', 'must be vanity, whole addresses and seal')
  }
  const sealers: Address[] = []
  for (let at = vanityBytes; at < vanityBytes + length; at += 20)
    sealers.push(toAddress(extraData.subarray(at, at + 20)))
  return sealers
}

/** The header with `seal` (65 bytes) at the end of its extraData, in place of the one that is there. */
export function withSeal(header: Header, seal: Uint8Array): Header {
  if (seal.length !== sealBytes) throw new CodecError('FIELD_LENGTH', 'seal', `must have ${sealBytes} bytes`)
  return { ...header, extraData: concatBytes(headerWithoutSeal(header).extraData, seal) }
}

/** The 65 seal bytes, as a view. Throws CodecError when extraData has no room for them. */
export function sealOf(header: Header): Uint8Array {
  return header.extraData.subarray(sealAt(header))
}

/** The header with its extraData cut before the seal: what the sealer signs. */
export function headerWithoutSeal(header: Header): Header {
  return { ...header, extraData: header.extraData.subarray(0, sealAt(header)) }
}

function sealAt(header: Header): number {
  const at = header.extraData.length - sealBytes
  if (at < vanityBytes) throw new CodecError('FIELD_LENGTH', 'header.extraData', 'has no room for vanity and seal')
  return at
}

function invalidVanity(problem: string): CodecError {
  return new CodecError('FIELD_RANGE', 'header.extraData vanity', problem)
}
