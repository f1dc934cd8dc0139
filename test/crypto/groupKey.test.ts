/** Group keys against a second implementation and its vectors; manipulated contributions never lead to a wrong key. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { type Address, fromHex, type Hash, toHash, toHex } from '../../src/core/bytes.js'
import {
  type Contribution,
  type GroupContext,
  GroupKeyError,
  groupExponent,
  groupLink,
  groupSecret,
  groupShare,
  linkFlaw,
  shareFlaw,
} from '../../src/crypto/groupKey.js'
import { groupPublicKey } from '../../src/crypto/groupKeyCheck.js'
import { groupKeyPair } from '../../src/crypto/groupKeyPair.js'
import { agreeByFormulas, type Outcome } from './groupKeyByFormulas.js'
import { bytesOf, encode, ORDER, times } from './ristrettoByFormulas.js'

interface Vector {
  readonly setting: {
    readonly chainId: string
    readonly contract: Address
    readonly roster: readonly Address[]
    readonly epoch: string
    readonly attempt: number
  }
  readonly randoms: readonly string[]
  readonly outcome: Outcome
}

const vectors = JSON.parse(readFileSync('test/crypto/groupKey.vectors.json', 'utf8')) as readonly Vector[]
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as Address
const contextOf = (n: number, changes: Partial<GroupContext> = {}): GroupContext => ({
  chainId: 20261n,
  contract: address(0xc0de04),
  roster: Array.from({ length: n }, (_, i) => address(0x11 + i)),
  epoch: 3n,
  attempt: 7,
  ...changes,
})
/** Another one for each seed below 65,536: who manipulates must not hit upon the honest one. */
const exponentOf = (seed: number) =>
  groupExponent(Uint8Array.from({ length: 64 }, (_, i) => (i < 2 ? seed >> (8 * i) : seed * 31 + i * 7) & 255))
const words = ({ element, challenge, response }: Contribution) => [element, challenge, response]
const elementsOf = (list: readonly Contribution[]): Hash[] => list.map(({ element }) => element)

interface Run {
  readonly context: GroupContext
  readonly exponents: readonly Uint8Array[]
  readonly shares: readonly Contribution[]
  readonly links: readonly Contribution[]
}

function run(context: GroupContext, seed = 1): Run {
  const { roster } = context
  const exponents = roster.map((_, i) => exponentOf(seed + i))
  const shares = roster.map((member, i) => groupShare(context, member, exponents[i]!))
  const links = roster.map((member, i) => groupLink(context, member, exponents[i]!, elementsOf(shares)))
  return { context, exponents, shares, links }
}

function keyFor({ context, exponents, shares, links }: Run, i: number): string {
  const secret = groupSecret(context, context.roster[i]!, exponents[i]!, elementsOf(shares), elementsOf(links))
  return toHex(groupKeyPair(context, elementsOf(shares), elementsOf(links), secret).publicKey)
}

for (const { setting, randoms, outcome } of vectors) {
  t.test(`vector with ${randoms.length} members`, async (t) => {
    const context = { ...setting, chainId: BigInt(setting.chainId), epoch: BigInt(setting.epoch) }
    t.same(agreeByFormulas(context, randoms), outcome, 'the second implementation')
    const exponents = randoms.map((random) => groupExponent(fromHex(random)))
    t.same(exponents.map(toHex), outcome.exponents)
    const shares = context.roster.map((member, i) => groupShare(context, member, exponents[i]!))
    t.same(shares.map(words), outcome.shares)
    const elements = elementsOf(shares)
    const links = context.roster.map((member, i) => groupLink(context, member, exponents[i]!, elements))
    t.same(links.map(words), outcome.links)
    for (const [i, member] of context.roster.entries()) {
      t.equal(shareFlaw(context, member, shares[i]!, []), undefined)
      t.equal(linkFlaw(context, member, elements, links[i]!), undefined)
      const secret = groupSecret(context, member, exponents[i]!, elements, elementsOf(links))
      t.equal(toHex(secret), outcome.secret)
      const { publicKey, privateKey } = groupKeyPair(context, elements, elementsOf(links), secret)
      t.same([toHex(privateKey), toHex(publicKey)], [outcome.privateKey, outcome.publicKey])
      t.equal(groupPublicKey(context, elements, elementsOf(links), secret), outcome.publicKey)
    }
  })
}

