/** How much of the state's slots belongs to the user portrait library. Portraits are slots like others: their addresses are hashes. */
import { dataSharing } from '../../src/agent/contractClient.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { trimmedWord } from '../../src/state/keys.js'
import type { StateReader } from '../../src/state/reader.js'
import { tableRange } from '../../src/state/store/keys.js'
import type { KeyValueStore } from '../../src/state/store/keyValueStore.js'
import { callContract } from '../../src/vm/call.js'
import type { BlockContext } from '../../src/vm/contract.js'

/** Table letter, address, slot. */
const SLOT_KEY_BYTES = 1 + 20 + 32
/** More than any view needs. */
const GAS_LIMIT = 10n ** 12n
/** Portraits looked up at most; of more enterprises, evenly spaced ones stand for all. */
const LOOKED_UP_MAX = 1_000

/**
 * Share of the bytes of all slots (keys and words, before compression) that the portraits of these enterprises take. The contract's own
 * view reads each portrait, and what it reads is counted.
 */
export async function portraitShareOfSlots(store: KeyValueStore, enterprises: readonly Hash[]): Promise<number> {
  if (enterprises.length === 0) return 0
  const step = Math.max(1, enterprises.length / LOOKED_UP_MAX)
  const looked = Array.from(
    { length: Math.ceil(enterprises.length / step) },
    (_, i) => enterprises[Math.floor(i * step)]!,
  )
  const bytes = await portraitBytes(store, looked)
  return (bytes * (enterprises.length / looked.length)) / (await slotBytes(store))
}

async function portraitBytes(store: KeyValueStore, enterprises: readonly Hash[]): Promise<number> {
  const chain = await ChainStore.open({ store: borrowed(store) })
  const { header, height } = chain.head()!
  const context: BlockContext = {
    number: height,
    timestamp: header.timestamp,
    chainId: 1n,
    genesisHash: ZERO_HASH,
    sealer: header.miner,
    gasLimit: GAS_LIMIT,
  }
  const reader = new RecordingReader(chain.state())
  for (const enterpriseId of enterprises) {
    const data = dataSharing.abi.encodeCall('GetUserProfile', { enterpriseId })
    const request = { from: ZERO_ADDRESS, to: dataSharing.address, data, value: 0n, gas: undefined }
    const result = callContract(reader, context, request, systemContracts)
    if (!result.ok) throw new Error(`the portrait of ${enterpriseId} cannot be read: ${result.code}`)
  }
  await chain.close()
  return reader.bytes
}

/** Counts the slots of the data sharing contract that are read and set. */
class RecordingReader implements StateReader {
  readonly #seen = new Set<Hash>()
  bytes = 0

  constructor(private readonly state: StateReader) {}

  account(address: Address) {
    return this.state.account(address)
  }

  code(address: Address) {
    return this.state.code(address)
  }

  storage(address: Address, slot: Hash): Hash {
    const word = this.state.storage(address, slot)
    if (address === dataSharing.address && word !== ZERO_HASH && !this.#seen.has(slot)) {
      this.#seen.add(slot)
      this.bytes += SLOT_KEY_BYTES + trimmedWord(word).length
    }
    return word
  }
}

async function slotBytes(store: KeyValueStore): Promise<number> {
  let bytes = 0
  for await (const [key, value] of store.range(tableRange('slot'))) bytes += key.length + value.length
  return bytes
}

/** The store for somebody who closes what was given to him. */
function borrowed(store: KeyValueStore): KeyValueStore {
  return {
    getSync: (key) => store.getSync(key),
    batch: (operations, options) => store.batch(operations, options),
    snapshot: () => store.snapshot(),
    range: (range) => store.range(range),
    approximateSize: (gte, lt) => store.approximateSize(gte, lt),
    compact: () => store.compact(),
    close: async () => {},
  }
}
