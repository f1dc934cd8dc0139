/**
 * What the RPC asks of a node. The node implements this port over its final chain, its pool and its peers; nothing here
 * knows JSON, HTTP or databases. Every call is synchronous and answers from what is final now.
 */
import type { Block } from '../core/block.js'
import type { Address, Epoch, Hash, Height, View } from '../core/bytes.js'
import type { Header } from '../core/header.js'
import type { Receipt } from '../core/receipt.js'
import type { AccessListEntry, Transaction } from '../core/transaction.js'

/** A decoded transaction with its hash and the sender recovered from its signature (once per node). */
export interface ChainTransaction extends Transaction {
  readonly hash: Hash
  readonly sender: Address
}

/** The newest final block, cheap to ask for on every request. */
export interface Head {
  readonly hash: Hash
  readonly header: Header
}

/** A final block; `sizeBytes` is the length of its RLP. */
export interface FinalBlock {
  readonly hash: Hash
  readonly block: Block<ChainTransaction>
  readonly sizeBytes: number
}

/** A final block as it is announced: by then its state, receipts and logs can be read through this port. */
export interface FinalBlockEvent extends FinalBlock {
  readonly receipts: readonly Receipt[]
}

/** Where a final transaction stands. */
export interface TransactionPlace {
  readonly blockNumber: Height
  readonly index: number
}

/** Account of the state trie; an absent account is `undefined`, never zeros. */
export interface AccountView {
  readonly nonce: bigint
  readonly balance: bigint
}

/** EIP-1186 proof. Nodes are RLP, root first; an absent account has the empty values and a proof of absence. */
export interface AccountProof {
  readonly nonce: bigint
  readonly balance: bigint
  readonly codeHash: Hash
  readonly storageRoot: Hash
  readonly accountProof: readonly Uint8Array[]
  readonly storageProof: readonly { readonly slot: Hash; readonly value: Hash; readonly proof: readonly Uint8Array[] }[]
}

/** Block 0 for whoever trusts its hash alone: the header in RLP, and nodes that prove its sealers and their weights, each once. */
export interface GenesisProof {
  readonly header: Uint8Array
  readonly nodes: readonly Uint8Array[]
}

/** A call that is not a transaction. `gas` undefined: the block's gas limit. `to` null asks for contract creation. */
export interface CallRequest {
  readonly from: Address
  readonly to: Address | null
  readonly data: Uint8Array
  readonly value: bigint
  readonly gas: bigint | undefined
  /** Costs gas as in a transaction. */
  readonly accessList?: readonly AccessListEntry[]
}

/** `REVERTED` carries the contract's revert data in `returnData`; `FAILED` is any other end, said in `message`. */
export type CallOutcome =
  | { readonly ok: true; readonly returnData: Uint8Array; readonly gasUsed: bigint }
  | { readonly ok: false; readonly code: 'REVERTED'; readonly returnData: Uint8Array }
  | { readonly ok: false; readonly code: 'FAILED'; readonly message: string }

export type EstimateOutcome = { readonly ok: true; readonly gas: bigint } | Extract<CallOutcome, { ok: false }>

/** EIP-2930 list of what a call touches; `fault` when the call does not succeed. `gasUsed`: of the call with the list. */
export type AccessListOutcome =
  | {
      readonly ok: true
      readonly accessList: readonly AccessListEntry[]
      readonly gasUsed: bigint
      readonly fault?: 'REVERTED' | 'OUT_OF_GAS'
    }
  | Extract<CallOutcome, { code: 'FAILED' }>

/** State after one final block. */
export interface ChainState {
  account(address: Address): AccountView | undefined
  /** Empty when the address holds no code. */
  code(address: Address): Uint8Array
  /** ZERO_HASH when the slot is unset. */
  storage(address: Address, slot: Hash): Hash
  call(request: CallRequest): CallOutcome
  estimateGas(request: CallRequest): EstimateOutcome
  accessList(request: CallRequest): AccessListOutcome
  prove(address: Address, slots: readonly Hash[]): AccountProof
}

/** Why a raw transaction was not taken. The RPC owns the texts (geth's); `detail` names the figures. */
export type SubmitFault =
  | 'MALFORMED'
  | 'UNSUPPORTED_TYPE'
  | 'NOT_REPLAY_PROTECTED'
  | 'WRONG_CHAIN_ID'
  | 'INVALID_SIGNATURE'
  | 'OVERSIZED'
  | 'NONCE_TOO_LOW'
  | 'NONCE_TOO_HIGH'
  | 'ALREADY_KNOWN'
  | 'REPLACEMENT_UNDERPRICED'
  | 'INTRINSIC_GAS_TOO_LOW'
  | 'GAS_LIMIT_TOO_HIGH'
  | 'TIP_ABOVE_FEE_CAP'
  | 'INSUFFICIENT_FUNDS'
  | 'CONTRACT_CREATION'
  | 'SENDER_NOT_PERMITTED'
  | 'SENDER_LIMIT'
  | 'POOL_FULL'

export type SubmitResult =
  | { readonly ok: true; readonly hash: Hash }
  | { readonly ok: false; readonly code: SubmitFault; readonly detail?: string }

/** `pending`: executable in nonce order; `queued`: waits for an earlier nonce. */
export interface PoolView {
  readonly pending: readonly ChainTransaction[]
  readonly queued: readonly ChainTransaction[]
}

export interface PeerView {
  readonly address: Address
  readonly name?: string
  readonly connected: boolean
  readonly rttMs?: number
}

