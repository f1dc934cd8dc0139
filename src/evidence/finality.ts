/** From the genesis hash to final blocks: each sealer set is proved by the one before, each block by more than two thirds of its set. */
import { concat, type Hex, hexToBytes, keccak256, numberToBytes, stringToBytes } from 'viem'
import { must } from './evidenceError.js'
import type { CertifiedRun, EvidenceFile } from './format.js'
import { checkSeal, type ProvedHeader, type Recover, readHeader, type Sealer } from './header.js'
import { genesisSealers } from './layout.js'
import { type Proofs, State } from './proofs.js'

/** Who made a block final: the votes may be for a later block, which this one's hash is part of. */
export interface Finality {
  readonly block: number
  readonly view: number
  readonly signers: readonly Hex[]
  readonly weight: number
  readonly weightTotal: number
  readonly weightQuorum: number
}

export interface FinalBlock {
  readonly header: ProvedHeader
  readonly finality: () => Finality
}

export interface SealerSet {
  readonly epoch: number
  readonly sealers: readonly Sealer[]
}

/** What headers say of each other; `check` holds it against the votes, and comes last, since signatures cost most. */
export interface HeaderChain {
  readonly genesis: ProvedHeader
  /** Number of the last block in the file. */
  readonly last: ProvedHeader
  /** By height. Throws EvidenceError for a block that is not in the file. */
  block(number: number): ProvedHeader
  /** Verifies every certificate and the seals of the blocks that were asked for. */
  check(): { readonly blocks: readonly FinalBlock[]; readonly sets: readonly SealerSet[] }
}

export async function readChain(
  file: EvidenceFile,
  genesisHash: Hex,
  proofs: Proofs,
  recover: Recover,
): Promise<HeaderChain> {
  const hash = keccak256(file.genesis)
  must(hash === genesisHash, 'GENESIS', () => `the file is of chain ${hash}, not ${genesisHash}`)
  const genesis = readHeader(file.genesis)
  const sealers = await genesisSealers(new State(proofs, genesis.stateRoot))
  const closings = file.epochs.map((run, epoch) => readClosing(run, epoch))
  const sets = [sealers, ...closings.map(({ nextSet }) => nextSet!)].map((sealers, epoch) => ({ epoch, sealers }))
  const runs = file.blocks.map(readRun)
  must(runs.length > 0, 'CONTENT', () => 'the file holds no block')
  checkOrder(runs)
  const epochs = runs.reduce((last, run) => Math.max(last, run[0]!.epoch), 0)
  must(epochs === closings.length, 'UNUSED', () => `sets of ${closings.length} epochs are given for ${epochs}`)
  checkEpochs(runs.flat(), closings)
  const byHeight = new Map(runs.flat().map((header) => [header.number, header]))
  const asked = new Set<ProvedHeader>()
  const vote = { chainId: file.chainId, genesisHash, recover }
  return {
    genesis,
    last: runs.at(-1)!.at(-1)!,
    block(number) {
      const header = byHeight.get(number)
      must(header !== undefined, 'CONTENT', () => `block ${number} is not in the file`)
      asked.add(header)
      return header
    },
    check() {
      closings.forEach((header, epoch) => {
        checkVotes(sets[epoch]!, header, file.epochs[epoch]!, vote)
      })
      const blocks = runs.flatMap((run, i) => {
        must(asked.has(run[0]!), 'UNUSED', () => `nothing is proved from block ${run[0]!.number}`)
        const finality = checkVotes(sets[run[0]!.epoch]!, run.at(-1)!, file.blocks[i]!, vote)
        const used = run.filter((header) => asked.has(header))
        for (const header of used) checkSeal(header, file.chainId, recover)
        return used.map((header) => ({ header, finality: () => finality }))
      })
      return { blocks, sets }
    },
  }
}

