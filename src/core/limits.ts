/** Every cap of the system with its unit and the reason for its size. Relations between them are asserted when this module loads. */
import { assert } from './assert.js'

const KIB = 1024
const MIB = 1024 * KIB

/** One signed transaction. geth's pool has the same cap; a submission to eight departments needs about 8 KiB. */
export const txBytesMax = 128 * KIB
/** One block in RLP: about 700 submissions; executes and travels within one view timeout. */
export const blockBytesMax = 1 * MIB
/** Header in RLP: fixed fields (under 700 bytes) and extraData. */
export const headerBytesMax = 4 * KIB
/** Sealers of one epoch: all-to-all votes and full mesh stay cheap up to here. */
export const sealersMax = 64
/** vanity 32 + address and weight of each sealer of the next epoch (blocks that close one) + seal 65. */
export const extraDataBytesMax = 32 + 28 * sealersMax + 65

/** One certificate: per signer a 65-byte signature and at most 5 bytes of framing and index, and the vote it is for. */
export const certificateBytesMax = 128 + 70 * sealersMax
/** Certificates that justify a proposal's parent: one notarization and a nullification for each view that was skipped. */
export const justificationCertificatesMax = 64
/** A proposal: block, justification, the leader's vote. */
export const proposalBytesMax = blockBytesMax + justificationCertificatesMax * certificateBytesMax + 1 * KIB

/** Frame on the ping channel. */
export const pingFrameBytesMax = 64
/** Frame on the consensus channel. */
export const consensusFrameBytesMax = 2 * MIB
/** Frame on the transactions channel: a batch of transactions. */
export const transactionsFrameBytesMax = 1 * MIB
/** Frame on the blocks channel: a range of final blocks. */
export const blocksFrameBytesMax = 8 * MIB
/** Frame on the envelopes channel: the largest envelope, who sends it to whom, signatures. */
export const envelopesFrameBytesMax = 128 * KIB
/** The largest frame of any channel. */
export const frameBytesMax = blocksFrameBytesMax
/** Bytes one peer may have waiting on the ping channel: a few pings and answers. */
export const pingQueueBytesMax = 4 * KIB
/** Bytes one peer may have waiting on the consensus channel: the proposals of some views. */
export const consensusQueueBytesMax = 4 * consensusFrameBytesMax
/** Bytes one peer may have waiting on the transactions channel: a second or two of full load. */
export const transactionsQueueBytesMax = 4 * MIB
/** Bytes one peer may have waiting on the blocks channel: two answers to sync requests. */
export const blocksQueueBytesMax = 2 * blocksFrameBytesMax
/** Bytes one peer may have waiting on the envelopes channel: what does not fit is on disk and is tried again. */
export const envelopesQueueBytesMax = 1 * MIB
/** Cost of a queued frame beside its bytes: array slot, object and view. */
export const queuedFrameOverheadBytes = 64
/** Larger frames travel in fragments of this size, so that a vote waits for at most one fragment of a block. */
export const fragmentBytesMax = 32 * KIB
/** One write to the transport: several fragments or many small frames. */
export const writeBytesMax = 64 * KIB
/** Connected peers of one node: all sealers and as many observers. */
export const peersMax = 2 * sealersMax
/** Members that are connected as observers: they leave a place for every sealer. */
export const guestsMax = peersMax - sealersMax
/** Connections that have not proved their key yet; a handshake takes some milliseconds. */
export const pendingConnectionsMax = 64
/** New inbound connections per second from one host. */
export const connectionsPerSecondMax = 100
/** Streams a peer may have open on its connection; it needs one. */
export const streamsMax = 4
/** Receive window of one stream: 34 MiB/s over a round trip of 30 ms. A transport frame above it is a false length. */
export const streamWindowBytesMax = 1 * MIB
/** Bytes waiting in the transport below our own queue, beyond which the connection is closed: a window may wait there, more not. */
export const transportQueueBytesMax = 2 * streamWindowBytesMax
/** Bytes per second taken from one peer; a frame counts `inboundFrameCostBytes` more. */
export const inboundBytesPerSecondMax = 64 * MIB
/** Cost of handling a frame, in bytes of the inbound budget: 128 Ki empty frames a second at most. */
export const inboundFrameCostBytes = 512

/** Nested RLP lists; our deepest structure (a range of blocks with access lists) has 8. */
export const rlpDepthMax = 16
/** Items of one RLP structure: each costs about 100 bytes of heap, so a decoded structure stays under 32 MiB. */
export const rlpItemsMax = 256 * KIB

