/** A process that writes blocks is killed again and again: what it had reported is there, and the state is that of the head. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { asHeight, toHex } from '../../src/core/bytes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { tableRange } from '../../src/state/store/keys.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { address, word } from './chain.js'
import { editBlock } from './crashState.js'

const ROUNDS = 4
const writer = fileURLToPath(new URL(`./crashWriter${extname(import.meta.url)}`, import.meta.url))

/** Runs the writer until it has reported `blocks` blocks, then kills it in the middle of what it does; the last height reported. */
async function writeAndKill(dir: string, blocks: number): Promise<number> {
  const child = fork(writer, [dir])
  let reported = 0
  let seen = 0
  const enough = new Promise<void>((resolve) => {
    child.on('message', (height) => {
      reported = height as number
      if (++seen === blocks) {
        child.kill('SIGKILL')
        resolve()
      }
    })
  })
  const exited = once(child, 'exit')
  await Promise.race([enough, exited])
  const [, signal] = await exited
  if (signal !== 'SIGKILL') throw new Error('the writer ended by itself')
  return reported
}

/** Trie nodes that a state with this content has, by key. */
function expectedNodes(height: number): { stateRoot: string; nodes: number } {
  const overlay = new StateOverlay(EMPTY_STATE)
  for (let h = 0; h <= height; h++) editBlock(overlay, h)
  const { accountTrie, storageTries } = overlay.changes()
  let nodes = 0
  for (const trie of [accountTrie!, ...storageTries.values()])
    trie.visitChanges((_, encoded) => (nodes += encoded === null ? 0 : 1))
  return { stateRoot: overlay.root(), nodes }
}

t.test('killed while writing', async (t) => {
  const dir = join(t.testdir(), 'data')
  let before = 0
  for (let round = 0; round < ROUNDS; round++) {
    const reported = await writeAndKill(dir, 3 + 2 * round)
    t.ok(reported > before, `round ${round}: ${reported} blocks`)
    const chain = await ChainStore.open({ dir, history: { recentBlocks: 4 } })
    const { height, header, hash } = chain.head()!
    t.ok(height === reported || height === reported + 1, `head ${height} after ${reported} was reported`)
    const { stateRoot, nodes } = expectedNodes(height)
    t.equal(header.stateRoot, stateRoot)
    for (let h = 0; h < height; h++)
      t.equal(chain.headerByNumber(asHeight(h + 1))?.parentHash, chain.canonicalHash(asHeight(h)))
    t.equal(chain.canonicalHash(height), hash)
    t.equal(chain.blockByNumber(asHeight(height + 1)), undefined)
    const oldest = Math.max(0, height - 4)
    t.equal(chain.oldestState(), oldest, 'the window reaches as far back as before')
    for (let h = oldest; h <= height; h++) {
      const past = chain.stateAt(asHeight(h))!
      t.equal(past.storage(address(1), word(7)), word(h * 100 + 8), `state of block ${h}`)
      t.equal(past.account(address(1))?.nonce, BigInt(h + 1))
    }
    // A further block reads tries and values of what was recovered.
    const overlay = new StateOverlay(chain.state())
    editBlock(overlay, height + 1)
    t.equal(overlay.root(), expectedNodes(height + 1).stateRoot)
    await chain.close()
    t.equal(await countTrieNodes(dir), nodes, 'no trie node is missing, none is left over')
    before = height
  }
})

async function countTrieNodes(dir: string): Promise<number> {
  const store = await openLevelStore(dir)
  const keys = new Set<string>()
  for (const table of ['accountNode', 'storageNode'] as const) {
    for await (const [key] of store.range(tableRange(table))) keys.add(toHex(key))
  }
  await store.close()
  return keys.size
}
