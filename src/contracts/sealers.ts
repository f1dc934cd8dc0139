/** Contract `sealers`: the sealer set, its weights, and how members change it by vote. */
import { assert } from '../core/assert.js'
import { type Address, asEpoch, type Epoch, ZERO_ADDRESS } from '../core/bytes.js'
import { multiaddrBytesMax, sealersMax } from '../core/limits.js'
import type { StateReader } from '../state/reader.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { readHost } from '../vm/host.js'
import { addressWord, loadText, storeText, storeWords, wordAddress } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { CHANGE_KIND } from './codes.js'
import { readCredit } from './creditStorage.js'
import { consensusConfigOf } from './genesisDefaults.js'
import type { ConsensusConfig, GenesisConfig } from './genesisTypes.js'
import { acting, isAccountKey, isReplaced } from './membersStorage.js'
import {
  approveChange,
  changeOf,
  decideOwnSeat,
  proposeChange,
  requireShort,
  stillOpen,
  withdrawApproval,
} from './sealerChanges.js'
import { isFresh, memberFault } from './sealerSet.js'
import {
  sealersInterface as abi,
  isSealer,
  multiaddrSlot,
  offerSlot,
  POLICY_SLOT,
  readEpoch,
  readParameters,
  readSealers,
  readSeat,
  readVolunteer,
  SCHEDULE_SLOT,
  SEALERS_SLOT,
  storeParameters,
  storeSeat,
  storeVolunteer,
} from './sealersStorage.js'

export { sealersInterface } from './sealersStorage.js'

export interface SealerSetView {
  readonly epoch: Epoch
  /** In leader order. */
  readonly sealers: readonly { readonly address: Address; readonly weight: number }[]
}

export const sealers = defineContract({
  name: 'sealers',
  version: 2,
  address: CONTRACT_ADDRESSES.sealers,
  abi,
  functions: {
    sealers(host) {
      const addresses = readSealers(host)
      const weights = addresses.map((address) => readSeat(host, address).weight)
      return { addresses, weights, epoch: readEpoch(host) }
    },

    isSealer: (host, { account }) => isSealer(host, account),

    weightPolicy: (host) => loadText(host, POLICY_SLOT),

    leaderSchedule: (host) => loadText(host, SCHEDULE_SLOT),

    parameters: (host) => ({ ...readParameters(host), sealersMax }),

    volunteer(host, { multiaddr }) {
      const fault = memberFault(host, host.caller)
      if (fault !== undefined) throw fault
      requireShort('multiaddr', multiaddr, multiaddrBytesMax)
      comeForward(host)
      storeText(host, multiaddrSlot(host, host.caller), multiaddr)
      emit(host, abi, 'Volunteered', { account: host.caller, multiaddr })
      return undefined
    },

    volunteerOf(host, { account }) {
      const { height } = readVolunteer(host, account)
      return { height, multiaddr: loadText(host, multiaddrSlot(host, account)), valid: isFresh(host, account) }
    },

    p2pAddressOf: (host, { account }) => loadText(host, multiaddrSlot(host, account)),

    proposeChange,
    approveChange,
    withdrawApproval,
    changeOf,
    openChanges: stillOpen,

    leave: (host) => decideOwnSeat(host, { kind: CHANGE_KIND.leave, sealer: ownSeat(host), replacement: ZERO_ADDRESS }),

    offerSeat(host, { successor }) {
      const sealer = ownSeat(host)
      if (!isSealer(host, sealer)) throw revert(abi, 'NotSealer', { account: sealer })
      host.store(offerSlot(host, sealer), addressWord(successor))
      emit(host, abi, 'SeatOffered', { sealer, successor })
      return undefined
    },

    takeSeat(host, { predecessor }) {
      const slot = offerSlot(host, predecessor)
      const replacement = host.caller
      if (wordAddress(host.load(slot)) !== replacement) {
        throw revert(abi, 'SeatNotOffered', { predecessor, successor: replacement })
      }
      host.store(slot, addressWord(ZERO_ADDRESS))
      comeForward(host)
      return decideOwnSeat(host, { kind: CHANGE_KIND.handOver, sealer: predecessor, replacement })
    },
  },
})

/**
 * The seat that the caller may give up. A seat is a node's, known by the key that seals, not its member's: so it is the caller's
 * own address. The key that has replaced an account's own acts for the account's seat too, the replaced one no more.
 */
function ownSeat(host: ContractHost): Address {
  const { caller } = host
  if (isReplaced(host, caller)) throw revert(abi, 'NotActiveMember', { account: caller })
  return isSealer(host, caller) || !isAccountKey(host, caller) ? caller : acting(host).account
}

/** The caller's node runs: its key has signed this transaction. */
function comeForward(host: ContractHost): void {
  const { counts } = readCredit(host, host.caller)
  storeVolunteer(host, host.caller, { height: BigInt(host.block.number), missed: counts.turnMissed })
}

/** Writes the sealer set of epoch 0 and the rules by which it changes. */
export function initSealers(host: ContractHost, genesis: GenesisConfig): void {
  const config = consensusConfigOf(genesis)
  const fault = configFault(config, genesis.sealers.length)
  if (fault !== undefined) throw revert(abi, 'InvalidParameter', { name: fault })
  const addresses = genesis.sealers.map((sealer) => addressWord(sealer.address))
  storeWords(host, SEALERS_SLOT, addresses)
  for (const { address, weight } of genesis.sealers) {
    storeSeat(host, address, { weight: BigInt(weight), sealedBefore: 0, missedBefore: 0, known: true })
  }
  storeText(host, POLICY_SLOT, config.weightPolicy)
  storeText(host, SCHEDULE_SLOT, config.leaderSchedule)
  storeParameters(host, {
    epochBlocks: BigInt(config.epochBlocks),
    changeBlocksMax: BigInt(config.changeBlocksMax),
    sealersMin: config.sealersMin,
    thresholdNumerator: config.changeThreshold.numerator,
    thresholdDenominator: config.changeThreshold.denominator,
  })
}

/** Name of the parameter that is out of range. */
function configFault(config: ConsensusConfig, sealerCount: number): string | undefined {
  const { epochBlocks, changeBlocksMax, sealersMin, changeThreshold } = config
  const { numerator, denominator } = changeThreshold
  const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max
  if (!within(epochBlocks, 0, 2 ** 32)) return 'epochBlocks'
  if (!within(changeBlocksMax, 1, 2 ** 32)) return 'changeBlocksMax'
  if (!within(sealersMin, 1, sealerCount)) return 'sealersMin'
  if (!within(denominator, 1, 1_000_000) || !within(numerator, 1, denominator)) return 'changeThreshold'
  return undefined
}

/** The sealer set that a state names. */
export function sealerSetOf(state: StateReader): SealerSetView {
  const host = readHost(state, CONTRACT_ADDRESSES.sealers)
  const epoch = Number(readEpoch(host))
  assert(Number.isSafeInteger(epoch), 'epochs stay below 2^53')
  const set = readSealers(host).map((address) => ({ address, weight: Number(readSeat(host, address).weight) }))
  return { epoch: asEpoch(epoch), sealers: set }
}