/** Recipients of one envelope: supervisors of one attribute set. */
export const envelopeRecipientsMax = 16
/** Plaintext of one envelope; its ciphertext has to fit a transaction together with its digests. */
export const envelopePlaintextBytesMax = 64 * KIB
/** Canonical value of one attribute in UTF-8. */
export const attributeValueBytesMax = 4 * KIB

/** Name of a member in UTF-8. */
export const memberNameBytesMax = 128
/** Keys that act for one member beside its account's own: a department's further nodes and services. */
export const signersMax = 16
/** Accounts that genesis may name as approvers of one role, beside all members of a role. */
export const approversMax = 32
/** Decisions on members that are open at a time: each change of the list reads all of it. */
export const openDecisionsMax = 128
/** Decisions on members that one approver may have open: it cannot fill the list for the others. */
export const openDecisionsPerApproverMax = 32
/** Why a member's status changes, or an application is declined, in UTF-8: a sentence and a file number. */
export const memberReasonBytesMax = 256
/** Changes of one member's status in one answer. */
export const statusEntriesMax = 64
/** Guardians of one member. */
export const guardiansMax = 16
/** Entries of the data portrait: GetDataProfile answers with all of them, under 1 KiB each. */
export const attributesMax = 2_048
/** Departments that supervise one attribute together; the envelope of a jointly supervised value has to reach all of them. */
export const supervisorsMax = envelopeRecipientsMax
/** Members that negotiate one key: the supervisors of one attribute. */
export const groupMembersMax = supervisorsMax
/** Blocks that each round of a key agreement may take: fewer would make slow members look silent, more would keep a group waiting for a silent one. */
export const groupRoundBlocksMin = 20
export const groupRoundBlocksMax = 10_000
/** Failed attempts of a group in a row after which the next has to wait, twice as long with each further one. */
export const groupFailuresFreeMax = 3
/** Doublings of that wait: at most a thousand of the shortest rounds. */
export const groupWaitDoublingsMax = 10
/** Members that the terms of one attribute name as askers: every question about it reads the list. */
export const termsAskersMax = 64
/** Purposes, statutes, and exceptions that the terms of one attribute name: every question about it reads the lists. */
export const termsCodesMax = 32
/** What an attribute means, in UTF-8: a short paragraph. */
export const attributeDescriptionBytesMax = 512
/** Values that an attribute of type code may be bound to: a code list of a statistical standard's upper levels. */
export const attributeCodesMax = 128
/** Parts of one submission: one for each recipient. */
export const submissionPartsMax = 32
/** Attributes of one part. */
export const partAttributesMax = 64
/** Recipients of one sharePortraitKey. */
export const keySharesMax = 64
/** Items of one verification request: a supervisor's answers to all of them share one storage word (4 bits each). */
export const requestItemsMax = 32
/** Supervisors that one verification request names. */
export const requestSupervisorsMax = 32
/** Answers of one attest: each is a handful of storage writes; keeps it under a tenth of a block's gas. */
export const attestAnswersMax = 64
/** Missed turns that one block books: after a long standstill the last ones stand for all. */
export const missedTurnsMax = 64
/** Multiaddress that a volunteer gives in UTF-8: a DNS name, port and peer id take about 120 bytes. */
export const multiaddrBytesMax = 256
/** Reason that a proposed change of the sealer set gives in UTF-8: a sentence and a file number. */
export const changeReasonBytesMax = 256
/** Changes of the sealer set that one voter may have open: it cannot fill the list for the others. */
export const openChangesPerVoterMax = 4
/** Changes of the data portrait that one department may have open. */
export const openProfileChangesPerProposerMax = 16
/** Changes of one attribute that may be open: each further one is compared with all of them. */
export const openProfileChangesPerAttributeMax = 8
/** Blocks ahead for which a change of the data portrait may be scheduled: about a year at a block every three seconds. */
export const profileChangeBlocksAheadMax = 10_000_000
/** Changes of the data portrait that one call of openChanges looks at. */
export const profileChangesScannedMax = 256
/** Views of one epoch in which contradicting votes of one sealer are booked: they share a storage word, and more change nothing. */
export const equivocationsPerEpochMax = 4
/** Entries of one list in the scope of a mandate: an investigation names some enterprises, not all. */
export const mandateEntriesMax = 64
/** Reason of a mandate in UTF-8: a sentence and a file number. */
export const mandateReasonBytesMax = 256
/** One record of a node's read log: a request's attributes, and room for names. */
export const readRecordBytesMax = 4 * KIB
/** Mandates of one grantee that are valid at a time: mandatesOf reads all of them. */
export const mandatesPerGranteeMax = 32
/** Attributes of one consent: those of a long form. */
export const consentAttributesMax = 64
/** Consents, or objections, of one page of a view; a consent is at most 3 KiB. */
export const consentPageMax = 64
/** File of a signed consent: the longest list of attributes is under 3 KiB. */
export const consentFileBytesMax = 16 * KIB
/** How long supervisors have to decide an objection, in seconds of block time: people read it, and offices close for holidays. */
export const objectionSecondsMax = 15 * 86_400
/** Attributes of one reportChange. */
export const reportAttributesMax = 256
/** Ciphertext of one envelope: largest plaintext, a wrapped key for each recipient, tags and suite. */
export const envelopeBytesMax = envelopePlaintextBytesMax + 128 * envelopeRecipientsMax + KIB
/** Blocks for which an envelope that travels directly may be kept: a year of blocks every three seconds. */
export const envelopeLifetimeBlocksMax = 10_000_000
/** Default bounds of a node's store of envelopes, in bytes: in all, and of one sender. */
export const storedEnvelopesBytesMax = 1024 * MIB
export const storedEnvelopesOfSenderBytesMax = 64 * MIB
/** What a stored envelope counts beside its bytes: its file's last block and its record in memory. */
export const storedEnvelopeOverheadBytes = 4 * KIB
/** Bytes per second of envelopes taken from one peer; each counts `envelopeCostBytes` more: a signature and two syncs. */
export const envelopeBytesPerSecondMax = 8 * MIB
export const envelopeCostBytes = 16 * KIB
/** Blocks within which holders may be asked to have erased an envelope. */
export const erasureBlocksMax = 1_000_000
/** Declared values that the user portrait lists for one enterprise and attribute; older ones stay known by their digest. */
export const portraitDigestsListedMax = 64
/** Characters of one canonical value that a schema may allow. */
export const schemaLengthMax = 1_024

