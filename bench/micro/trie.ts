/** Root commit of 1,000 updates on 100,000 keys, ours against @ethereumjs/trie. Budget: at least 40 times faster. */
import { Trie as ReferenceTrie } from '@ethereumjs/trie'
import { fromHex, toHex, uintToWord } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { NO_SOURCE } from '../../src/state/trie/load.js'
import { Trie } from '../../src/state/trie/trie.js'

const keyCount = Number(process.argv[2] ?? 100_000)
const updateCount = 1_000
const ratioMin = 40
const rounds = 15

/** Keys are hashes, as in the state trie; values are as long as an account record. */
function key(i: number): Uint8Array {
  return keccak256(uintToWord(i))
}

function value(i: number, round: number): Uint8Array {
  const bytes = new Uint8Array(70).fill(1 + (round % 250))
  bytes.set(uintToWord(i), 0)
  bytes[0] = 0xf8
  return bytes
}

function updates(round: number): [Uint8Array, Uint8Array][] {
  return Array.from({ length: updateCount }, (_, n) => {
    const i = (n * 7919 + round * 104_729) % keyCount
    return [key(i), value(i, round)]
  })
}

/** CPU time of this process in ms: other work on the machine does not change it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

function timeOurs(): { msPerCommit: number; roots: string[] } {
  let trie = Trie.empty(NO_SOURCE)
  for (let i = 0; i < keyCount; i++) trie.put(key(i), value(i, 0))
  trie.root()
  const times: number[] = []
  const roots: string[] = []
  for (let round = 1; round <= rounds; round++) {
    const batch = updates(round)
    const start = cpuMs()
    trie = trie.fork()
    for (const [k, v] of batch) trie.put(k, v)
    roots.push(trie.root())
    times.push(cpuMs() - start)
  }
  return { msPerCommit: median(times), roots }
}

async function timeReference(referenceRounds: number): Promise<{ msPerCommit: number; roots: string[] }> {
  const trie = await ReferenceTrie.create({ useNodePruning: true })
  for (let i = 0; i < keyCount; i++) await trie.put(key(i), value(i, 0))
  const times: number[] = []
  const roots: string[] = []
  for (let round = 1; round <= referenceRounds; round++) {
    const batch = updates(round)
    const start = cpuMs()
    for (const [k, v] of batch) await trie.put(k, v)
    roots.push(toHex(trie.root()))
    times.push(cpuMs() - start)
  }
  return { msPerCommit: median(times), roots }
}

const ours = timeOurs()
const reference = await timeReference(3)
const equal = reference.roots.every((root, i) => root === ours.roots[i] && fromHex(root).length === 32)
const ratio = reference.msPerCommit / ours.msPerCommit
console.log(`keys ${keyCount}, updates a commit ${updateCount}, median CPU time of ${rounds} and 3 commits`)
console.log(`concordat        ${ours.msPerCommit.toFixed(2)} ms a commit`)
console.log(`@ethereumjs/trie ${reference.msPerCommit.toFixed(2)} ms a commit`)
console.log(`ratio            ${ratio.toFixed(1)} (budget >= ${ratioMin})`)
console.log(`roots            ${equal ? 'equal' : 'DIFFERENT'}`)
if (!equal || ratio < ratioMin) process.exitCode = 1
