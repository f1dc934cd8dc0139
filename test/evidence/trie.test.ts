/** The walk of the verifier against a trie that nobody here wrote: values, absence, and which nodes it takes. */

import { RLP } from '@ethereumjs/rlp'
import { Trie } from '@ethereumjs/trie'
import fc from 'fast-check'
import t from 'tap'
import { type Hex, toHex } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { EvidenceError } from '../../src/evidence/evidenceError.js'
import { ListedNodes, Proofs } from '../../src/evidence/proofs.js'
import type { RlpItem } from '../../src/evidence/rlp.js'
import { valueIn } from '../../src/evidence/trie.js'

/** Keys with long common prefixes and of different lengths: extensions, and values at branches. */
const anyKey = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xf1), { minLength: 1, maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes))
/** Short values make nodes below 32 bytes, which their parents embed. */
const anyValue = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3 }),
  fc.uint8Array({ minLength: 40, maxLength: 80 }),
)
const entries = fc.array(fc.tuple(anyKey, anyValue), { minLength: 1, maxLength: 30 })

interface Case {
  readonly root: Hex
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  /** As they are needed. */
  readonly nodes: readonly Hex[]
}

async function caseOf(content: readonly (readonly [Uint8Array, Uint8Array])[], key: Uint8Array): Promise<Case> {
  const trie = await Trie.create()
  for (const [at, value] of content) await trie.put(at, value)
  // The library repeats nodes that their parent embeds.
  const nodes = (await trie.createProof(key)).filter((node, i) => i === 0 || node.length >= 32)
  return { root: toHex(trie.root()), key, value: await trie.get(key), nodes: nodes.map(toHex) }
}

const what = () => 'a value'
const orNone = (value: Uint8Array | null) => (value === null ? null : toHex(value))

t.test('values and absence as the library has them, from exactly its nodes', async (t) => {
  let present = 0
  await fc.assert(
    fc.asyncProperty(entries, anyKey, fc.nat(), async (content, other, pick) => {
      const { root, key, value, nodes } = await caseOf(
        content,
        pick % 3 === 0 ? other : content[pick % content.length]![0],
      )
      const listed = new ListedNodes(nodes)
      const proofs = new Proofs(listed.take)
      t.equal(orNone(proofs.get(root, key, what)), orNone(value))
      listed.end()
      t.equal(orNone(proofs.get(root, key, what)), orNone(value), 'again, from the nodes that it took')
      if (value !== null) present += 1
    }),
    { numRuns: 300 },
  )
  t.ok(present > 100 && present < 300, `${present} were there`)
  t.equal(
    new Proofs(new ListedNodes([]).take).get(toHex((await Trie.create()).root()), keccak256(Uint8Array.of(1)), what),
    null,
  )
})

t.test('a proof that was altered proves nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(entries, fc.nat(), fc.nat(), fc.nat({ max: 7 }), async (content, pick, place, bit) => {
      const { root, key, nodes } = await caseOf(content, content[pick % content.length]![0])
      const at = place % nodes.length
      const digit = 2 + (place % (nodes[at]!.length - 2))
      const turned = (Number.parseInt(nodes[at]![digit]!, 16) ^ (1 << (bit % 4))).toString(16)
      const altered = `${nodes[at]!.slice(0, digit)}${turned}${nodes[at]!.slice(digit + 1)}` as Hex
      const refused = (list: readonly Hex[]) =>
        t.throws(() => new Proofs(new ListedNodes(list).take).get(root, key, what), { code: 'PROOF_MISSING' })
      refused(nodes.with(at, altered))
      refused(nodes.toSpliced(at, 1))
      refused(nodes.toSpliced(at, 0, altered))
      t.throws(
        () => {
          const longer = new ListedNodes([...nodes, altered])
          new Proofs(longer.take).get(root, key, what)
          longer.end()
        },
        { code: 'UNUSED', message: `node ${nodes.length} of the file is not needed` },
      )
    }),
    { numRuns: 100 },
  )
})

t.test('what is no node', async (t) => {
  const root = `0x${'11'.repeat(32)}` as const
  const empty = new Uint8Array(0)
  const cases: Readonly<Record<string, RlpItem>> = {
    'no list': Uint8Array.of(1),
    'three items': [empty, empty, empty],
    'an unknown flag': [Uint8Array.of(0x40), Uint8Array.of(1)],
    'no path': [empty, Uint8Array.of(1)],
    'a list for a path': [[empty], Uint8Array.of(1)],
    'a list for a value': [Uint8Array.of(0x20, 0xaa), [empty]],
    'a branch with a list of one': [
      ...Array.from({ length: 10 }, () => empty),
      [empty],
      ...Array.from({ length: 6 }, () => empty),
    ],
  }
  for (const [title, node] of Object.entries(cases)) {
    t.throws(() => valueIn(root, Uint8Array.of(0xaa), () => node), { code: 'MALFORMED' }, title)
    const raw = RLP.encode(node)
    const proofs = new Proofs(new ListedNodes([toHex(raw)]).take)
    t.throws(() => proofs.get(toHex(keccak256(raw)), Uint8Array.of(0xaa), what), EvidenceError, title)
  }
  const noise = Uint8Array.of(0xb8, 0x01)
  const proofs = new Proofs(new ListedNodes([toHex(noise)]).take)
  t.throws(() => proofs.get(toHex(keccak256(noise)), Uint8Array.of(1), what), { code: 'MALFORMED', message: /not RLP/ })
})
