/** What proves the sealers of block 0 and their weights to whoever knows its hash: its header names addresses alone. */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import type { GenesisConfig } from '../contracts/genesisTypes.js'
import { setSlots } from '../contracts/sealersStorage.js'
import { toHex } from '../core/bytes.js'
import { encodeHeader } from '../core/header.js'
import type { GenesisProof } from '../rpc/chainApi.js'
import { trieKey } from '../state/keys.js'
import { readHost } from '../vm/host.js'
import { buildGenesis } from './genesis.js'

/** Returns a reader that builds the proof when it is first asked for: the state of block 0 is not kept. */
export function genesisProofReader(config: GenesisConfig): () => GenesisProof {
  let known: GenesisProof | undefined
  return () => {
    known ??= genesisProof(config)
    return known
  }
}

function genesisProof(config: GenesisConfig): GenesisProof {
  const { block, overlay } = buildGenesis(config)
  const { sealers } = CONTRACT_ADDRESSES
  const storage = overlay.storageTrie(sealers)
  const nodes = [
    ...overlay.accountTrie().prove(trieKey(sealers)),
    ...setSlots(readHost(overlay, sealers)).flatMap((slot) => storage.prove(trieKey(slot))),
  ]
  const distinct = new Map(nodes.map((node) => [toHex(node), node]))
  return { header: encodeHeader(block.header), nodes: [...distinct.values()] }
}