/** Values that a predicate `oneOf` lists. */
export const predicateOperandsMax = 16
/** Remark on a document, or on a step of a batch, in UTF-8: a sentence and a reference. */
export const noteBytesMax = 256
/** Members that anchor one document: their list is read as a whole. */
export const anchorSignersMax = 64
/** Batches that one batch is made from. */
export const batchInputsMax = 16
/** Steps of one batch. */
export const batchStepsMax = 10_000
/** Steps of a batch read at once: under 64 KiB with the longest notes. */
export const stepsPageMax = 128
/** Batches behind one batch that are looked through for a recall. */
export const batchLineageMax = 1_024

/** Keystore file: a V3 file is under 1 KiB. */
export const keystoreBytesMax = 16 * KIB
/** scrypt work, 128 * N * r * p, that a keystore file may ask for; geth's standard strength asks for 256 MiB. */
export const keystoreScryptBytesMax = 512 * MIB
/** PBKDF2 rounds that a keystore file may ask for; files in use have 10,240 to 1,000,000. */
export const keystorePbkdf2RoundsMax = 10_000_000

/** Body of one JSON-RPC request over HTTP, or one WebSocket message: holds the largest transaction in hex several times. */
export const rpcBodyBytesMax = 1 * MIB
/** Members of one JSON-RPC batch. */
export const rpcBatchMax = 100
/** Answer to one HTTP request or WebSocket message; what viem takes by default. */
export const rpcResponseBytesMax = 10 * MIB
/** Blocks that one log search spans. */
export const rpcLogRangeBlocksMax = 10_000
/** Addresses, or alternatives of one topic, in a log filter; as in geth. */
export const rpcLogAlternativesMax = 1_000
/** Storage slots of one eth_getProof; as in geth. */
export const rpcProofSlotsMax = 1_024
/** Blocks of one eth_feeHistory; as in geth. */
export const rpcFeeHistoryBlocksMax = 1_024
/** Polled filters of one node: each holds a cursor of about 1 KiB. */
export const rpcFiltersMax = 1_000
/** Transaction hashes one polled filter holds between polls. */
export const rpcFilterHashesMax = 10_000
/** Open WebSockets of one node. */
export const rpcSocketsMax = 256
/** Subscriptions of one WebSocket. */
export const rpcSubscriptionsMax = 100
/** Messages of one WebSocket that wait for their answer; beyond it the socket is not read. */
export const rpcSocketPendingMax = 32
/** Bytes queued for a WebSocket that reads slowly; beyond it the socket is closed. */
export const rpcSocketQueueBytesMax = 2 * rpcResponseBytesMax
/** HTTP connections of one node; idle agents keep one or two each. */
export const rpcConnectionsMax = 1_024
/** Requests of one node that are not answered yet; beyond it clients are told to try again. */
export const rpcRequestsMax = 2_048
/** Size of the requests of one node that are not answered yet, beyond which clients are told to try again. */
export const rpcPendingBytesMax = 64 * MIB
/** Requests of one HTTP connection that are not answered yet: clients that pipeline. */
export const rpcConnectionPendingMax = 32
/** Bytes of answers and notifications that clients have not read yet; beyond it those who are longest behind are cut. */
export const rpcUnreadBytesMax = 256 * MIB
/** Gas of one eth_call or eth_estimateGas: some tens of ms. */
export const rpcCallGasMax = 100_000_000
/** A JSON Web Token; usual ones have 200 to 400 characters. */
export const rpcTokenCharsMax = 4 * KIB
/** Checked tokens that a node remembers. */
export const rpcTokensKnownMax = 1_000
/** Tokens that wait to be checked; beyond it clients are told to try again. */
export const rpcTokensWaitingMax = 256
/** Secrets, or public keys, of which tokens are taken: two while one replaces the other. */
export const rpcTokenKeysMax = 16
/** Files of secrets, of public keys, and of certificates. */
export const rpcTokenFileBytesMax = 64 * KIB

