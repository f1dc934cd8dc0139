/**
 * What programs that use concordat import: contract interfaces, the JSON-RPC client, the agents' functions, consensus for
 * researchers, and what proves a chain offline.
 */
export * from './agent/index.js'
export * as consensus from './consensus/index.js'
export { CONTRACT_ADDRESSES, type ContractName } from './contracts/addresses.js'
export * from './contracts/codes.js'
export { creditAbi } from './contracts/credit.abi.js'
export { dataPortraitAbi } from './contracts/dataPortrait.abi.js'
export { dataSharingAbi } from './contracts/dataSharing.abi.js'
export { keyAgreementAbi } from './contracts/keyAgreement.abi.js'
export { membersAbi } from './contracts/members.abi.js'
export { sealersAbi } from './contracts/sealers.abi.js'
export { type SealerSetView, sealerSetOf } from './contracts/sealers.js'
export { attributeId, idText, textId } from './contracts/textId.js'
export type { Address, Hash, Hex } from './core/bytes.js'
export { decodeHeader, type Header } from './core/header.js'
export { buildGenesis } from './node/genesis.js'
export { loadGenesis } from './node/genesisFile.js'
export { type ChainPoint, type HeaderLink, type HeaderRules, verifyHeaderChain } from './node/headerChain.js'
export { sealedHeaderReader } from './node/sealedBlock.js'
export { voteRecoverer } from './node/votes.js'
export { createRpcClient, type RpcClient, type RpcClientOptions } from './rpc/client.js'
