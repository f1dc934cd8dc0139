/** One final block: writes to an overlay, state root, durable batch; its share of a transaction in multiples of one native recover. */
import { join } from 'node:path'
import { toHash, uintToWord, ZERO_HASH } from '../../src/core/bytes.js'
import { recentStateBlocks } from '../../src/core/limits.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { type Benchmark, OURS } from './benchmark.js'
import { CONTRACT, finalBlockOn, initChain, senderOf, slotOf } from './chain.js'
import { cpuMicros } from './clock.js'
import type { Sizes } from './sizes.js'
import { recoverSide } from './yardstick.js'

/** New slots and changed slots of one submission; its sender's nonce besides. */
const NEW_SLOTS = 4
const SENDERS = 10_000

/** Writes of the transactions of block `round`. */
function writesOf({ blockTransactions, commitSlots }: Sizes, round: number) {
  const numbers = Array.from({ length: blockTransactions }, (_, i) => i)
  return {
    added: numbers.flatMap((i) =>
      Array.from({ length: NEW_SLOTS }, (_, n) =>
        slotOf(commitSlots + (round * blockTransactions + i) * NEW_SLOTS + n),
      ),
    ),
    changed: numbers.map((i) => slotOf((i * 7919 + round * 104_729) % commitSlots)),
    senders: numbers.map((i) => senderOf((i * 31 + round) % SENDERS)),
    value: toHash(keccak256(uintToWord(round))),
  }
}

/** Executes and stores block `round`; its CPU time in µs, without the making of its input. */
async function commitBlock(chain: ChainStore, sizes: Sizes, round: number): Promise<number> {
  const { added, changed, senders, value } = writesOf(sizes, round)
  const start = cpuMicros()
  const overlay = new StateOverlay(chain.state())
  for (const slot of added) if (overlay.storage(CONTRACT, slot) === ZERO_HASH) overlay.setStorage(CONTRACT, slot, value)
  for (const slot of changed) if (overlay.storage(CONTRACT, slot) !== value) overlay.setStorage(CONTRACT, slot, value)
  for (const sender of senders) overlay.setNonce(sender, overlay.account(sender)!.nonce + 1n)
  await chain.commit(finalBlockOn(chain, overlay))
  return cpuMicros() - start
}

/** Commits on a chain of its own, in µs of a transaction. */
async function commitSide(name: string, dir: string, sizes: Sizes, recentBlocks: number) {
  const chain = await ChainStore.open({ dir, history: { recentBlocks } })
  await initChain(chain, sizes.commitSlots, SENDERS)
  let round = 0
  while (round < sizes.commitWarmUps) await commitBlock(chain, sizes, ++round)
  const measure = async () => (await commitBlock(chain, sizes, ++round)) / sizes.blockTransactions
  return { side: { name, measure, result: () => chain.head()!.header.stateRoot }, close: () => chain.close() }
}

export const commitBenchmarks: readonly Benchmark[] = [
  {
    name: 'commit a final block, past states kept',
    quantity: 'CPU time of a transaction',
    unit: 'µs',
    async setup({ dir, sizes }) {
      const kept = await commitSide(OURS, join(dir, 'kept'), sizes, recentStateBlocks)
      const alone = await commitSide('latest state alone', join(dir, 'alone'), sizes, 0)
      return {
        sides: [kept.side, alone.side],
        async teardown() {
          await kept.close()
          await alone.close()
        },
      }
    },
  },
  {
    name: 'commit a final block',
    quantity: 'CPU time of a transaction',
    unit: 'µs',
    async setup({ dir, sizes }) {
      const chain = await ChainStore.open({ dir })
      await initChain(chain, sizes.commitSlots, SENDERS)
      let round = 0
      while (round < sizes.commitWarmUps) await commitBlock(chain, sizes, ++round)
      const measure = async () => (await commitBlock(chain, sizes, ++round)) / sizes.blockTransactions
      return { sides: [{ name: OURS, measure }, recoverSide(sizes.callMs)], teardown: () => chain.close() }
    },
  },
]