/** Attributes of one enterprise in a department's database, or of one declaration; ten times Table 2. */
export const recordAttributesMax = 256
/** Company name, attribute name or message key in UTF-8: 128 bytes of name on chain, and room for a department's own. */
export const recordNameBytesMax = 512
/** One unconfirmed message of an agent: a few words. */
export const outboxItemBytesMax = 1 * KIB
/** Name of a secret that an agent keeps with its database, in UTF-8. */
export const secretNameBytesMax = 128
/** One such secret: key material and state of a protocol round. */
export const secretValueBytesMax = 4 * KIB
/** Password of a database connection in its file; anything larger is another file. */
export const databasePasswordBytesMax = 1 * KIB
/** Tables that a mapping of a department's database names. */
export const mappedTablesMax = 64
/** Tables between a row and its enterprise. */
export const mappedJoinsMax = 4
/** Conditions on the rows of one mapped table, values of one condition, entries of one translation. */
export const mappedConditionsMax = 8
export const mappedChoicesMax = 256
/** Records that a bulk load makes durable at once: about 1 MiB. */
export const bulkLoadBatchRecords = 1_000
/** Declaration file: `recordAttributesMax` values of usual length, or a few of the largest. */
export const declarationBytesMax = 1 * MIB
/** Declaration package, folder or .zip: forms and scanned documents. All of it is in memory while it is read. */
export const declarationPackageBytesMax = 32 * MIB
/** Files of a declaration package, and parts of a workbook. */
export const archiveEntriesMax = 512
/** Folders around a file of a package. */
export const archiveDepthMax = 8
/** Path of a file in a package in UTF-8; what file systems take for one name. */
export const archivePathBytesMax = 255
/** Everything in one archive, unpacked. */
export const archiveUnpackedBytesMax = 128 * MIB
/** Unpacked bytes for each packed one: spreadsheets reach 50, a bomb 1,000. */
export const archiveRatioMax = 200
/** Entries up to here may have any ratio: a bomb of them all stays below `archiveUnpackedBytesMax`. */
export const archiveRatioFreeBytesMax = 64 * KIB
/** One XML part of a workbook: a sheet of `gridRowsMax` rows and some columns. */
export const workbookPartBytesMax = 64 * MIB
/** Elements around an XML element; workbooks have about 10. */
export const xmlDepthMax = 64
/** Attributes of one XML element; the root of a workbook's part has about 20. */
export const xmlAttributesMax = 128
/** Rows of a sheet or CSV file. */
export const gridRowsMax = 100_000
/** Columns of a sheet or CSV file. */
export const gridColumnsMax = 1_024
/** Cells with a value of one sheet or CSV file: about 100 bytes each. */
export const gridCellsMax = 1_000_000
/** Merged areas of a sheet. */
export const gridMergesMax = 10_000
/** Text of one cell in characters: what spreadsheet programs take. */
export const gridCellCharactersMax = 32_767
/** manifest.json, or a mapping template: hundreds of entries. */
export const declarationManifestBytesMax = 256 * KIB
/** Enterprises of one bulk submission. */
export const bulkItemsMax = 100_000
/** Journal of a bulk submission: about 1 KiB for each enterprise. */
export const bulkJournalBytesMax = 256 * MIB
/** Submissions of a bulk run that wait for the departments' answers; more are not begun. */
export const bulkUnacknowledgedMax = 2_048
/** Enterprises of a bulk run that are being submitted at a time. */
export const bulkConcurrencyMax = 256
/** Faults of one declaration that are reported together. */
export const declarationFaultsMax = 50

