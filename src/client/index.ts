/**
 * Programs that use a concordat chain, in browsers and Node, over viem: `import { connect, verify } from 'concordat/client'`.
 * What is not imported is left out by bundlers. Quick starts: docs/quick-start.md, docs/quick-start-ethereum.md.
 */
export { AgentError, type AgentErrorCode } from '../agent/agentError.js'
export { ContractRevert } from '../agent/contractClient.js'
export { WaitError } from '../agent/heads.js'
export { type ContestedEntry, contestEntry, type RaisedObjection, readObjections } from '../agent/objection.js'
export type { PartReport } from '../agent/partReports.js'
export {
  type KeptPortraitKey,
  memoryPortraitKeyStore,
  type PortraitKey,
  PortraitKeyError,
  type PortraitKeyStore,
  type PortraitKeys,
  portraitKeysOver,
} from '../agent/portraitKeys.js'
export { QuestionRefused } from '../agent/questionRefused.js'
export type { VerificationReport, VerifiedAttribute } from '../agent/requester.js'
export type { SealerSet } from '../consensus/types.js'
export { attributeId, idText, textId } from '../contracts/textId.js'
export { type Address, asAddress, asHash, type Hash, type Hex } from '../core/bytes.js'
export type { Header } from '../core/header.js'
export { type EncryptionKeyPair, encryptionKeyFromPrivate, generateEncryptionKey } from '../crypto/encryptionKey.js'
export { EvidenceError } from '../evidence/evidenceError.js'
export { type EvidenceReport, type VerifyOptions, verifyEvidence } from '../evidence/verify.js'
export { RpcClientError } from '../rpc/clientError.js'
export { RpcError } from '../rpc/errors.js'
export * from './abis.js'
export { type ConcordatChainOptions, concordatChain } from './chain.js'
export { ClientError, type ClientErrorCode } from './clientError.js'
export { connect, type Member, type MemberOptions, type Reader, type ReadOptions } from './connect.js'
export * from './consent.js'
export { type ErasureRequest, requestErasure } from './erasure.js'
export {
  type ChainIdentity,
  type FinalityCertificate,
  type FinalityProof,
  type FinalReceipt,
  readChainIdentity,
  readFinalityProof,
  readSealerSet,
  verifyFinality,
  waitForFinality,
} from './finality.js'
export * from './portrait.js'
export { type ProvedAccount, verifyProof } from './stateProof.js'
export { declarationFile, type EnterpriseDeclaration, type Submitted, submit } from './submit.js'
export { type AuditQuery, type TraceEntry, type TraceOptions, trace } from './trace.js'
export { type Question, verify } from './verify.js'
export type { MemberAccount } from './viemSigner.js'
