/** Keys of simulated machines and cheap signatures, unforgeable only because actors sign with nothing but their own keys. */
import type { Vote } from '../consensus/types.js'
import { type Address, toAddress } from '../core/bytes.js'
import { hash53 } from './hashing.js'

/** Machines of one run, and keys that a machine may have one after the other. */
export const machinesMax = 32
const generationsMax = 8

const addresses = Array.from({ length: machinesMax * generationsMax }, (_, number) => {
  const bytes = new Uint8Array(20)
  bytes[0] = 0xaa
  bytes[19] = number
  return toAddress(bytes)
})
const numbers = new Map(addresses.map((address, number) => [address, number]))

/** Key number `generation` of a machine. Throws RangeError beyond the keys that there are. */
export function addressOf(machine: number, generation = 0): Address {
  const address = addresses[machine + machinesMax * generation]
  if (!address || machine >= machinesMax) throw new RangeError(`no key ${generation} of machine ${machine}`)
  return address
}

/** Which of all keys `address` is, and back. */
export function addressNumber(address: Address): number {
  return numbers.get(address) ?? 0
}

export function numberedAddress(number: number): Address | null {
  return addresses[number] ?? null
}

/** The machine whose key `address` is. */
export function machineOf(address: Address): number {
  return addressNumber(address) % machinesMax
}

interface Signed {
  readonly signer: Address
  readonly vote: Vote
}

export class Keys {
  /** What each signature made here covers: most are checked by the object that was signed. */
  private readonly issued = new WeakMap<Uint8Array, Signed>()

  /** `withEpoch` false is a planted bug: votes of different epochs have the same signature. */
  constructor(private readonly withEpoch = true) {}

  sign(signer: Address, vote: Vote): Uint8Array {
    const signature = this.seal(signer, this.textOf(vote))
    this.issued.set(signature, { signer, vote })
    return signature
  }

  recover = (vote: Vote, signature: Uint8Array): Address | null => {
    const known = this.issued.get(signature)
    if (known) return this.isSame(known.vote, vote) ? known.signer : null
    const signer = addresses[signature[64] ?? 0]
    return signer && equal(signature, this.seal(signer, this.textOf(vote))) ? signer : null
  }

  seal(signer: Address, text: string): Uint8Array {
    const number = addressNumber(signer)
    const signature = new Uint8Array(65)
    new DataView(signature.buffer).setFloat64(0, hash53(text, number + 1))
    signature[64] = number
    return signature
  }

  private isSame(a: Vote, b: Vote): boolean {
    if (a === b) return true
    return a.view === b.view && a.block === b.block && a.kind === b.kind && (a.epoch === b.epoch || !this.withEpoch)
  }

  private textOf(vote: Vote): string {
    return `${this.withEpoch ? vote.epoch : ''}|${vote.view}|${vote.kind}|${vote.block}`
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 65; i++) if (a[i] !== b[i]) return false
  return a.length === 65
}
