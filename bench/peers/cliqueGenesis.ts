/** The genesis block of the Clique network: the same members, attributes and contract addresses as a concordat network. */
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { applyGenesis, type GenesisState } from '../../src/contracts/genesis.js'
import type { GenesisConfig } from '../../src/contracts/genesisTypes.js'
import type { Address, Hash, Hex } from '../../src/core/bytes.js'
import { toHex } from '../../src/core/bytes.js'
import { genesisExtraData } from '../../src/core/seal.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { ScratchState } from '../../src/vm/scratchState.js'
import { type Artifact, CONTRACTS } from './artifact.js'

export interface CliquePlan {
  readonly genesis: GenesisConfig
  /** Seconds between blocks; 0: a block as soon as there is a transaction. */
  readonly periodSeconds: number
  /** Accounts that send transactions: Ethereum's pools take none without a fee. */
  readonly fund: readonly Address[]
}

/** Enough for any number of transactions at a few wei for each unit of gas. */
const BALANCE: Hex = `0x${(10n ** 30n).toString(16)}`
const FORKS = [
  'homestead',
  'eip150',
  'eip155',
  'eip158',
  'byzantium',
  'constantinople',
  'petersburg',
  'istanbul',
  'muirGlacier',
  'berlin',
  'london',
]

/** A genesis file of geth. The base fee starts at 0 and stays there while blocks are less than half full. */
export function cliqueGenesis({ genesis, periodSeconds, fund }: CliquePlan, { contracts }: Artifact) {
  const storage = storageOf(genesis)
  const names = Object.keys(CONTRACTS) as (keyof typeof CONTRACTS)[]
  const code = names.map((name) => {
    const address = CONTRACT_ADDRESSES[name]
    const words = Object.fromEntries(storage.get(address) ?? [])
    return [address, { balance: '0x0', nonce: '0x1', code: contracts[name].code, storage: words }]
  })
  const sealers = genesis.sealers.map(({ address }) => address).sort()
  return {
    config: {
      chainId: genesis.chainId,
      ...Object.fromEntries(FORKS.map((fork) => [`${fork}Block`, 0])),
      clique: { period: periodSeconds, epoch: 30_000 },
    },
    timestamp: toQuantity(genesis.timestamp),
    extraData: toHex(genesisExtraData(sealers)),
    gasLimit: toQuantity(genesis.gasLimit),
    difficulty: '0x1',
    baseFeePerGas: '0x0',
    alloc: {
      ...Object.fromEntries(fund.map((address) => [address, { balance: BALANCE }])),
      ...Object.fromEntries(code),
    },
  }
}

/** What the native contracts write into block 0; the Solidity contracts have the same layout of storage. */
export function storageOf(genesis: GenesisConfig): ReadonlyMap<Address, ReadonlyMap<Hash, Hash>> {
  const recorder = new Recorder(EMPTY_STATE)
  applyGenesis(recorder, genesis)
  return recorder.written
}

class Recorder extends ScratchState implements GenesisState {
  readonly written = new Map<Address, Map<Hash, Hash>>()

  override setStorage(address: Address, slot: Hash, word: Hash): void {
    super.setStorage(address, slot, word)
    const words = this.written.get(address) ?? new Map<Hash, Hash>()
    this.written.set(address, words.set(slot, word))
  }

  /** The code of a native contract is of no use to another machine. */
  setCode(): void {}
}

const toQuantity = (value: number | bigint): Hex => `0x${value.toString(16)}`