t.test('any size, chain and epoch: both implementations agree', async (t) => {
  const random = fc.uint8Array({ minLength: 64, maxLength: 64 }).filter((bytes) => bytes.some((byte) => byte !== 0))
  const setting = fc.record({ chainId: fc.bigInt(1n, 2n ** 53n), epoch: fc.bigInt(1n, 2n ** 40n), attempt: fc.nat() })
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      setting,
      fc.array(random, { minLength: 4, maxLength: 4 }),
      (n, changes, pool) => {
        const randoms = pool
          .slice(0, n)
          .map((bytes, i) => Uint8Array.from(bytes, (byte, k) => (k === 0 ? byte ^ i : byte)))
        const context = contextOf(n, changes)
        const exponents = randoms.map(groupExponent)
        const shares = context.roster.map((member, i) => groupShare(context, member, exponents[i]!))
        const links = context.roster.map((member, i) => groupLink(context, member, exponents[i]!, elementsOf(shares)))
        const wanted = agreeByFormulas(context, randoms.map(toHex))
        t.same([shares.map(words), links.map(words)], [wanted.shares, wanted.links])
        t.equal(keyFor({ context, exponents, shares, links }, n - 1), wanted.publicKey)
      },
    ),
    { numRuns: 6 },
  )
})

t.test('two members: the links are the identity, and have to be', async (t) => {
  const { context, shares, links } = run(contextOf(2))
  const [first] = context.roster
  const elements = elementsOf(shares)
  t.equal(links[0]!.element, toHash(new Uint8Array(32)))
  const other = { ...links[0]!, element: shares[0]!.element }
  t.equal(linkFlaw(context, first!, elements, other), 'identity')
  t.equal(keyFor(run(contextOf(2)), 0), keyFor(run(contextOf(2)), 1))
})

t.test('elements that are none, that are the identity or that are not canonical', async (t) => {
  const { context, shares, links } = run(contextOf(3))
  const [member] = context.roster
  const share = shares[0]!
  const withElement = (bytes: Uint8Array) => ({ ...share, element: toHash(bytes) })
  t.equal(shareFlaw(context, member!, withElement(new Uint8Array(32)), []), 'identity')
  t.equal(shareFlaw(context, member!, share, [share.element]), 'repeated')
  const notCanonical = [
    bytesOf(2n ** 255n - 19n),
    bytesOf(2n ** 255n - 1n),
    bytesOf(1n),
    new Uint8Array(32).fill(255),
    Uint8Array.from(fromHex(share.element), (byte, i) => (i === 31 ? byte | 128 : byte)),
  ]
  for (const bytes of notCanonical)
    t.equal(shareFlaw(context, member!, withElement(bytes), []), 'encoding', toHex(bytes))
  const elements = elementsOf(shares)
  const identity = { ...links[0]!, element: toHash(new Uint8Array(32)) }
  t.equal(linkFlaw(context, member!, elements, identity), 'identity', 'of three members no link is the identity')
  t.equal(linkFlaw(context, member!, elements, { ...links[0]!, element: toHash(bytesOf(1n)) }), 'encoding')
})

t.test('scalars of a proof are canonical', async (t) => {
  const { context, shares } = run(contextOf(2))
  const [member] = context.roster
  const share = shares[0]!
  const response = [...fromHex(share.response)].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const again = { ...share, response: toHash(bytesOf(response + ORDER)) }
  t.equal(shareFlaw(context, member!, share, []), undefined)
  t.equal(shareFlaw(context, member!, again, []), 'proof', 'the same proof has one encoding')
})

t.test('what cannot be used is refused by name', async (t) => {
  const { context, exponents, shares, links } = run(contextOf(3))
  const [member] = context.roster
  const elements = elementsOf(shares)
  const code = (work: () => unknown) => {
    try {
      work()
      return 'fine'
    } catch (error) {
      return error instanceof GroupKeyError ? error.code : String(error)
    }
  }
  t.equal(
    code(() => groupExponent(new Uint8Array(63))),
    'BAD_EXPONENT',
  )
  t.equal(
    code(() => groupExponent(new Uint8Array(64))),
    'BAD_EXPONENT',
  )
  t.equal(
    code(() => groupShare(context, member!, bytesOf(ORDER))),
    'BAD_EXPONENT',
  )
  t.equal(
    code(() => groupShare(context, address(0x99), exponents[0]!)),
    'BAD_ROSTER',
  )
  t.equal(
    code(() => run(contextOf(1))),
    'BAD_ROSTER',
  )
  t.equal(
    code(() => run(contextOf(17))),
    'BAD_ROSTER',
  )
  t.equal(
    code(() => run({ ...context, roster: [...context.roster].reverse() })),
    'BAD_ROSTER',
  )
  t.equal(
    code(() => groupLink(context, member!, exponents[1]!, elements)),
    'NOT_OWN_SHARE',
  )
  t.equal(
    code(() => groupSecret(context, member!, exponents[1]!, elements, elementsOf(links))),
    'NOT_OWN_SHARE',
  )
  t.equal(
    code(() => groupLink(context, member!, exponents[0]!, elements.slice(1))),
    'BAD_ELEMENT',
  )
  const broken = [...elements.slice(0, 2), toHash(bytesOf(1n))]
  t.equal(
    code(() => groupSecret(context, member!, exponents[0]!, broken, elementsOf(links))),
    'BAD_ELEMENT',
  )
})

/** What an attacker may put in the place of member `at`'s contribution. */
type Attack = (honest: Run, at: number, seed: number) => { share?: Contribution; link?: Contribution }

