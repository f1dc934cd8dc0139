/** JSON shapes of results and parameters (ethereum/execution-apis): quantities and bytes are 0x hex. */
import type { Address, Hash, Hex } from '../core/bytes.js'

export interface RpcLog {
  readonly address: Address
  readonly topics: readonly Hash[]
  readonly data: Hex
  readonly blockHash: Hash
  readonly blockNumber: Hex
  /** Seconds since 1970. */
  readonly blockTimestamp: Hex
  readonly transactionHash: Hash
  readonly transactionIndex: Hex
  readonly logIndex: Hex
  readonly removed: false
}

export interface RpcReceipt {
  readonly type: Hex
  readonly status: '0x0' | '0x1'
  readonly transactionHash: Hash
  readonly transactionIndex: Hex
  readonly blockHash: Hash
  readonly blockNumber: Hex
  readonly from: Address
  readonly to: Address | null
  readonly contractAddress: null
  readonly cumulativeGasUsed: Hex
  readonly gasUsed: Hex
  readonly effectiveGasPrice: Hex
  readonly logs: readonly RpcLog[]
  readonly logsBloom: Hex
}

export interface RpcAccessListEntry {
  readonly address: Address
  readonly storageKeys: readonly Hash[]
}

export interface RpcAccessList {
  readonly accessList: readonly RpcAccessListEntry[]
  /** Why the call does not succeed. */
  readonly error?: string
  readonly gasUsed: Hex
}

/** Place fields are null while the transaction waits in the pool. */
export interface RpcTransaction {
  readonly type: Hex
  readonly hash: Hash
  readonly nonce: Hex
  readonly from: Address
  readonly to: Address | null
  readonly value: Hex
  readonly gas: Hex
  readonly gasPrice: Hex
  readonly input: Hex
  readonly v: Hex
  readonly r: Hex
  readonly s: Hex
  readonly blockHash: Hash | null
  readonly blockNumber: Hex | null
  readonly blockTimestamp: Hex | null
  readonly transactionIndex: Hex | null
  readonly chainId?: Hex
  readonly maxFeePerGas?: Hex
  readonly maxPriorityFeePerGas?: Hex
  readonly accessList?: readonly RpcAccessListEntry[]
  readonly yParity?: Hex
}

export interface RpcHeader {
  readonly number: Hex
  readonly hash: Hash
  readonly parentHash: Hash
  readonly nonce: Hex
  readonly mixHash: Hash
  readonly sha3Uncles: Hash
  readonly logsBloom: Hex
  readonly transactionsRoot: Hash
  readonly stateRoot: Hash
  readonly receiptsRoot: Hash
  readonly miner: Address
  readonly difficulty: Hex
  readonly extraData: Hex
  readonly gasLimit: Hex
  readonly gasUsed: Hex
  readonly timestamp: Hex
  readonly baseFeePerGas?: Hex
}

export interface RpcBlock<T = Hash | RpcTransaction> extends RpcHeader {
  readonly size: Hex
  readonly transactions: readonly T[]
  readonly uncles: readonly Hash[]
}

export interface RpcCertificate {
  readonly blockNumber: Hex
  readonly blockHash: Hash
  readonly kind: string
  readonly epoch: Hex
  readonly view: Hex
  readonly signers: readonly Address[]
  readonly signatures: readonly Hex[]
}

export interface RpcSealerSet {
  readonly epoch: Hex
  readonly sealers: readonly { readonly address: Address; readonly weight: Hex }[]
}

/** EIP-1186; nodes in RLP, root first. */
export interface RpcProof {
  readonly accountProof: readonly Hex[]
  readonly storageProof: readonly { readonly key: Hex; readonly value: Hex; readonly proof: readonly Hex[] }[]
}

export interface RpcGenesisProof {
  /** RLP. */
  readonly header: Hex
  readonly nodes: readonly Hex[]
}

export interface RpcPeer {
  readonly address: Address
  readonly name: string | null
  readonly connected: boolean
  /** Milliseconds; null before the first ping came back. */
  readonly rttMs: number | null
}

export interface RpcConsensusStatus {
  readonly epoch: Hex
  readonly view: Hex
  readonly leader: Address
  readonly finalView: Hex
  readonly finalHeight: Hex
  readonly self: Address
  readonly isSealer: boolean
  /** Blocks below the snapshot with which the node began; null where none are fetched. */
  readonly history: { readonly checked: Hex; readonly total: Hex } | null
}

/** Ages and times in ms as plain numbers. */
export interface RpcConsensus {
  readonly self: Address
  readonly name: string
  readonly epoch: Hex
  readonly view: Hex
  readonly leader: Address
  readonly finalHeight: Hex
  readonly finalHash: Hash
  readonly finalView: Hex
  readonly halted: 'no' | 'stop-voting' | 'stop-node'
  readonly haltReason: string
  readonly inDoubt: boolean
  readonly stage: 'idle' | 'proposal' | 'notarize' | 'nullify' | 'finalize'
  readonly stageView: Hex
  readonly stageAgeMs: number | null
  readonly givenUpInMs: number | null
  readonly weightTotal: Hex
  readonly weightConnected: Hex
  readonly weightQuorum: Hex
  readonly sealers: readonly RpcSealerStanding[]
  readonly missingBlocks: Hex
  readonly missingCertificates: boolean
  readonly why: string
  /** Since 1970. */
  readonly clockMs: number
}

