/** Takes the blocks of a chain file into a data folder: everything a node checks of blocks from its peers is checked, and executed. */
import type { Extensions } from '../../consensus/extensions.js'
import { endBlock } from '../../contracts/epoch.js'
import { systemContracts } from '../../contracts/registry.js'
import { EMPTY_BYTES, type Hash, type Height, ZERO_ADDRESS } from '../../core/bytes.js'
import { decodeTransaction } from '../../core/transaction.js'
import { recoverTransaction } from '../../crypto/transaction.js'
import { ChainStore } from '../../state/chainStore.js'
import type { StateHistoryOptions } from '../../state/history/stateHistory.js'
import { Blocks, type BlocksNeeds } from '../blocks.js'
import { FinalChain } from '../finalChain.js'
import { type CheckedBlock, checkedRanges, FileCheck } from './check.js'
import { folderFault } from './folderFault.js'
import { ChainFileError, KIND } from './format.js'
import { ChainFileReader } from './reader.js'
import type { ChainRules } from './rules.js'

export interface FileProgress {
  readonly height: Height
  readonly last: Height
}

export interface ImportPlan {
  readonly path: string
  /** Hash of the genesis that is trusted. */
  readonly genesisHash: Hash
  readonly extensions: Extensions
  /** Data folder: empty, or of a node that is stopped. */
  readonly dataDir: string
  readonly history: StateHistoryOptions
  readonly onProgress?: (progress: FileProgress) => void
}

export interface Imported {
  readonly first: Height
  readonly last: Height
  readonly hash: Hash
  /** Blocks that were not there before. */
  readonly blocks: number
}

/**
 * Each block is durable when the next one is taken: what breaks off goes on with the same call. Throws ChainFileError,
 * StoreError, StateError WRONG_CHAIN, CORRUPT.
 */
export async function importChain(plan: ImportPlan): Promise<Imported> {
  const reader = await ChainFileReader.open(plan.path, KIND.chain)
  try {
    const check = await FileCheck.open(reader, plan.genesisHash, plan.extensions)
    const store = await ChainStore.open({ dir: plan.dataDir, history: plan.history })
    try {
      return await importInto(store, check, plan)
    } catch (error) {
      const advice = 'make room, then import again: it goes on where it broke off'
      throw folderFault(error, plan.dataDir, advice)
    } finally {
      await store.close()
    }
  } finally {
    await reader.close()
  }
}

async function importInto(store: ChainStore, check: FileCheck, plan: ImportPlan): Promise<Imported> {
  const { first, last } = check.header
  await store.init(check.rules.block0)
  const taker = new BlockTaker(store, check, plan.extensions)
  const above = taker.head
  if (first > above + 1)
    throw new ChainFileError(
      'GAP',
      `the file begins with block ${first}, the folder ends with ${above}: import what is between`,
    )
  check.startFrom(taker.point)
  let blocks = 0
  for await (const range of checkedRanges(check, above)) {
    for (const block of range) await taker.take(block)
    blocks += range.length
    plan.onProgress?.({ height: taker.head, last })
  }
  const hash = store.canonicalHash(last)
  if (hash === undefined) throw new ChainFileError('GAP', `block ${last} of the file is not in the folder any more`)
  // Blocks that were there already are passed over unread.
  if (hash !== check.end)
    throw new ChainFileError('OTHER_CHAIN', `block ${last} is ${check.end} in the file, ${hash} in the folder`)
  return { first, last, hash, blocks }
}

/** Executes blocks on a store and commits them. It seals none. */
class BlockTaker {
  readonly #chain: FinalChain
  readonly #blocks: Blocks
  #failure: unknown

  constructor(
    store: ChainStore,
    private readonly check: FileCheck,
    extensions: Extensions,
  ) {
    const { rules } = check
    const fatal = (error: unknown) => {
      this.#failure ??= error
    }
    this.#chain = new FinalChain(store, rules.start.set, fatal, null)
    this.#blocks = new Blocks({
      ...blockRules(rules, extensions),
      head: () => this.#chain.ground(),
      isFinal: (hash) => store.heightOf(hash) !== undefined,
      now: Date.now,
      recover: (raw) => recoverTransaction(decodeTransaction(raw)),
      select: () => [],
      discard: () => undefined,
      privateKey: EMPTY_BYTES,
      self: ZERO_ADDRESS,
    })
  }

  get point() {
    return this.#chain.queued()
  }

  get head(): Height {
    return this.#chain.head().height
  }

  async take({ sealed, encoded, record }: CheckedBlock): Promise<void> {
    const verdict = this.#blocks.verify(sealed, true)
    if (!verdict.ok) throw this.check.fault(record, `block ${sealed.height}: ${verdict.reason}`)
    await this.#chain.commit(this.#blocks.candidate(sealed.hash)!, encoded)
    this.#blocks.prune(sealed.height)
    if (this.#failure !== undefined) throw this.#failure
  }
}

function blockRules(
  { genesis, genesisHash, schedule }: ChainRules,
  extensions: Extensions,
): Pick<BlocksNeeds, 'chainId' | 'genesisHash' | 'gasLimit' | 'clockDriftMs' | 'registry' | 'schedule' | 'endBlock'> {
  return {
    chainId: genesis.chainId,
    genesisHash,
    gasLimit: genesis.gasLimit,
    clockDriftMs: 0,
    registry: systemContracts,
    schedule,
    endBlock: (state, block, turn) => endBlock(state, block, turn, extensions),
  }
}

/** Checks a chain file without executing it: all but receipts and states. Throws ChainFileError. */
export async function verifyChainFile(
  plan: Pick<ImportPlan, 'path' | 'genesisHash' | 'extensions' | 'onProgress'>,
): Promise<Omit<Imported, 'blocks'> & { readonly epoch: number }> {
  const reader = await ChainFileReader.open(plan.path, KIND.chain)
  try {
    const check = await FileCheck.open(reader, plan.genesisHash, plan.extensions)
    const { first, last } = check.header
    for await (const _ of checkedRanges(check, check.rules.start.height))
      plan.onProgress?.({ height: check.point.height, last })
    return { first, last, hash: check.point.hash, epoch: check.point.set.epoch }
  } finally {
    await reader.close()
  }
}