const foreign = (changes: Partial<GroupContext>): Attack => {
  return ({ context, exponents, shares }, at) => {
    const member = context.roster[at]!
    const other = { ...context, ...changes }
    return {
      share: groupShare(other, member, exponents[at]!),
      link: groupLink(other, member, exponents[at]!, elementsOf(shares)),
    }
  }
}
const neighbour = (context: GroupContext, at: number) => (at + 1) % context.roster.length

const ATTACKS: Readonly<Record<string, Attack>> = {
  'swapped with a neighbour': ({ context, shares, links }, at) => {
    return { share: shares[neighbour(context, at)]!, link: links[neighbour(context, at)]! }
  },
  'foreign epoch': foreign({ epoch: 2n }),
  'earlier attempt': foreign({ attempt: 6 }),
  'other chain': foreign({ chainId: 1n }),
  'other contract': foreign({ contract: address(0xc0de03) }),
  'replayed from another run': ({ context }, at, seed) => {
    const other = run({ ...context, attempt: context.attempt + 1 }, seed + 100)
    return { share: other.shares[at]!, link: other.links[at]! }
  },
  'stale roster': ({ context, exponents, shares }, at) => {
    const member = context.roster[at]!
    const roster = [...context.roster.slice(0, -1), address(0xff)]
    const other = { ...context, roster: at === context.roster.length - 1 ? [...roster, member].sort() : roster }
    return other.roster.includes(member) && other.roster.length === shares.length
      ? { share: groupShare(other, member, exponents[at]!) }
      : {}
  },
  'another exponent in round 2': ({ context, shares }, at, seed) => {
    const member = context.roster[at]!
    const exponent = exponentOf(seed + 50)
    const own = groupShare(context, member, exponent)
    const forged = elementsOf(shares).map((element, i) => (i === at ? own.element : element))
    return { link: groupLink(context, member, exponent, forged) }
  },
  'an element without its proof': ({ shares, links }, at, seed) => {
    const element = toHash(encode(times(BigInt(seed) + 2n)))
    return { share: { ...shares[at]!, element }, link: { ...links[at]!, element } }
  },
  'a bit of the proof': ({ shares, links }, at, seed) => {
    const flip = (word: Hash) => {
      const bytes = fromHex(word)
      bytes[seed % 32]! ^= 1 << (seed % 8)
      return toHash(bytes)
    }
    const field = seed % 2 === 0 ? 'challenge' : 'response'
    const flipped = (one: Contribution) => ({ ...one, [field]: flip(one[field]) })
    return { share: flipped(shares[at]!), link: flipped(links[at]!) }
  },
}

t.test('a manipulated contribution is refused under the name of its sender', async (t) => {
  const honest = new Map([2, 3, 4].map((n) => [n, run(contextOf(n))]))
  let refused = 0
  const names = Object.keys(ATTACKS)
  fc.assert(
    fc.property(
      fc.constantFrom(2, 3, 4),
      fc.nat(15),
      fc.nat(1000),
      fc.constantFrom(...names),
      (n, place, seed, name) => {
        const base = honest.get(n)!
        const at = place % n
        const member = base.context.roster[at]!
        const { share, link } = ATTACKS[name]!(base, at, seed)
        if (share) {
          refused++
          const others = elementsOf(base.shares).filter((_, i) => i !== at)
          t.ok(shareFlaw(base.context, member, share, others), `share: ${name}, ${n} members, seed ${seed}`)
        }
        if (!link) return
        refused++
        const flaw = linkFlaw(base.context, member, elementsOf(base.shares), link)
        t.ok(flaw, `link: ${name}, ${n} members, seed ${seed}`)
      },
    ),
    { numRuns: Number(process.env.GROUP_KEY_RUNS ?? 120) },
  )
  t.ok(refused >= 120, `${refused} manipulated contributions`)
})

t.test('who sits in the middle gets no confirmation: members that saw other shares derive other keys', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(2, 3), fc.nat(15), fc.nat(1000), (n, place, seed) => {
      const honest = run(contextOf(n))
      const { context, exponents } = honest
      const victim = place % n
      // Everyone else is replaced towards the victim, with exponents of the attacker's own and valid proofs.
      const mine = exponents.map((exponent, i) => (i === victim ? exponent : exponentOf(200 + seed + i)))
      const shares = context.roster.map((member, i) => groupShare(context, member, mine[i]!))
      const links = context.roster.map((member, i) => groupLink(context, member, mine[i]!, elementsOf(shares)))
      const fooled = keyFor({ context, exponents: mine, shares, links }, victim)
      t.not(fooled, keyFor(honest, (victim + 1) % n), 'the chain accepts no epoch from these two')
      const flaw = linkFlaw(context, context.roster[victim]!, elementsOf(honest.shares), links[victim]!)
      t.equal(flaw, 'proof', 'and refuses the link')
    }),
    { numRuns: 12 },
  )
})
