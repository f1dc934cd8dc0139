/** A chain in memory whose departments seal: governance of the sealer set, block by block. */
import { CHANGE_KIND, ROLE } from '../../src/contracts/codes.js'
import type { ConsensusConfig, GenesisConfig } from '../../src/contracts/genesisTypes.js'
import { type SealerSetView, sealerSetOf } from '../../src/contracts/sealers.js'
import { type Address, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { account, genesisConfig, OPERATOR, World, word } from './world.js'

/** The i-th department; the first ones seal. */
export const dept = (i: number): Address => account(0x1000 + i)
/** The i-th member that only runs a node. */
export const runner = (i: number): Address => account(0x2000 + i)

export interface Plan {
  readonly sealers: number
  /** Departments that do not seal. */
  readonly others?: number
  readonly runners?: number
  readonly consensus?: Partial<ConsensusConfig>
  readonly credit?: GenesisConfig['credit']
}

function genesisOf({ sealers, others = 0, runners = 2, consensus, credit }: Plan): GenesisConfig {
  const members = Array.from({ length: sealers + others }, (_, i) => {
    const id = `department-${i}`
    return { address: dept(i), role: ROLE.department, name: id, id, encryptionKey: word(id) }
  })
  const nodes = Array.from({ length: runners }, (_, i) => {
    return { address: runner(i), role: ROLE.sealer, name: `Node ${i}`, id: `node-${i}` }
  })
  return genesisConfig({
    sealers: Array.from({ length: sealers }, (_, i) => ({ address: dept(i), weight: 1 })),
    members: [{ address: OPERATOR, role: ROLE.operator, name: 'Operations', id: 'operator' }, ...members, ...nodes],
    attributes: [],
    ...(consensus === undefined ? {} : { consensus }),
    ...(credit === undefined ? {} : { credit }),
  })
}

/** Blocks are sealed in turn by whoever is in the set and not `down`. */
export class SealerWorld extends World {
  readonly down = new Set<Address>()
  #turn = 0

  constructor(plan: Plan) {
    super(genesisOf(plan))
  }

  get set(): SealerSetView {
    return sealerSetOf(this.state)
  }

  get addresses(): readonly Address[] {
    return this.set.sealers.map(({ address }) => address)
  }

  /** Ends the block; the sealers that are down miss their turns before it. */
  step(): SealerSetView | null {
    const addresses = this.addresses
    const missed: Address[] = []
    for (;;) {
      const leader = addresses[this.#turn++ % addresses.length]!
      if (!this.down.has(leader)) {
        this.sealer = leader
        return this.endBlock(missed)
      }
      missed.push(leader)
    }
  }

  steps(count: number): void {
    for (let i = 0; i < count; i++) this.step()
  }

  volunteer(who: Address, multiaddr = ''): void {
    this.must('sealers', who, 'volunteer', { multiaddr })
  }

  propose(by: Address, kind: keyof typeof CHANGE_KIND, sealer: Address, replacement: Address = ZERO_ADDRESS): bigint {
    const args = { kind: CHANGE_KIND[kind], sealer, replacement, reason: 'decision 12/2026' }
    const logs = this.must('sealers', by, 'proposeChange', args)
    return logs[0]![1].id as bigint
  }

  proposalRefused(by: Address, kind: number, sealer: Address, replacement: Address = ZERO_ADDRESS): string {
    return this.refusal('sealers', by, 'proposeChange', { kind, sealer, replacement, reason: '' })
  }

  approve(id: bigint, ...voters: readonly Address[]): void {
    for (const voter of voters) this.must('sealers', voter, 'approveChange', { id })
  }

  change(id: bigint) {
    return this.view('sealers', 'changeOf', { id })
  }
}
