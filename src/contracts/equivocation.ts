/** reportEquivocation: two signed votes that one sealer must never sign both (R13). They prove themselves, so that anyone may report. */
import type { Address, Hash } from '../core/bytes.js'
import { CodecError } from '../core/codec.js'
import { equivocationsPerEpochMax } from '../core/limits.js'
import { type CarriedVote, contradict, decodeSignedVote, votePreimage } from '../core/vote.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { bigintWord, mappingSlot, newMappingSlot, wordBigint } from '../vm/storage.js'
import { CREDIT_REASON } from './codes.js'
import type { creditAbi } from './credit.abi.js'
import { creditInterface as abi, bookReason, REPORTS_SLOT } from './creditStorage.js'
import { readEpoch, readSeat } from './sealersStorage.js'

/** Books an equivocation once for each view, and at most `equivocationsPerEpochMax` times in an epoch. Returns who signed. */
export function reportEquivocation(
  host: ContractHost,
  { first, second }: FunctionArgs<typeof creditAbi, 'reportEquivocation'>,
): Address {
  const [one, other] = [readVote(first), readVote(second)]
  if (!contradict(one, other)) throw revert(abi, 'NotEvidence', { problem: 'the votes do not contradict each other' })
  const sealer = signerOf(host, one)
  if (signerOf(host, other) !== sealer) {
    throw revert(abi, 'NotEvidence', { problem: 'the votes have different signers' })
  }
  if (!readSeat(host, sealer).known) throw revert(abi, 'NeverSealed', { account: sealer })
  const current = readEpoch(host)
  if (BigInt(one.epoch) > current) throw revert(abi, 'FutureEpoch', { given: BigInt(one.epoch), current })
  markReported(host, sealer, one)
  const { before, after } = bookReason(host, sealer, 'equivocation')
  const delta = after.score - before.score
  emit(host, abi, 'ScoreChanged', { member: sealer, reason: CREDIT_REASON.equivocation, delta, score: after.score })
  return sealer
}

function readVote(bytes: Uint8Array): CarriedVote {
  try {
    return decodeSignedVote(bytes)
  } catch (error) {
    if (error instanceof CodecError) throw revert(abi, 'NotEvidence', { problem: error.message })
    throw error
  }
}

function signerOf(host: ContractHost, vote: CarriedVote): Address {
  const digest = host.keccak(votePreimage(host.block, vote))
  const signer = host.recover(digest, vote.signature)
  if (signer === null) throw revert(abi, 'NotEvidence', { problem: 'a signature fits no key' })
  return signer
}

const LANE_BITS = 64n
const LANE_MASK = 2n ** LANE_BITS - 1n

/** One word for each sealer and epoch holds the views, 64 bits each. */
function markReported(host: ContractHost, sealer: Address, vote: CarriedVote): void {
  const [epoch, view] = [BigInt(vote.epoch), BigInt(vote.view)]
  const slot: Hash = newMappingSlot(host, mappingSlot(host, REPORTS_SLOT, sealer), bigintWord(epoch))
  const word = wordBigint(host.load(slot))
  for (let lane = 0n; lane < BigInt(equivocationsPerEpochMax); lane++) {
    const at = lane * LANE_BITS
    const known = (word >> at) & LANE_MASK
    if (known === view + 1n) throw revert(abi, 'AlreadyReported', { sealer, epoch, viewNumber: view })
    if (known !== 0n) continue
    host.store(slot, bigintWord(word | ((view + 1n) << at)))
    return
  }
  throw revert(abi, 'TooManyReports', { sealer, epoch })
}