export interface RpcSealerStanding {
  readonly address: Address
  readonly name: string | null
  readonly weight: Hex
  readonly connected: boolean
  readonly heardAgeMs: number | null
  readonly vote: 'none' | 'notarize' | 'nullify'
  readonly awaited: 'proposal' | 'notarize' | 'nullify' | 'finalize' | null
}

export interface RpcEnvelopeStatus {
  readonly sender: Address
  readonly hash: Hash
  readonly carrier: Address
  readonly state: 'waiting' | 'delivered' | 'held' | 'erased' | 'expired' | 'orphaned' | 'unknown'
  readonly lengthBytes: Hex | null
  readonly expiresAt: Hex | null
  readonly recipients: readonly { readonly address: Address; readonly delivered: boolean }[]
}

export interface RpcDeliveryTotals {
  readonly stored: Hex
  readonly bytes: Hex
  readonly waiting: Hex
  readonly owed: Hex
  /** For whom deliveries wait, the longest first. */
  readonly overdue: readonly { readonly recipient: Address; readonly waiting: Hex; readonly longestMs: number }[]
}

export interface RpcHandedEnvelope {
  readonly envelope: Hex
  /** SHA-256. */
  readonly hash: Hash
  readonly expiresAt: Hex
  readonly recipients: readonly Address[]
  readonly signature: Hex
}

export type BlockTag = 'latest' | 'earliest' | 'pending' | 'safe' | 'finalized'
export type BlockRef = Hex | BlockTag

export interface LogFilter {
  readonly address?: Address | readonly Address[]
  readonly topics?: readonly (Hash | readonly Hash[] | null)[]
  readonly fromBlock?: BlockRef
  readonly toBlock?: BlockRef
  readonly blockHash?: Hash
}

export interface CallParams {
  readonly from?: Address
  readonly to?: Address
  readonly data?: Hex
  readonly value?: Hex
  readonly gas?: Hex
  readonly accessList?: readonly RpcAccessListEntry[]
}

/** Methods the typed client knows: parameters and result of each. */
export interface RpcMethods {
  eth_chainId: { params: []; result: Hex }
  eth_blockNumber: { params: []; result: Hex }
  eth_call: { params: [CallParams, BlockRef]; result: Hex }
  eth_estimateGas: { params: [CallParams]; result: Hex }
  eth_createAccessList: { params: [CallParams, BlockRef]; result: RpcAccessList }
  eth_gasPrice: { params: []; result: Hex }
  eth_maxPriorityFeePerGas: { params: []; result: Hex }
  eth_getBalance: { params: [Address, BlockRef]; result: Hex }
  eth_getCode: { params: [Address, BlockRef]; result: Hex }
  eth_getTransactionCount: { params: [Address, BlockRef]; result: Hex }
  eth_sendRawTransaction: { params: [Hex]; result: Hash }
  eth_getTransactionByHash: { params: [Hash]; result: RpcTransaction | null }
  eth_getTransactionReceipt: { params: [Hash]; result: RpcReceipt | null }
  eth_getBlockByNumber: { params: [BlockRef, boolean]; result: RpcBlock | null }
  eth_getBlockByHash: { params: [Hash, boolean]; result: RpcBlock | null }
  eth_getBlockReceipts: { params: [BlockRef]; result: readonly RpcReceipt[] | null }
  eth_getLogs: { params: [LogFilter]; result: readonly RpcLog[] }
  eth_syncing: { params: []; result: false | { startingBlock: Hex; currentBlock: Hex; highestBlock: Hex } }
  net_version: { params: []; result: string }
  web3_clientVersion: { params: []; result: string }
  txpool_status: { params: []; result: { pending: Hex; queued: Hex } }
  eth_getProof: { params: [Address, readonly Hash[], BlockRef]; result: RpcProof }
  debug_getRawHeader: { params: [BlockRef]; result: Hex }
  debug_getRawBlock: { params: [BlockRef]; result: Hex }
  debug_getRawReceipts: { params: [BlockRef]; result: readonly Hex[] }
  concordat_getFinalityCertificate: { params: [BlockRef]; result: RpcCertificate | null }
  concordat_getSealerSet: { params: [BlockRef]; result: RpcSealerSet | null }
  concordat_getGenesisProof: { params: []; result: RpcGenesisProof }
  concordat_getEpochEnd: { params: [Hex]; result: Hex | null }
  concordat_peers: { params: []; result: readonly RpcPeer[] }
  concordat_consensusStatus: { params: []; result: RpcConsensusStatus }
  concordat_consensus: { params: []; result: RpcConsensus }
  concordat_deliverEnvelope: { params: [RpcHandedEnvelope, Hex]; result: RpcEnvelopeStatus }
  concordat_getEnvelope: { params: [Address, Hash, Hex]; result: Hex | null }
  concordat_envelopeStatus: { params: [Address, Hash]; result: RpcEnvelopeStatus }
  concordat_deliveryTotals: { params: []; result: RpcDeliveryTotals }
  concordat_genesisHash: { params: []; result: Hash }
}

export type RpcMethod = keyof RpcMethods
export type ParamsOf<M extends RpcMethod> = RpcMethods[M]['params']
export type ResultOf<M extends RpcMethod> = RpcMethods[M]['result']
