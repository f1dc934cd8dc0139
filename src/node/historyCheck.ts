/** What proves a range of past blocks without a state, block by block: links, seals, leaders, certificates, bodies, receipts. */
import { decodeCertificate } from '../consensus/codec.js'
import type { SealedBlock } from '../consensus/types.js'
import { CodedError } from '../core/codedError.js'
import type { Header } from '../core/header.js'
import { decodeReceipt, type Receipt } from '../core/receipt.js'
import { decodeTransaction } from '../core/transaction.js'
import { type RecoveredTransaction, recoverTransaction } from '../crypto/transaction.js'
import { orderedRoot } from '../state/orderedTrie.js'
import { type ChainPoint, followHeader, type HeaderRules } from './headerChain.js'
import { readBody } from './sealedBlock.js'
import type { SyncedBlock } from './syncMessages.js'

/** A block whose place in the chain holds, once the last of its range is certified. */
export interface ProvedBlock {
  readonly sealed: SealedBlock
  readonly header: Header
  /** As it is stored; empty where a later block's covers this one. */
  readonly certificate: Uint8Array
}

export interface ProvedRange {
  readonly blocks: readonly ProvedBlock[]
  /** After the last one. */
  readonly point: ChainPoint
}

export interface HistoryRules {
  readonly rules: HeaderRules
  /** Reads a block and checks its seal. Throws CodedError. */
  readonly readBlock: (payload: Uint8Array) => SealedBlock
  /** Lets others work; false when the node stops, and what comes of it is not used. */
  readonly breathe: () => Promise<boolean>
}

/** The range after `point`; a string is the fault of who gave it. */
export async function proveRange(
  point: ChainPoint,
  blocks: readonly SyncedBlock[],
  { rules, readBlock, breathe }: HistoryRules,
): Promise<ProvedRange | string> {
  if (blocks.at(-1)!.certificate.length === 0) return 'SYNC_CERTIFICATE: the last block of a range must have one'
  const proved: ProvedBlock[] = []
  let at = point
  for (const { block, certificate } of blocks) {
    if (!(await breathe())) break
    const fault = faultOf(() => {
      const sealed = readBlock(block)
      const { header } = readBody(block)
      const decoded = certificate.length === 0 ? null : decodeCertificate(certificate)
      at = followHeader(at, { hash: sealed.hash, header }, decoded, rules)
      proved.push({ sealed, header, certificate })
    })
    if (fault !== undefined) return fault
  }
  return { blocks: proved, point: at }
}

/** The transactions of a block with their senders, which the stored block names. */
export async function recoverBody(
  { sealed }: ProvedBlock,
  breathe: HistoryRules['breathe'],
): Promise<readonly RecoveredTransaction[]> {
  const transactions: RecoveredTransaction[] = []
  for (const raw of readBody(sealed.payload).transactions) {
    if (!(await breathe())) break
    transactions.push(recoverTransaction(decodeTransaction(raw)))
  }
  return transactions
}

/** The receipts of a block, or the fault of who gave them. */
export function readBlockReceipts(
  { header }: ProvedBlock,
  encoded: readonly Uint8Array[],
): readonly Receipt[] | string {
  if (orderedRoot(encoded) !== header.receiptsRoot)
    return `SYNC_RECEIPTS: these are not the receipts of block ${header.number}`
  return encoded.map(decodeReceipt)
}

/** Receipts of a block: one for each transaction. */
export const receiptCount = ({ sealed }: ProvedBlock): number => readBody(sealed.payload).transactions.length

/** A fault of the input in words; anything else is a defect of this node. */
function faultOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof CodedError) return `${error.code}: ${error.message}`
    throw error
  }
}