/** File of an enterprise's portrait keys: 1,000 rotations. */
export const portraitKeyFileBytesMax = 128 * KIB
/** Transactions that one account of an agent has unconfirmed at a time; below a node's per-sender cap. */
export const agentTransactionsInFlightMax = 16
/** Members, profiles or portrait keys that an agent keeps in memory. */
export const agentCacheEntriesMax = 10_000

assert(
  txBytesMax + headerBytesMax + 16 < blockBytesMax,
  'a block must hold at least one transaction of the largest size',
)
assert(extraDataBytesMax + 700 < headerBytesMax, 'a header must hold the largest extraData')
assert(proposalBytesMax <= consensusFrameBytesMax, 'a consensus frame must hold the largest proposal')
assert(txBytesMax + 16 <= transactionsFrameBytesMax, 'a transactions frame must hold the largest transaction')
assert(blockBytesMax + certificateBytesMax + 64 <= blocksFrameBytesMax, 'a blocks frame must hold the largest block')
assert(
  frameBytesMax >= consensusFrameBytesMax && frameBytesMax >= transactionsFrameBytesMax,
  'frameBytesMax is the largest',
)
assert(
  envelopePlaintextBytesMax + 128 * envelopeRecipientsMax + 1 * KIB < txBytesMax,
  'a transaction must hold the largest envelope',
)
assert(4 * txBytesMax <= rpcBodyBytesMax, 'a JSON-RPC body must hold the largest transaction in hex')
assert(rpcResponseBytesMax < rpcSocketQueueBytesMax, 'the queue of a WebSocket must hold the largest answer')
assert(rpcSocketQueueBytesMax < rpcUnreadBytesMax, 'one WebSocket must not use up what all have together')
assert(4 * blockBytesMax < rpcResponseBytesMax, 'a JSON-RPC answer must hold the largest block in hex')
assert(consensusQueueBytesMax > consensusFrameBytesMax, 'the consensus queue must hold the largest consensus frame')
assert(transactionsQueueBytesMax > transactionsFrameBytesMax, 'the transactions queue must hold the largest frame')
assert(blocksQueueBytesMax > blocksFrameBytesMax, 'the blocks queue must hold the largest blocks frame')
assert(envelopesQueueBytesMax > envelopesFrameBytesMax, 'the envelopes queue must hold the largest envelopes frame')
assert(envelopeBytesMax + 4 * KIB <= envelopesFrameBytesMax, 'an envelopes frame must hold the largest envelope')
assert(storedEnvelopesOfSenderBytesMax <= storedEnvelopesBytesMax, 'one sender has a part of the store of envelopes')
assert(fragmentBytesMax + 8 <= writeBytesMax, 'a write must hold a fragment')

/** Trie nodes kept in memory, about 250 bytes each; the upper levels and what changed lately. Others are read from disk (a few µs). */
export const trieNodesInMemoryMax = 200_000
/** Accounts of the final state kept decoded, in each of two generations. */
export const cachedAccountsMax = 32_768
/** Storage slots of the final state kept, in each of two generations; about 250 bytes each. */
export const cachedSlotsMax = 65_536
/** Storage tries kept open: one for each contract. */
export const storageTriesMax = 64
/** Blocks before the latest whose states can be read, by default: what Ethereum's clients expect of a node that is no archive. */
export const recentStateBlocks = 128
/** Keys that the blocks of that window changed, together: 28 bytes of memory each, about 250 on disk. Where they are more, the window is shorter. */
export const recentStateEntriesMax = 2 * 1024 * 1024
/** Latest final blocks kept decoded: what clients that follow the head ask for. */
export const recentBlocksMax = 16
/** Bytes of one consensus journal: some final blocks' worth of proposals and votes; it is pruned long before. */
export const journalBytesMax = 256 * MIB
/** One record of the consensus journal: a proposal and a little framing. */
export const journalRecordBytesMax = proposalBytesMax + 1 * KIB
assert(
  archiveEntriesMax * archiveRatioFreeBytesMax <= archiveUnpackedBytesMax,
  'small entries of any ratio must fit an unpacked archive',
)
assert(requestItemsMax * 4 <= 128, 'answers of one supervisor to one request must fit 128 bits')
assert(4 * schemaLengthMax <= attributeValueBytesMax, 'a canonical value must fit its cap in UTF-8')
