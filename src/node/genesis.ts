/** Block 0: a pure function of the genesis configuration. */
import { applyGenesis } from '../contracts/genesis.js'
import type { GenesisConfig } from '../contracts/genesisTypes.js'
import { asHeight, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT, type Header } from '../core/header.js'
import { genesisExtraData } from '../core/seal.js'
import { hashHeader } from '../crypto/header.js'
import type { GenesisBlock } from '../state/chainStore.js'
import { EMPTY_STATE } from '../state/layer.js'
import { StateOverlay } from '../state/overlay.js'

/** Executes the genesis of every contract and seals the result into block 0 (EIP-225: extraData lists the sealers). */
export function buildGenesis(config: GenesisConfig): GenesisBlock {
  const overlay = new StateOverlay(EMPTY_STATE)
  applyGenesis(overlay, config)
  const header: Header = {
    parentHash: ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    miner: ZERO_ADDRESS,
    stateRoot: overlay.root(),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 1n,
    number: asHeight(0),
    gasLimit: config.gasLimit,
    gasUsed: 0n,
    timestamp: config.timestamp,
    extraData: genesisExtraData(config.sealers.map((sealer) => sealer.address)),
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
  }
  return { block: { header, transactions: [] }, hash: hashHeader(header), overlay }
}

export function genesisHash(config: GenesisConfig): Hash {
  return buildGenesis(config).hash
}
