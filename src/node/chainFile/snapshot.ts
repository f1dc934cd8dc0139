/**
 * Snapshots: the whole state of one block, with what proves it from the hash of genesis: the last header of each epoch, certified by
 * the set that the one before lists, and the block itself. The state is taken only when its root is the one that the block names.
 */
import type { Extensions } from '../../consensus/extensions.js'
import {
  asHeight,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toAddress,
  toHash,
  uintToBytes,
  utf8,
} from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { encodeReceipt, type Receipt } from '../../core/receipt.js'
import { rlpEncode } from '../../core/rlp.js'
import { readVanity } from '../../core/seal.js'
import { decodeTransaction } from '../../core/transaction.js'
import { recoverTransaction } from '../../crypto/transaction.js'
import { decodeAccount, encodeAccount } from '../../state/account.js'
import { ChainStore } from '../../state/chainStore.js'
import { StateError } from '../../state/errors.js'
import { snapshotMark } from '../../state/fetchedBlocks.js'
import { orderedRoot } from '../../state/orderedTrie.js'
import { oldestBlock } from '../../state/prune.js'
import { type StateEntry, StateLoader, stateEntries } from '../../state/snapshot.js'
import { addBlock } from '../../state/store/blockOperations.js'
import { headerRecord, readReceipts, receiptsRecord } from '../../state/store/blockRecords.js'
import { certificateKey, headerKey, LAYOUT_VERSION, layoutKey, metaKey } from '../../state/store/keys.js'
import type { KeyValueStore, WriteOperation } from '../../state/store/keyValueStore.js'
import { openLevelStore } from '../../state/store/level.js'
import { closingKey } from '../finalChain.js'
import { readBody } from '../sealedBlock.js'
import { type CertifiedBlock, type CertifiedHeader, FileCheck } from './check.js'
import { addEpochs, type ExportPlan, storeSource } from './export.js'
import { folderFault } from './folderFault.js'
import { ChainFileError, KIND, RECORD, SLOTS_PER_RECORD_MAX } from './format.js'
import { ChainFileReader, type FileRecord } from './reader.js'
import { ChainFileWriter } from './writer.js'

export interface SnapshotReport {
  readonly height: number
  readonly hash: Hash
  readonly stateRoot: Hash
  /** Accounts and slots. */
  readonly entries: number
  readonly bytes: number
}

/** Writes the state of the folder's last block. Throws ChainFileError REFUSED, StoreError. */
export async function createSnapshot(
  dataDir: string,
  { path, genesis }: Pick<ExportPlan, 'path' | 'genesis'>,
): Promise<SnapshotReport> {
  const store = await openLevelStore(dataDir)
  const chain = await ChainStore.open({ store })
  try {
    const head = chain.head()
    if (head === undefined || chain.canonicalHash(asHeight(0)) !== genesis.hash)
      throw new ChainFileError('OTHER_CHAIN', `${dataDir} does not hold the chain with genesis ${genesis.hash}`)
    const { height, hash, header, certificate } = head
    const [block, receipts] = [chain.rawBlock(height), chain.receipts(height)]
    if (certificate.length === 0 || block === undefined || receipts === undefined)
      throw new ChainFileError(
        'REFUSED',
        `block ${height} has no certificate of its own: let the node take one more block`,
      )
    const at = { kind: KIND.snapshot, chainId: genesis.chainId, genesisHash: genesis.hash, first: height, last: height }
    const writer = await ChainFileWriter.create(path, at)
    try {
      await writer.add(RECORD.genesis, utf8(genesis.text))
      await addEpochs(storeSource(chain), writer, height)
      await writer.add(RECORD.head, rlpEncode([block, certificate]))
      await writer.add(RECORD.receipts, receiptsRecord(receipts))
      const entries = await writeState(store, writer)
      await writer.finish(hash)
      return { height, hash, stateRoot: header.stateRoot, entries, bytes: writer.bytes }
    } catch (error) {
      await writer.abandon()
      throw error
    }
  } finally {
    await chain.close()
  }
}

async function writeState(store: KeyValueStore, writer: ChainFileWriter): Promise<number> {
  let entries = 0
  for await (const entry of stateEntries(store, SLOTS_PER_RECORD_MAX)) {
    if ('code' in entry) await writer.add(RECORD.code, entry.code)
    else if ('address' in entry) {
      await writer.add(RECORD.account, concatBytes(fromHex(entry.address), encodeAccount(entry.account)))
      entries++
    } else {
      await writer.add(RECORD.slots, concatBytes(...entry.slots.flat().map((word) => fromHex(word))))
      entries += entry.slots.length
    }
  }
  return entries
}

export interface LoadPlan {
  readonly path: string
  /** Hash of the genesis that is trusted. */
  readonly genesisHash: Hash
  readonly extensions: Extensions
  /** Folder that is empty or not there. */
  readonly dataDir: string
  readonly onProgress?: (entries: number) => void
}

/** Fills an empty data folder. A folder in which this broke off is refused by nodes: delete it. Throws ChainFileError. */
export async function loadSnapshot(plan: LoadPlan): Promise<SnapshotReport> {
  const reader = await ChainFileReader.open(plan.path, KIND.snapshot)
  try {
    const check = await FileCheck.open(reader, plan.genesisHash, plan.extensions)
    const store = await openLevelStore(plan.dataDir)
    try {
      for await (const _ of store.range({ limit: 1 }))
        throw new ChainFileError('REFUSED', `${plan.dataDir} is not empty: name a new folder`)
      const { head, entries } = await new SnapshotTaker(store, check, plan).take()
      return {
        height: check.point.height,
        hash: head.hash,
        stateRoot: head.header.stateRoot,
        entries,
        bytes: reader.bytes,
      }
    } catch (error) {
      throw folderFault(error, plan.dataDir, 'make room, delete that folder, then load again')
    } finally {
      await store.close()
    }
  } finally {
    await reader.close()
  }
}

