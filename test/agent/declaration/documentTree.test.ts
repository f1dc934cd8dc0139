import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { documentTree, verifyFile } from '../../../src/agent/declaration/documentTree.js'
import { type FileProof, parseProof } from '../../../src/agent/declaration/proofFile.js'
import { type Hash, utf8 } from '../../../src/core/bytes.js'

const SALT = '2a'.repeat(32)
const filesOf = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`f${i}`, utf8(`content ${i}`)]))
const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

/** RFC 9162, 2.1.1, built level by level: pairs from the left, what is left over goes up unchanged. */
function rootByLevels(level: Uint8Array[]): Uint8Array {
  if (level.length === 1) return level[0]!
  const next: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const right = level[i + 1]
    next.push(right ? sha(Uint8Array.of(1), level[i]!, right) : level[i]!)
  }
  return rootByLevels(next)
}

t.test('the root is that of RFC 9162, and every file has its proof', async (t) => {
  for (const count of [1, 2, 3, 4, 5, 7, 8, 9, 31, 33]) {
    const files = filesOf(count)
    const tree = documentTree(files, SALT)
    const proofs = [...files.keys()].sort().map((file) => tree.prove(file))
    const leaves = proofs.map(({ file, bytes, sha256, salt }) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64BE(BigInt(bytes))
      return sha(
        Uint8Array.of(0),
        Buffer.from(salt.slice(2), 'hex'),
        Buffer.from(sha256.slice(2), 'hex'),
        length,
        utf8(file),
      )
    })
    const size = Buffer.alloc(4)
    size.writeUInt32BE(count)
    t.equal(
      tree.documentHash,
      `0x${sha(utf8('concordat-declaration/1'), size, rootByLevels(leaves)).toString('hex')}`,
      `${count}`,
    )
    for (const proof of proofs)
      verifyFile(files.get(proof.file)!, parseProof(JSON.parse(JSON.stringify(proof))), tree.documentHash)
  }
})

t.test('any change is found', async (t) => {
  const files = filesOf(6)
  const tree = documentTree(files, SALT)
  const flip = (hex: string) => `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}`
  const changes: ((proof: FileProof) => FileProof)[] = [
    (p) => ({ ...p, file: 'f9' }),
    (p) => ({ ...p, salt: flip(p.salt) }),
    (p) => ({ ...p, index: (p.index + 1) % 6 }),
    (p) => ({ ...p, count: 7 }),
    (p) => ({ ...p, siblings: p.siblings.slice(1) }),
    (p) => ({ ...p, siblings: [...p.siblings, p.salt] }),
    (p) => ({ ...p, siblings: p.siblings.map((one, i) => (i === 0 ? flip(one) : one)) }),
  ]
  fc.assert(
    fc.property(fc.nat(5), fc.nat(changes.length - 1), (i, change) => {
      const bytes = files.get(`f${i}`)!
      const proof = changes[change]!(tree.prove(`f${i}`))
      try {
        verifyFile(bytes, proof, tree.documentHash)
        return false
      } catch (error) {
        return (error as { code: string }).code === 'OTHER_DOCUMENT'
      }
    }),
  )
  const proof = tree.prove('f0')
  t.throws(() => verifyFile(utf8('content 1'), proof, tree.documentHash), { code: 'OTHER_FILE' })
  t.throws(() => verifyFile(files.get('f0')!, proof, `0x${'00'.repeat(32)}` as Hash), { code: 'OTHER_DOCUMENT' })
  t.throws(() => tree.prove('nothing'), { code: 'NO_SUCH_FILE' })
  for (const wrong of [null, {}, { ...proof, index: 6 }, { ...proof, salt: '0x' }, { ...proof, extra: 1 }]) {
    t.throws(() => parseProof(wrong), { code: 'MALFORMED' })
  }
})

t.test('a proof of one file tells nothing that another could be guessed by', async (t) => {
  const secret = utf8('staff: 42')
  const tree = documentTree(
    new Map([
      ['a.pdf', utf8('public')],
      ['staff.csv', secret],
    ]),
    SALT,
  )
  const { siblings } = tree.prove('a.pdf')
  const guesses = [sha(secret), sha(Uint8Array.of(0), secret)].map((hash) => `0x${hash.toString('hex')}`)
  t.notOk(siblings.some((one) => guesses.includes(one)))
  const other = documentTree(
    new Map([
      ['a.pdf', utf8('public')],
      ['staff.csv', secret],
    ]),
    '2b'.repeat(32),
  )
  t.not(other.documentHash, tree.documentHash, 'the salt is part of it')
  t.not(other.prove('a.pdf').siblings[0], siblings[0])
})