function readClosing(run: CertifiedRun, epoch: number): ProvedHeader {
  must(run.headers.length === 1, 'UNUSED', () => `epoch ${epoch} has ${run.headers.length} closing headers`)
  const header = readHeader(run.headers[0]!)
  const closes = header.epoch === epoch && header.nextSet !== null
  must(closes, 'SEALERS', () => `block ${header.number} does not close epoch ${epoch}`)
  return header
}

/** Each header names the one before as its parent; all are of one epoch, so that one set's votes cover them. */
function readRun(run: CertifiedRun): readonly ProvedHeader[] {
  const headers = run.headers.map(readHeader)
  must(headers.length > 0, 'CONTENT', () => 'a run of blocks is empty')
  headers.forEach((header, i) => {
    const before = headers[i - 1]
    if (before === undefined) return
    const follows = header.parent === before.hash && header.number === before.number + 1
    must(follows, 'HEADER', () => `block ${header.number} does not follow block ${before.number} of the file`)
    const sameEpoch = header.epoch === before.epoch && before.nextSet === null
    must(sameEpoch, 'HEADER', () => `block ${header.number} is of another epoch than block ${before.number}`)
  })
  return headers
}

function checkOrder(runs: readonly (readonly ProvedHeader[])[]): void {
  runs.forEach((run, i) => {
    const after = i === 0 ? 0 : runs[i - 1]!.at(-1)!.number
    must(run[0]!.number > after, 'UNUSED', () => `block ${run[0]!.number} is not behind block ${after}`)
  })
}

/** Blocks of an epoch stand between the headers that close the one before and itself: signers of the past cannot go on beside the chain. */
function checkEpochs(headers: readonly ProvedHeader[], closings: readonly ProvedHeader[]): void {
  closings.forEach(({ number }, epoch) => {
    const rises = number > (closings[epoch - 1]?.number ?? 0)
    must(rises, 'SEALERS', () => `block ${number}, which closes epoch ${epoch}, does not stand behind the epoch before`)
  })
  for (const { number, epoch, hash, parent, nextSet } of headers) {
    const before = closings[epoch - 1]
    const end = closings[epoch]
    const begins = before === undefined || number > before.number + 1 || parent === before.hash
    const ends = end === undefined || hash === end.hash || (number < end.number && nextSet === null)
    const stands = begins && ends && number > (before?.number ?? 0)
    must(stands, 'SEALERS', () => `block ${number} does not stand in epoch ${epoch} as the file closes it`)
  }
}

/** Votes to finalize `header` by sealers of its set, in the set's order, that weigh more than two thirds of it. */
function checkVotes(
  { epoch, sealers }: SealerSet,
  header: ProvedHeader,
  { view, votes }: CertifiedRun,
  { chainId, genesisHash, recover }: { readonly chainId: number; readonly genesisHash: Hex; readonly recover: Recover },
): Finality {
  const number = (value: number, size: number) => numberToBytes(value, { size })
  const digest = keccak256(
    concat([
      stringToBytes('concordat vote v1'),
      number(chainId, 8),
      hexToBytes(genesisHash),
      number(epoch, 8),
      number(view, 8),
      number(3, 1),
      hexToBytes(header.hash),
    ]),
    'bytes',
  )
  let last = -1
  let weight = 0
  const signers = votes.map((vote, i) => {
    const signer = recover(digest, hexToBytes(vote))
    const index = sealers.findIndex(({ address }) => address === signer)
    const problem = () => `vote ${i} for block ${header.number} is not by a sealer of epoch ${epoch} in its order`
    must(index > last, 'CERTIFICATE', problem)
    last = index
    weight += sealers[index]!.weight
    return sealers[index]!.address
  })
  const weightTotal = sealers.reduce((sum, sealer) => sum + sealer.weight, 0)
  const weightQuorum = Math.floor((2 * weightTotal) / 3) + 1
  const enough = weight >= weightQuorum
  must(enough, 'CERTIFICATE', () => `votes for block ${header.number} weigh ${weight}, a quorum is ${weightQuorum}`)
  return { block: header.number, view, signers, weight, weightTotal, weightQuorum }
}