class SnapshotTaker {
  readonly #state: StateLoader
  readonly #epochs: CertifiedHeader[] = []
  #head: CertifiedBlock | undefined
  #receipts: readonly Receipt[] | undefined
  #entries = 0

  constructor(
    private readonly store: KeyValueStore,
    private readonly check: FileCheck,
    private readonly plan: LoadPlan,
  ) {
    this.#state = new StateLoader(store)
  }

  async take(): Promise<{ readonly head: CertifiedBlock; readonly entries: number }> {
    for (;;) {
      const next = await this.check.next()
      if ('last' in next) return { head: await this.#finish(next.last), entries: this.#entries }
      await this.#record(next.record)
    }
  }

  async #record(record: FileRecord): Promise<void> {
    const { type } = record
    if (type === RECORD.epoch && this.#head === undefined) this.#epochs.push(this.check.leap(record))
    else if (type === RECORD.head && this.#head === undefined) this.#head = this.#land(record)
    else if (type === RECORD.receipts && this.#receipts === undefined && this.#head !== undefined)
      this.#receipts = this.#checkReceipts(record, this.#head)
    else if (this.#receipts !== undefined) await this.#add(record)
    else throw this.check.fault(record, 'has no place here in a snapshot')
  }

  #land(record: FileRecord): CertifiedBlock {
    const { first, last } = this.check.header
    const head = this.check.land(record)
    const { number } = head.header
    if (number === first && number === last) return head
    throw this.check.fault(record, `block ${number}, where the header of the file names ${first} to ${last}`)
  }

  async #add(record: FileRecord): Promise<void> {
    try {
      await this.#state.add(this.#entry(record))
    } catch (error) {
      if (error instanceof StateError) throw this.check.fault(record, error.message)
      throw error
    }
  }

  #checkReceipts(record: FileRecord, { header }: CertifiedBlock): readonly Receipt[] {
    const receipts = this.#decode(record, () => readReceipts(record.payload))
    if (orderedRoot(receipts.map(encodeReceipt)) === header.receiptsRoot) return receipts
    throw this.check.fault(record, 'these are not the receipts of the block')
  }

  #entry(record: FileRecord): StateEntry {
    const { type, payload } = record
    if (type === RECORD.code) return { code: payload }
    this.#entries += type === RECORD.slots ? payload.length / 64 : 1
    this.plan.onProgress?.(this.#entries)
    if (type === RECORD.account && payload.length > 20)
      return this.#decode(record, () => ({
        address: toAddress(payload.subarray(0, 20)),
        account: decodeAccount(payload.subarray(20)),
      }))
    if (type !== RECORD.slots || payload.length % 64 !== 0) throw this.check.fault(record, 'has no place in a state')
    const slots = Array.from({ length: payload.length / 64 }, (_, i) => {
      const at = 64 * i
      return [toHash(payload.subarray(at, at + 32)), toHash(payload.subarray(at + 32, at + 64))] as const
    })
    return { slots }
  }

  #decode<T>(record: FileRecord, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof CodedError) throw this.check.fault(record, error.message)
      throw error
    }
  }

  /** Only with this last batch the folder is a chain. */
  async #finish(last: Hash): Promise<CertifiedBlock> {
    const head = this.#head
    const receipts = this.#receipts
    if (head === undefined || receipts === undefined || head.hash !== last)
      throw new ChainFileError('INVALID', 'the snapshot lacks its block: take another copy')
    const root = await this.#root()
    if (root !== head.header.stateRoot)
      throw new ChainFileError(
        'INVALID',
        `the state of the file has root ${root}, block ${head.header.number} names ${head.header.stateRoot}`,
      )
    await this.store.batch(this.#chain(head, receipts), { sync: true })
    return head
  }

  async #root(): Promise<Hash> {
    try {
      return await this.#state.finish()
    } catch (error) {
      if (error instanceof StateError) throw new ChainFileError('INVALID', `the state of the file: ${error.message}`)
      throw error
    }
  }

  #chain(head: CertifiedBlock, receipts: readonly Receipt[]): WriteOperation[] {
    const { block0, genesisHash } = this.check.rules
    const operations: WriteOperation[] = [{ type: 'put', key: layoutKey(), value: Uint8Array.of(LAYOUT_VERSION) }]
    addBlock({ block: block0.block, hash: genesisHash, receipts: [], certificate: EMPTY_BYTES }, operations)
    for (const closing of this.#epochs) {
      const { number } = closing.header
      operations.push({ type: 'put', key: headerKey(number), value: headerRecord(closing.hash, closing.header) })
      operations.push({ type: 'put', key: certificateKey(number), value: closing.encoded })
      operations.push(closingOf(closing))
    }
    const { header, transactions } = readBody(head.payload)
    const recovered = transactions.map((raw) => recoverTransaction(decodeTransaction(raw)))
    addBlock(
      { block: { header, transactions: recovered }, hash: head.hash, receipts, certificate: head.encoded },
      operations,
    )
    if (this.check.point.set.epoch > readVanity(header.extraData).epoch) operations.push(closingOf(head))
    operations.push(oldestBlock(header.number), snapshotMark(header.number))
    return operations
  }
}

function closingOf({ header }: CertifiedHeader): WriteOperation {
  const key = metaKey(closingKey(readVanity(header.extraData).epoch))
  return { type: 'put', key, value: uintToBytes(header.number) }
}
