/**
 * Contract `evidence`: anchors of documents. A member puts a document's hash on chain under its name; whoever holds a copy can
 * later check that this member vouched for exactly these bytes at that time. Several members may vouch for one document.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { anchorSignersMax, noteBytesMax } from '../core/limits.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  arrayLength,
  loadText,
  loadWords,
  newMappingSlot,
  packed,
  pushWord,
  slotAfter,
  slotAt,
  storeText,
  wordAddress,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { evidenceAbi } from './evidence.abi.js'
import { actingMember, isActive, readMemberHead } from './membersStorage.js'
import { isTextId } from './textId.js'

export const evidenceInterface = new ContractAbi(evidenceAbi)
const abi = evidenceInterface

/** mapping(bytes32 => address[]): who anchored a document, in order. */
const SIGNERS_SLOT = slotAt(0)
/** mapping(bytes32 => mapping(address => Anchor)); Anchor { head; bytes32 kind; string note; bytes32 supersededBy }. */
const ANCHORS_SLOT = slotAt(1)
const ANCHOR = { kind: 1, note: 2, supersededBy: 3 } as const
/** height 0: none. withdrawnAt 0: it stands. */
const anchorHead = packed({ height: 'uint64', time: 'uint64', withdrawnAt: 'uint64' })

export const evidence = defineContract({
  name: 'evidence',
  version: 1,
  address: CONTRACT_ADDRESSES.evidence,
  abi,
  functions: {
    anchor(host, { documentHash, kind, note }) {
      const signer = requireMember(host)
      checkAnchor(host, documentHash, kind, note)
      const slot = anchorSlot(host, documentHash, signer)
      if (readHead(host, slot).height !== 0n) throw revert(abi, 'AlreadyAnchored', { documentHash, signer })
      const { number, timestamp } = host.block
      host.store(slot, anchorHead.write({ height: BigInt(number), time: BigInt(timestamp), withdrawnAt: 0n }))
      host.store(slotAfter(slot, ANCHOR.kind), kind)
      storeText(host, slotAfter(slot, ANCHOR.note), note)
      pushWord(host, signersSlot(host, documentHash), addressWord(signer))
      emit(host, abi, 'Anchored', { documentHash, signer, kind, note })
      return undefined
    },

    /** The signer vouches for the document no more; that it once did stays on record. */
    withdraw(host, { documentHash, supersededBy }) {
      const signer = requireMember(host)
      const slot = anchorSlot(host, documentHash, signer)
      const head = readHead(host, slot)
      if (head.height === 0n) throw revert(abi, 'NotAnchored', { documentHash, signer })
      if (head.withdrawnAt !== 0n) throw revert(abi, 'AlreadyWithdrawn', { documentHash, signer })
      host.store(slot, anchorHead.write({ ...head, withdrawnAt: BigInt(host.block.number) }))
      host.store(slotAfter(slot, ANCHOR.supersededBy), supersededBy)
      emit(host, abi, 'AnchorWithdrawn', { documentHash, signer, supersededBy })
      return undefined
    },

    anchorOf(host, { documentHash, signer }) {
      const record = readAnchor(host, documentHash, signer)
      if (record.height === 0n) throw revert(abi, 'NotAnchored', { documentHash, signer })
      return record
    },

    anchorsOf: (host, { documentHash }) =>
      signersOf(host, documentHash).map((signer) => readAnchor(host, documentHash, signer)),

    /** Whether somebody still vouches for it. */
    isAnchored: (host, { documentHash }) =>
      signersOf(host, documentHash).some((signer) => !readAnchor(host, documentHash, signer).withdrawn),
  },
})

function requireMember(host: ContractHost): Address {
  const account = actingMember(host)
  if (!isActive(readMemberHead(host, account))) throw revert(abi, 'NotActiveMember', { account })
  return account
}

function checkAnchor(host: ContractHost, documentHash: Hash, kind: Hash, note: string): void {
  if (documentHash === ZERO_HASH) throw revert(abi, 'ZeroHash', {})
  if (!isTextId(kind)) throw revert(abi, 'InvalidKind', { kind })
  const bytesLength = Buffer.byteLength(note, 'utf8')
  if (bytesLength > noteBytesMax) {
    throw revert(abi, 'NoteTooLong', { bytesLength: BigInt(bytesLength), bytesMax: BigInt(noteBytesMax) })
  }
  if (arrayLength(host, signersSlot(host, documentHash)) >= anchorSignersMax) {
    throw revert(abi, 'TooManySigners', { documentHash, signersMax: BigInt(anchorSignersMax) })
  }
}

function readAnchor(host: ContractHost, documentHash: Hash, signer: Address) {
  host.charge(GAS_STEP)
  const slot = anchorSlot(host, documentHash, signer)
  const { height, time, withdrawnAt } = readHead(host, slot)
  return {
    signer,
    height,
    time,
    kind: host.load(slotAfter(slot, ANCHOR.kind)),
    note: loadText(host, slotAfter(slot, ANCHOR.note)),
    withdrawn: withdrawnAt !== 0n,
    withdrawnAt,
    supersededBy: host.load(slotAfter(slot, ANCHOR.supersededBy)),
  }
}

const readHead = (host: ContractHost, slot: Hash) => anchorHead.read(host.load(slot))

const signersSlot = (host: ContractHost, documentHash: Hash): Hash => newMappingSlot(host, SIGNERS_SLOT, documentHash)

const signersOf = (host: ContractHost, documentHash: Hash): Address[] =>
  loadWords(host, signersSlot(host, documentHash)).map(wordAddress)

const anchorSlot = (host: ContractHost, documentHash: Hash, signer: Address): Hash =>
  newMappingSlot(host, newMappingSlot(host, ANCHORS_SLOT, documentHash), signer)
