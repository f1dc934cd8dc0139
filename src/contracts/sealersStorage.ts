/** Storage of `sealers`, read by `credit` and at the end of a block too. */
import type { Address, Hash } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import {
  arrayLength,
  arraySlot,
  loadWords,
  mappingSlot,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  wordAddress,
  wordBigint,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { sealersAbi } from './sealers.abi.js'

export const sealersInterface = new ContractAbi(sealersAbi)

/** address[], in leader order. */
export const SEALERS_SLOT = slotAt(0)
/** mapping(address => Seat). */
const SEATS_SLOT = slotAt(1)
/** uint64. */
export const EPOCH_SLOT = slotAt(2)
/** string. */
export const POLICY_SLOT = slotAt(3)
/** string. */
export const SCHEDULE_SLOT = slotAt(4)
/** Parameters. */
const PARAMETERS_SLOT = slotAt(5)
/** mapping(address => Volunteer); Volunteer { head; string multiaddr }. */
const VOLUNTEERS_SLOT = slotAt(6)
/** uint256: ids begin at 1. */
export const CHANGE_COUNT_SLOT = slotAt(7)
/** mapping(uint256 => Change); see sealerChanges.ts. */
export const CHANGES_SLOT = slotAt(8)
/** uint256[]: changes that may still be approved, and some that lapsed. */
export const OPEN_SLOT = slotAt(9)
/** uint256[]: changes that take effect with the end of the block, in order. */
export const DUE_SLOT = slotAt(10)
/** mapping(address => address): sealer to the key that may take its seat. */
const OFFERS_SLOT = slotAt(11)

/** weight 0: seals no more. The turns before it joined are its credit record's then. */
const SEAT = { weight: 'uint64', sealedBefore: 'uint32', missedBefore: 'uint32', known: 'bool' } as const
const seatWord = packed(SEAT)
export type Seat = Packed<typeof SEAT>

const PARAMETERS = {
  epochBlocks: 'uint64',
  changeBlocksMax: 'uint64',
  sealersMin: 'uint16',
  thresholdNumerator: 'uint32',
  thresholdDenominator: 'uint32',
} as const
const parametersWord = packed(PARAMETERS)
export type SealersParameters = Packed<typeof PARAMETERS>

/** missed: turns that it had ever missed when it came forward. */
const VOLUNTEER = { height: 'uint64', missed: 'uint32' } as const
const volunteerWord = packed(VOLUNTEER)
export type Volunteer = Packed<typeof VOLUNTEER>

const SEALERS = CONTRACT_ADDRESSES.sealers

const seatSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, SEATS_SLOT, account)

/** known is false for an account that never sealed. */
export const readSeat = (host: ContractHost, account: Address): Seat =>
  seatWord.read(host.loadFrom(SEALERS, seatSlot(host, account)))

export function storeSeat(host: ContractHost, account: Address, seat: Seat): void {
  host.store(seatSlot(host, account), seatWord.write(seat))
}

export const isSealer = (host: ContractHost, account: Address): boolean => readSeat(host, account).weight !== 0n

export const readEpoch = (host: ContractHost): bigint => wordBigint(host.loadFrom(SEALERS, EPOCH_SLOT))

/** In leader order; of the contract's own host. */
export const readSealers = (host: ContractHost): Address[] => loadWords(host, SEALERS_SLOT).map(wordAddress)

/** Slots that say who seals with which weight; of the contract's own host. */
export function setSlots(host: ContractHost): Hash[] {
  const first = arraySlot(host, SEALERS_SLOT)
  const list = Array.from({ length: arrayLength(host, SEALERS_SLOT) }, (_, i) => slotAfter(first, i))
  return [SEALERS_SLOT, ...list, ...readSealers(host).map((address) => seatSlot(host, address))]
}

export const readParameters = (host: ContractHost): SealersParameters => parametersWord.read(host.load(PARAMETERS_SLOT))

export function storeParameters(host: ContractHost, parameters: SealersParameters): void {
  host.store(PARAMETERS_SLOT, parametersWord.write(parameters))
}

export const volunteerSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, VOLUNTEERS_SLOT, account)
export const multiaddrSlot = (host: ContractHost, account: Address): Hash => slotAfter(volunteerSlot(host, account), 1)

/** height 0: never came forward. */
export const readVolunteer = (host: ContractHost, account: Address): Volunteer =>
  volunteerWord.read(host.load(volunteerSlot(host, account)))

export function storeVolunteer(host: ContractHost, account: Address, volunteer: Volunteer): void {
  host.store(volunteerSlot(host, account), volunteerWord.write(volunteer))
}

/** address: the key that may take this sealer's seat. */
export const offerSlot = (host: ContractHost, sealer: Address): Hash => mappingSlot(host, OFFERS_SLOT, sealer)