/** Finality certificate of one block: signatures of 65 bytes (r, s, yParity), one for each signer, over the vote. */
export interface CertificateView {
  readonly blockNumber: Height
  readonly blockHash: Hash
  readonly kind: string
  readonly epoch: Epoch
  readonly view: View
  readonly signers: readonly Address[]
  readonly signatures: readonly Uint8Array[]
}

export interface SealerSetView {
  readonly epoch: Epoch
  readonly sealers: readonly { readonly address: Address; readonly weight: number }[]
}

export interface ConsensusStatus {
  readonly epoch: Epoch
  readonly view: View
  readonly leader: Address
  readonly finalView: View
  readonly finalHeight: Height
  /** This node's own address. */
  readonly self: Address
  readonly isSealer: boolean
  /** Blocks below a snapshot that were fetched and checked, from block 1 on, and how many there are; null where none are fetched. */
  readonly history: { readonly checked: number; readonly total: number } | null
}

/** What a node knows of consensus right now. Ages in ms. */
export interface ConsensusView {
  readonly self: Address
  /** This node's name in its configuration. */
  readonly name: string
  readonly epoch: Epoch
  readonly view: View
  readonly leader: Address
  readonly finalHeight: Height
  readonly finalHash: Hash
  readonly finalView: View
  readonly halted: 'no' | 'stop-voting' | 'stop-node'
  /** '' when it is not halted. */
  readonly haltReason: string
  /** It votes for nothing yet, since its journal may lack votes (consensus rule R16). */
  readonly inDoubt: boolean
  /** What is missing for the next step; 'idle': nothing is expected. */
  readonly stage: 'idle' | 'proposal' | 'notarize' | 'nullify' | 'finalize'
  readonly stageView: View
  /** Null when idle. */
  readonly stageAgeMs: number | null
  /** Until the view is given up; null while its clock does not run. */
  readonly givenUpInMs: number | null
  readonly weightTotal: number
  readonly weightConnected: number
  readonly weightQuorum: number
  readonly sealers: readonly SealerStanding[]
  readonly missingBlocks: number
  readonly missingCertificates: boolean
  /** One sentence in plain words. */
  readonly why: string
  /** This node's wall clock, in ms since 1970. */
  readonly clockMs: number
}

export interface SealerStanding {
  readonly address: Address
  /** Where this node's configuration gives one. */
  readonly name?: string
  readonly weight: number
  readonly connected: boolean
  /** Since anything came from it; null: never. */
  readonly heardAgeMs: number | null
  /** Its last vote in the current view. */
  readonly vote: 'none' | 'notarize' | 'nullify'
  /** What the stage still waits for from it. */
  readonly awaited: 'proposal' | 'notarize' | 'nullify' | 'finalize' | null
}

/** `false`, or where a node that lags stands. */
export type SyncStatus =
  | false
  | { readonly startingBlock: Height; readonly currentBlock: Height; readonly highestBlock: Height }

/** `reasons` say in words what is missing; empty when ready. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

export type Unsubscribe = () => void

export interface ChainApi {
  readonly chainId: number
  readonly clientVersion: string
  readonly genesisHash: Hash
  /** Addresses of the system contracts by name. */
  readonly contracts: Readonly<Record<string, Address>>
  keccak256(bytes: Uint8Array): Uint8Array

  head(): Head
  blockByNumber(number: Height): FinalBlock | undefined
  blockByHash(hash: Hash): FinalBlock | undefined
  hashOf(number: Height): Hash | undefined
  /** Height of a final block. */
  heightOf(hash: Hash): Height | undefined
  /** The header alone, for scans that mostly skip blocks (log search by bloom). */
  headerByNumber(number: Height): Header | undefined
  /** Receipts in transaction order; undefined when the block is unknown. */
  receipts(number: Height): readonly Receipt[] | undefined
  /** Place of a final transaction. */
  locate(hash: Hash): TransactionPlace | undefined
  pendingTransaction(hash: Hash): ChainTransaction | undefined
  /** Next nonce of `address` counting its executable pool transactions. */
  pendingNonce(address: Address): bigint
  /** State after block `number`; undefined when that state is not kept. */
  state(number: Height): ChainState | undefined
  /** First block whose state is kept; all later ones are. */
  oldestState(): Height
  /** First block above genesis that is kept with its transactions and receipts; all later ones are. */
  oldestBlock(): Height
  /** Decodes, checks and puts one raw transaction into the pool. Never throws on bad input. */
  submitTransaction(raw: Uint8Array): SubmitResult
  poolCounts(): { readonly pending: number; readonly queued: number }
  pool(): PoolView

  /** `listener` runs after the block can be read; it must not throw and returns at once. */
  onFinalBlock(listener: (event: FinalBlockEvent) => void): Unsubscribe
  /** A transaction became executable in the pool. */
  onPendingTransaction(listener: (transaction: ChainTransaction) => void): Unsubscribe

  syncing(): SyncStatus
  readiness(): Readiness
  peers(): readonly PeerView[]
  /** Undefined for genesis (trusted, not voted) and for unknown heights. */
  certificate(number: Height): CertificateView | undefined
  genesisProof(): GenesisProof
  /** The set which decides on block `number`; undefined when it is not known yet. */
  sealers(number: Height): SealerSetView | undefined
  /** The block that closed `epoch`, whose header lists the next set; undefined while the epoch lasts. */
  epochEnd(epoch: Epoch): Height | undefined
  consensusStatus(): ConsensusStatus
  consensus(): ConsensusView
}
