/**
 * What a file proves without a state: genesis hashes to what is trusted, each epoch's last header is certified by its set and lists
 * the next one, and blocks link, are sealed by their leaders, certified, and carry the bodies that their headers name.
 */
import { decodeCertificate } from '../../consensus/codec.js'
import type { Extensions } from '../../consensus/extensions.js'
import type { Certificate, SealedBlock } from '../../consensus/types.js'
import { asHeight, EMPTY_BYTES, type Hash, type Height } from '../../core/bytes.js'
import { bytesField, listField } from '../../core/codec.js'
import { CodedError } from '../../core/codedError.js'
import { decodeHeader, type Header } from '../../core/header.js'
import { blockBytesMax, blocksFrameBytesMax, certificateBytesMax, headerBytesMax } from '../../core/limits.js'
import { rlpDecode } from '../../core/rlp.js'
import { readVanity } from '../../core/seal.js'
import { parseGenesisText } from '../genesisFile.js'
import { type ChainPoint, followHeader, leapTo, type SealedHeader } from '../headerChain.js'
import { readBody } from '../sealedBlock.js'
import { ChainFileError, type FileHeader, RECORD } from './format.js'
import type { ChainFileReader, FileRecord } from './reader.js'
import { type ChainRules, chainRules } from './rules.js'

/** A block whose place in the chain holds, once the last of its range is certified. */
export interface CheckedBlock {
  readonly sealed: SealedBlock
  readonly certificate: Certificate | null
  /** As it is stored; empty where a later block's certificate covers this one. */
  readonly encoded: Uint8Array
  readonly record: FileRecord
}

/** A certified header with what the file holds of it. */
export interface CertifiedHeader extends SealedHeader {
  readonly certificate: Certificate
  readonly encoded: Uint8Array
}

/** A certified header and the block it heads. */
export interface CertifiedBlock extends CertifiedHeader {
  readonly payload: Uint8Array
}

/** Records of one file, in order, with what the ones before have proved. */
export class FileCheck {
  #point: ChainPoint | undefined
  #end: Hash | undefined

  private constructor(
    private readonly reader: ChainFileReader,
    private readonly records: AsyncGenerator<FileRecord, Hash>,
    readonly rules: ChainRules,
  ) {
    this.#point = rules.start
  }

  /** Reads the genesis of a file, which must be that of hash `trusted`. Throws ChainFileError, ConfigError, ExtensionError. */
  static async open(reader: ChainFileReader, trusted: Hash, extensions: Extensions): Promise<FileCheck> {
    const { genesisHash } = reader.header
    if (genesisHash !== trusted) throw otherChain(genesisHash, trusted)
    const records = reader.read()
    const first = await records.next()
    if (first.done || first.value.type !== RECORD.genesis)
      throw new ChainFileError('INVALID', 'the first record of the file is not its genesis: take another copy')
    const text = new TextDecoder().decode(first.value.payload)
    const rules = chainRules(parseGenesisText(text, reader.place(first.value)), extensions)
    if (rules.genesisHash !== trusted) throw otherChain(rules.genesisHash, trusted)
    const { chainId } = rules.genesis
    if (reader.header.chainId !== chainId)
      throw new ChainFileError(
        'INVALID',
        `the header of the file names chain id ${reader.header.chainId}, its genesis ${chainId}: take another copy`,
      )
    return new FileCheck(reader, records, rules)
  }

  get header(): FileHeader {
    return this.reader.header
  }

  /** What is proved so far. */
  get point(): ChainPoint {
    return this.#point!
  }

  /** Hash of the last block, by the end of the file; undefined until that is reached. */
  get end(): Hash | undefined {
    return this.#end
  }

  /** The chain goes on from `point`, which the caller vouches for. */
  startFrom(point: ChainPoint): void {
    this.#point = point
  }

  /** The next record, or the last block's hash at the end of the file. */
  async next(): Promise<{ readonly record: FileRecord } | { readonly last: Hash }> {
    const result = await this.records.next()
    if (!result.done) return { record: result.value }
    this.#end = result.value
    return { last: result.value }
  }

