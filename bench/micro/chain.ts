/** A chain store of blocks without transactions, whose overlays carry the writes: what storing a block costs by itself. */
import { asHeight, type Hash, toAddress, toHash, uintToWord, ZERO_HASH } from '../../src/core/bytes.js'
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT, type Header } from '../../src/core/header.js'
import { hashHeader } from '../../src/crypto/header.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import type { ChainStore, FinalBlock } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'

/** The contract whose storage is written. */
export const CONTRACT = toAddress(new Uint8Array(20).fill(7))

export const slotOf = (n: number): Hash => toHash(keccak256(uintToWord(n)))
export const senderOf = (n: number) => toAddress(keccak256(uintToWord(n)).subarray(12))

/** A word of 32 random-looking bytes. */
export const wordOf = (n: number): Hash => toHash(keccak256(uintToWord(2 ** 40 + n)))

function headerOn(chain: ChainStore, overlay: StateOverlay): Header {
  const parent = chain.head()
  return {
    parentHash: parent?.hash ?? ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    miner: CONTRACT,
    stateRoot: overlay.root(),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 1n,
    number: asHeight(parent === undefined ? 0 : parent.header.number + 1),
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: 1_700_000_000,
    extraData: new Uint8Array(97),
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
  }
}

export function finalBlockOn(chain: ChainStore, overlay: StateOverlay): FinalBlock {
  const header = headerOn(chain, overlay)
  const certificate = new Uint8Array(300)
  return { block: { header, transactions: [] }, hash: hashHeader(header), receipts: [], certificate, overlay }
}

/** Writes genesis with `slots` slots and `senders` accounts. */
export async function initChain(chain: ChainStore, slots: number, senders = 0): Promise<void> {
  const overlay = new StateOverlay(EMPTY_STATE)
  for (let i = 0; i < slots; i++) overlay.setStorage(CONTRACT, slotOf(i), wordOf(i))
  for (let i = 0; i < senders; i++) overlay.setNonce(senderOf(i), 1n)
  const header = headerOn(chain, overlay)
  await chain.init({ block: { header, transactions: [] }, hash: hashHeader(header), overlay })
}
