/** A chain of a genesis file, sealed and certified by four keys, with an epoch that ends; for tests of chain files. */
import { formCertificate } from '../../src/consensus/certificate.js'
import { encodeCertificate } from '../../src/consensus/codec.js'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import type { SealerSet, Vote } from '../../src/consensus/types.js'
import { endBlock } from '../../src/contracts/epoch.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { sealerSetOf } from '../../src/contracts/sealers.js'
import { type Address, asView, EMPTY_BYTES, type Hash, type Height } from '../../src/core/bytes.js'
import type { RecoveredTransaction } from '../../src/crypto/transaction.js'
import { Blocks, type BlocksNeeds, type Candidate } from '../../src/node/blocks.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { buildGenesis } from '../../src/node/genesis.js'
import { parseGenesisText } from '../../src/node/genesisFile.js'
import { voteSigner } from '../../src/node/votes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import type { StateHistoryOptions } from '../../src/state/history/stateHistory.js'
import { accounts, CHAIN_ID, leaving, sealerKeys, sealers, someone, transfer } from './world.js'

export const genesisText = (timestamp = 1_700_000_000): string =>
  JSON.stringify({
    chainId: CHAIN_ID,
    timestamp,
    gasLimit: 30_000_000,
    sealers: sealers.map((address) => ({ address, weight: 1 })),
    members: [{ address: someone, role: 'operator', name: 'Operator', id: 'operator' }],
    attributes: [],
    alloc: accounts.map((address) => ({ address, balance: '1000000' })),
    consensus: { sealersMin: 1, epochBlocks: 0 },
  })

/** A store and what builds its blocks with the key of whoever leads. */
export class FileChain {
  readonly genesisHash: Hash
  readonly genesisSet: SealerSet
  readonly #blocks: ReadonlyMap<Address, Blocks>
  readonly #chain: FinalChain
  #waiting: RecoveredTransaction[] = []

  private constructor(
    readonly store: ChainStore,
    readonly text: string,
  ) {
    const config = parseGenesisText(text, 'genesis')
    const block0 = buildGenesis(config)
    this.genesisHash = block0.hash
    this.genesisSet = sealerSetOf(block0.overlay)
    const fatal = (error: unknown) => {
      throw error
    }
    this.#chain = new FinalChain(store, this.genesisSet, fatal, null)
    const needs: Omit<BlocksNeeds, 'privateKey' | 'self'> = {
      chainId: CHAIN_ID,
      genesisHash: block0.hash,
      gasLimit: config.gasLimit,
      clockDriftMs: 1_000,
      registry: systemContracts,
      schedule: roundRobin,
      endBlock: (state, block, turn) => endBlock(state, block, turn, builtinExtensions),
      head: () => this.#chain.ground(),
      isFinal: (hash) => store.heightOf(hash) !== undefined,
      now: () => 1_800_000_000_000,
      recover: () => {
        throw new Error('it executes no blocks of others')
      },
      select: () => this.#waiting.splice(0),
      discard: () => undefined,
    }
    this.#blocks = new Map(sealers.map((self, i) => [self, new Blocks({ ...needs, self, privateKey: sealerKeys[i]! })]))
  }

  /** A store in memory, or in folder `dir`. */
  static async open({
    text = genesisText(),
    dir,
    history = { recentBlocks: 0 },
  }: {
    text?: string
    dir?: string
    history?: StateHistoryOptions
  } = {}): Promise<FileChain> {
    const store = dir === undefined ? await ChainStore.memory() : await ChainStore.open({ dir, history })
    await store.init(buildGenesis(parseGenesisText(text, 'genesis')))
    return new FileChain(store, text)
  }

  get genesis() {
    return { text: this.text, hash: this.genesisHash, chainId: CHAIN_ID }
  }

  get height(): Height {
    return this.#chain.head().height
  }

  /** `count` blocks of a transfer each; every second one has a certificate, the last one always. */
  async extend(count: number): Promise<void> {
    for (let i = 1; i <= count; i++) await this.seal([transfer(this.#nonce())], i % 2 === 0 || i === count)
  }

  /** Sealer `index` leaves: the block closes its epoch. */
  async closeEpoch(index: number): Promise<void> {
    await this.seal([leaving(index)], true)
  }

  async seal(transactions: readonly RecoveredTransaction[], isCertified: boolean): Promise<void> {
    const head = this.#chain.queued()
    const view = asView(head.view + 1)
    const blocks = this.#blocks.get(roundRobin(head.set, view))!
    this.#waiting = [...transactions]
    const { epoch } = head.set
    const height = (head.height + 1) as Height
    const block = blocks.build({ type: 'build', epoch, view, parent: head.hash, height, mayBeEmpty: true })!
    await this.#chain.commit(block, isCertified ? this.#certificate(block, head.set) : EMPTY_BYTES)
    blocks.prune(height)
  }

  #nonce(): number {
    return Number(this.store.state().account(accounts[0]!)?.nonce ?? 0n)
  }

  #certificate({ sealed }: Candidate, set: SealerSet): Uint8Array {
    const vote: Vote = { kind: 'finalize', epoch: sealed.epoch, view: sealed.view, block: sealed.hash }
    const votes = set.sealers.map(({ address }, i) => {
      const key = sealerKeys[sealers.indexOf(address)]!
      const signature = voteSigner({ chainId: CHAIN_ID, genesisHash: this.genesisHash }, key)(vote)
      return [i, { ...vote, signer: address, signature }] as const
    })
    return encodeCertificate(formCertificate(vote, new Map(votes)))
  }
}