  /** A header with a certificate of its own, in the epoch that is proved. */
  leap(record: FileRecord): CertifiedHeader {
    return this.#at(record, () => {
      const [header, encoded] = pairOf(record.payload, headerBytesMax)
      return this.#leapTo(decodeHeader(header), encoded)
    })
  }

  /** A block with a certificate of its own, in the epoch that is proved. */
  land(record: FileRecord): CertifiedBlock {
    return this.#at(record, () => {
      const [payload, encoded] = pairOf(record.payload, blockBytesMax)
      return { ...this.#leapTo(readBody(payload).header, encoded), payload }
    })
  }

  /** The next block. The first of a file that begins later than the chain takes its place in an epoch that is proved. */
  follow(record: FileRecord): CheckedBlock {
    return this.#at(record, () => {
      const [payload, encoded] = pairOf(record.payload, blockBytesMax)
      const { header } = readBody(payload)
      const { hash } = this.rules.readHeader(header)
      const certificate = encoded.length === 0 ? null : decodeCertificate(encoded)
      const { first } = this.reader.header
      if (header.number === first && this.point.height < first - 1)
        this.#point = { ...this.point, hash: header.parentHash, height: asHeight(first - 1) }
      this.#point = followHeader(this.point, { hash, header }, certificate, this.rules)
      const { epoch, view } = readVanity(header.extraData)
      const sealed = {
        hash,
        parent: header.parentHash,
        height: header.number,
        epoch,
        view,
        leader: header.miner,
        payload,
      }
      return { sealed, certificate, encoded, record }
    })
  }

  /** Names the record in what is wrong with it. */
  fault(record: FileRecord, problem: string): ChainFileError {
    return new ChainFileError('INVALID', `${this.reader.place(record)}: ${problem}`)
  }

  #leapTo(header: Header, encoded: Uint8Array): CertifiedHeader {
    const sealed = this.rules.readHeader(header)
    const certificate = decodeCertificate(encoded)
    this.#point = leapTo(this.point, sealed, certificate, this.rules)
    return { ...sealed, certificate, encoded }
  }

  #at<T>(record: FileRecord, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof CodedError) throw this.fault(record, `${error.code}: ${error.message}`)
      throw error
    }
  }
}

/**
 * Blocks of a chain file above `above`, in ranges that each end with a certificate. Blocks up to there are passed over unread. Throws
 * ChainFileError at the first record that does not hold.
 */
export async function* checkedRanges(check: FileCheck, above: Height): AsyncGenerator<CheckedBlock[]> {
  let range: CheckedBlock[] = []
  let bytes = 0
  const { first, last } = check.header
  let height = first - 1
  for (;;) {
    const next = await check.next()
    if ('last' in next) {
      if (range.length > 0) throw check.fault(range[0]!.record, 'no certificate covers this block')
      if (height !== last)
        throw new ChainFileError('INVALID', `the file ends with block ${height}, not with ${last}: take another copy`)
      if (height > above && next.last !== check.point.hash)
        throw new ChainFileError('INVALID', 'the end of the file names another last block: take another copy')
      return
    }
    const { record } = next
    if (record.type === RECORD.epoch) {
      if (height !== first - 1) throw check.fault(record, 'an epoch stands behind a block')
      // What is there already proves its own epochs.
      if (above === 0) check.leap(record)
      continue
    }
    if (record.type !== RECORD.block) throw check.fault(record, 'has no place in a chain file')
    height++
    if (height <= above) continue
    const block = check.follow(record)
    if (block.sealed.height !== height) throw check.fault(record, `block ${block.sealed.height} in place of ${height}`)
    range.push(block)
    bytes += record.payload.length
    if (range.at(-1)!.certificate !== null) {
      yield range
      range = []
      bytes = 0
    } else if (bytes > blocksFrameBytesMax) throw check.fault(record, 'too many blocks without a certificate')
  }
}

/** Throws CodecError, RlpError. */
function pairOf(payload: Uint8Array, bytesMax: number): [Uint8Array, Uint8Array] {
  const pair = listField(rlpDecode(payload, { depthMax: 2, itemsMax: 4 }), 'record', 2)
  return [
    bytesField(pair[0], 'record.block', bytesMax),
    bytesField(pair[1], 'record.certificate', certificateBytesMax) ?? EMPTY_BYTES,
  ]
}

function otherChain(found: Hash, trusted: Hash): ChainFileError {
  return new ChainFileError('OTHER_CHAIN', `the file is of the chain with genesis ${found}, not ${trusted}`)
}
