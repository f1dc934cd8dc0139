/** Who may connect and who is dialled, as sealers, members and configuration change. */
import t from 'tap'
import type { SealerSet } from '../../src/consensus/types.js'
import { type Address, asEpoch } from '../../src/core/bytes.js'
import type { Standing } from '../../src/node/membership.js'
import { Peering } from '../../src/node/peering.js'
import { addressOfPrivateKey, nodeMultiaddr } from '../../src/p2p/identity.js'
import type { StaticPeer } from '../../src/p2p/network.js'

const keys = Array.from({ length: 7 }, (_, i) => new Uint8Array(32).fill(i + 1))
const [self, sealer, joiner, configured, observer, suspended, stranger] = keys.map(
  addressOfPrivateKey,
) as Address[] as [Address, Address, Address, Address, Address, Address, Address]
const multiaddrOf = (index: number, port = 7_000) => nodeMultiaddr('127.0.0.1', port + index, keys[index]!)
const setOf = (epoch: number, addresses: readonly Address[]): SealerSet => ({
  epoch: asEpoch(epoch),
  sealers: addresses.map((address) => ({ address, weight: 1 })),
})

/** A chain that tests change, and what is dialled because of it. */
class Bench {
  set = setOf(0, [self, sealer])
  readonly standing = new Map<Address, Standing>([
    [self, 'active'],
    [sealer, 'active'],
    [joiner, 'active'],
    [observer, 'active'],
    [suspended, 'inactive'],
  ])
  readonly onChain = new Map<Address, string>()
  readonly calls: string[] = []
  readonly logged: string[] = []
  readonly peering: Peering

  constructor(peers: readonly StaticPeer[] = [{ multiaddr: multiaddrOf(3) }]) {
    this.peering = new Peering({
      self,
      configured: peers,
      set: () => this.set,
      standing: (address) => this.standing.get(address) ?? 'unknown',
      onChain: () => this.onChain,
      log: (message) => this.logged.push(message),
    })
  }

  /** What a refresh makes of the dialled peers. */
  refresh(): string[] {
    this.calls.length = 0
    this.peering.refresh({
      addPeer: ({ multiaddr }) => this.calls.push(`+ ${multiaddr}`),
      removePeer: (address) => this.calls.push(`- ${address}`),
    })
    return [...this.calls]
  }
}

t.test('sealers and configured peers have a place, members are guests, others are refused', async (t) => {
  const bench = new Bench()
  const admissions = [sealer, configured, joiner, suspended, stranger].map((one) => bench.peering.admission(one))
  t.same(admissions, ['peer', 'peer', 'guest', 'refused', 'refused'])
})

t.test('whoever joins or leaves the set is admitted accordingly', async (t) => {
  const bench = new Bench()
  bench.set = setOf(1, [self, joiner])
  t.equal(bench.peering.admission(joiner), 'peer')
  t.equal(bench.peering.admission(sealer), 'guest', 'it is a member still')
  bench.standing.set(sealer, 'inactive')
  t.equal(bench.peering.admission(sealer), 'refused')
  bench.standing.set(joiner, 'inactive')
  t.equal(bench.peering.admission(joiner), 'peer', 'a suspended sealer seals until it is removed')
})

t.test('a suspended member is refused although it is configured', async (t) => {
  const bench = new Bench([{ multiaddr: multiaddrOf(5) }])
  t.equal(bench.peering.admission(suspended), 'refused')
})

t.test('addresses on chain are dialled once, changed ones again, and no longer when they are gone', async (t) => {
  const bench = new Bench()
  for (const [index, address] of [self, sealer, joiner, configured, observer].entries())
    bench.onChain.set(address, multiaddrOf(index))
  t.same(
    bench.refresh(),
    [1, 2, 4].map((index) => `+ ${multiaddrOf(index)}`),
    'neither itself nor whom the configuration names',
  )
  t.same(bench.refresh(), [])
  bench.onChain.set(joiner, multiaddrOf(2, 9_000))
  t.same(bench.refresh(), [`- ${joiner}`, `+ ${multiaddrOf(2, 9_000)}`])
  bench.onChain.delete(sealer)
  bench.standing.set(observer, 'inactive')
  t.same(bench.refresh(), [`- ${sealer}`, `- ${observer}`])
})

t.test('an address that is none, or that of another key, is passed over', async (t) => {
  const bench = new Bench()
  bench.onChain.set(joiner, 'somewhere')
  bench.onChain.set(observer, multiaddrOf(2))
  t.same(bench.refresh(), [])
  t.equal(bench.logged.length, 2)
  t.same(bench.refresh(), [])
  t.equal(bench.logged.length, 2, 'said once')
  bench.onChain.set(joiner, multiaddrOf(2))
  t.same(bench.refresh(), [`- ${joiner}`, `+ ${multiaddrOf(2)}`])
})
