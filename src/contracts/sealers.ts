/** Contract `sealers`: the sealer set and its weights, fixed by genesis in this version. */
import { type Address, asEpoch, type Epoch, ZERO_HASH } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, defineContract } from '../vm/contract.js'
import { readHost } from '../vm/host.js'
import {
  addressWord,
  bigintWord,
  loadText,
  loadWords,
  mappingSlot,
  slotAt,
  storeText,
  storeWords,
  wordAddress,
  wordBigint,
  wordNumber,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import type { GenesisConfig } from './genesisTypes.js'
import { sealersAbi } from './sealers.abi.js'

/** address[], in leader order. */
const SEALERS_SLOT = slotAt(0)
/** mapping(address => uint64). */
const WEIGHTS_SLOT = slotAt(1)
/** uint64. */
const EPOCH_SLOT = slotAt(2)
/** string. */
const POLICY_SLOT = slotAt(3)

export const sealersInterface = new ContractAbi(sealersAbi)

export interface SealerSetView {
  readonly epoch: Epoch
  /** In leader order. */
  readonly sealers: readonly { readonly address: Address; readonly weight: number }[]
}

export const sealers = defineContract({
  name: 'sealers',
  version: 1,
  address: CONTRACT_ADDRESSES.sealers,
  abi: sealersInterface,
  functions: {
    sealers(host) {
      const addresses = loadWords(host, SEALERS_SLOT).map(wordAddress)
      const weights = addresses.map((address) => weightOf(host, address))
      return { addresses, weights, epoch: wordBigint(host.load(EPOCH_SLOT)) }
    },

    isSealer: (host, { account }) => host.load(mappingSlot(host, WEIGHTS_SLOT, account)) !== ZERO_HASH,

    weightPolicy: (host) => loadText(host, POLICY_SLOT),
  },
})

/** Writes the sealer set of epoch 0. */
export function initSealers(host: ContractHost, genesis: GenesisConfig): void {
  const addresses = genesis.sealers.map((sealer) => addressWord(sealer.address))
  storeWords(host, SEALERS_SLOT, addresses)
  for (const { address, weight } of genesis.sealers) {
    host.store(mappingSlot(host, WEIGHTS_SLOT, address), bigintWord(BigInt(weight)))
  }
  storeText(host, POLICY_SLOT, 'genesis')
}

/** The sealer set that a state names. */
export function sealerSetOf(state: StateReader): SealerSetView {
  const host = readHost(state, CONTRACT_ADDRESSES.sealers)
  const addresses = loadWords(host, SEALERS_SLOT).map(wordAddress)
  const set = addresses.map((address) => ({ address, weight: Number(weightOf(host, address)) }))
  return { epoch: asEpoch(wordNumber(host.load(EPOCH_SLOT))), sealers: set }
}

/** The set of the next epoch; null while it is unchanged, which in this version is always. */
export function nextSealerSet(_state: StateReader): SealerSetView | null {
  return null
}

function weightOf(host: ContractHost, address: Address): bigint {
  return wordBigint(host.load(mappingSlot(host, WEIGHTS_SLOT, address)))
}
