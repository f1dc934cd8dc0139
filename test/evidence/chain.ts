/**
 * A small chain with four sealers, real transactions, blocks and certificates over a store in memory, served by a real RPC server:
 * what a node of a network has, without the network.
 */
import type { Test } from 'tap'
import { formCertificate } from '../../src/consensus/certificate.js'
import { encodeCertificate } from '../../src/consensus/codec.js'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import { CONTRACT_ADDRESSES, type ContractName } from '../../src/contracts/addresses.js'
import { BASIS, DELIVERY, EXISTENCE, QUORUM, ROLE, SIGNER_KIND, VALUE_TYPE } from '../../src/contracts/codes.js'
import { endBlock } from '../../src/contracts/epoch.js'
import type { DataProfile, GenesisConfig } from '../../src/contracts/genesisTypes.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { sealerSetOf } from '../../src/contracts/sealers.js'
import { signerConsentDigest } from '../../src/contracts/signerConsent.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import {
  type Address,
  asHeight,
  asView,
  EMPTY_BYTES,
  type Hash,
  toHash,
  utf8,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import { readVanity } from '../../src/core/seal.js'
import { decodeTransaction } from '../../src/core/transaction.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import { type RecoveredTransaction, recoverTransaction, signTransaction } from '../../src/crypto/transaction.js'
import { Blocks, type BlocksNeeds } from '../../src/node/blocks.js'
import { ChainView, type ChainViewNeeds } from '../../src/node/chainView.js'
import { FinalCalls } from '../../src/node/finalCalls.js'
import { FinalChain } from '../../src/node/finalChain.js'
import { buildGenesis } from '../../src/node/genesis.js'
import { genesisProofReader } from '../../src/node/genesisProof.js'
import { Mempool } from '../../src/node/mempool.js'
import { voteSigner } from '../../src/node/votes.js'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'
import { startRpcServer } from '../../src/rpc/server.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import { INTERFACES } from '../contracts/world.js'

export const CHAIN_ID = 20_261
const keyOf = (n: number) => new Uint8Array(32).fill(n)
export const SEALER_KEYS = [1, 2, 3, 4].map(keyOf)

export const KEYS = {
  operator: keyOf(9),
  market: keyOf(21),
  finance: keyOf(22),
  asker: keyOf(23),
  /** Acts for finance beside its own key. */
  financeService: keyOf(24),
}
export type Who = keyof typeof KEYS
export const addressOf = (who: Who): Address => privateKeyToAddress(KEYS[who])

export const ENTERPRISE = textId('91440300708461136T')
export const CAPITAL = attributeId('registeredCapital')
export const REPRESENTATIVE = attributeId('legalRepresentative')
export const digestOf = (text: string): Hash => toHash(keccak256(utf8(text)))

const profile = (
  attribute: Hash,
  supervisors: readonly Address[],
  rule: Partial<DataProfile['rule']>,
): DataProfile => ({
  attribute,
  schemaVersion: 1,
  schema: { valueType: VALUE_TYPE.text, checksum: 0, caseRule: 0, scale: 0, lengthMax: 100, min: 0n, max: 0n },
  supervisors,
  encryptionKey: ZERO_HASH,
  keyEpoch: 0n,
  rule: {
    quorum: QUORUM.all,
    askerRoles: 1 << ROLE.department,
    basis: BASIS.none,
    delivery: DELIVERY.ledger,
    validityBlocks: 0n,
    deadlineBlocks: 0n,
    digestBudget: 0,
    ...rule,
  },
})

const department = (who: Who, id: string) => {
  return { address: addressOf(who), role: ROLE.department, name: id, id, encryptionKey: digestOf(id) }
}

export const GENESIS: GenesisConfig = {
  chainId: CHAIN_ID,
  timestamp: 1_700_000_000,
  gasLimit: 100_000_000n,
  sealers: SEALER_KEYS.map((key, i) => ({ address: privateKeyToAddress(key), weight: i === 3 ? 4 : 3 })),
  members: [
    { address: addressOf('operator'), role: ROLE.operator, name: 'Operations centre', id: 'operator' },
    department('market', 'market-regulation'),
    department('finance', 'finance'),
    department('asker', 'government-service'),
    { address: privateKeyToAddress(keyOf(31)), role: ROLE.enterprise, name: 'A company', id: '91440300708461136T' },
  ],
  attributes: [
    profile(CAPITAL, [addressOf('market')], { validityBlocks: 1_000n }),
    profile(REPRESENTATIVE, [addressOf('market'), addressOf('finance')], { quorum: QUORUM.all, deadlineBlocks: 100n }),
  ],
  alloc: [],
  consensus: { sealersMin: 1 },
}

/** As little as makes a chain. */
export const TINY: GenesisConfig = {
  ...GENESIS,
  sealers: GENESIS.sealers.slice(0, 1),
  members: GENESIS.members.slice(0, 1),
  attributes: [],
}

export class EvidenceChain {
  readonly genesisHash: Hash
  readonly store: ChainStore
  readonly chain: FinalChain
  readonly #nodes: ReadonlyMap<Address, Blocks>
  readonly view: ChainView
  #waiting: RecoveredTransaction[] = []
  readonly #nonces = new Map<Address, bigint>()
  #timeMs = 1_800_000_000_123

  static async open(genesis = GENESIS): Promise<EvidenceChain> {
    const store = await ChainStore.open({ store: new MemoryStore() })
    await store.init(buildGenesis(genesis))
    return new EvidenceChain(store, genesis)
  }

  private constructor(store: ChainStore, genesis: GenesisConfig) {
    const block0 = buildGenesis(genesis)
    this.genesisHash = block0.hash
    this.store = store
    this.chain = new FinalChain(
      store,
      sealerSetOf(block0.overlay),
      (error) => {
        throw error
      },
      () => ({ generation: 0, sequence: 1 }),
    )
    const shared = { chainId: CHAIN_ID, genesisHash: block0.hash, registry: systemContracts }
    const common = {
      ...shared,
      gasLimit: genesis.gasLimit,
      clockDriftMs: 1_000,
      schedule: roundRobin,
      endBlock: (...[state, block, turn]: Parameters<BlocksNeeds['endBlock']>) =>
        endBlock(state, block, turn, builtinExtensions),
      head: () => this.chain.ground(),
      isFinal: (hash: Hash) => store.heightOf(hash) !== undefined,
      now: () => this.#timeMs,
      recover: (raw: Uint8Array) => recoverTransaction(decodeTransaction(raw)),
      select: () => this.#waiting,
      discard: (tx: RecoveredTransaction) => {
        throw new Error(`${tx.hash} was discarded`)
      },
    }
    const nodes = SEALER_KEYS.map((privateKey) => {
      const self = privateKeyToAddress(privateKey)
      return [self, new Blocks({ ...common, privateKey, self })] as const
    })
    this.#nodes = new Map(nodes)
    const calls = new FinalCalls({ ...shared, chain: this.chain })
    const genesisProof = genesisProofReader(genesis)
    const needs = {
      ...shared,
      name: 'test',
      clientVersion: 'test',
      store,
      chain: this.chain,
      calls,
      genesisProof,
      pool: new Mempool(),
    }
    // Consensus and peers are not asked for what is final.
    this.view = new ChainView(needs as unknown as ChainViewNeeds)
  }

  /** A call that waits for the next block; returns the transaction's hash. */
  send<C extends ContractName>(key: Uint8Array, contract: C, name: string, args: object): Hash {
    const sender = privateKeyToAddress(key)
    const nonce = this.#nonces.get(sender) ?? 0n
    this.#nonces.set(sender, nonce + 1n)
    const abi = INTERFACES[contract] as unknown as { encodeCall(name: string, args: object): Uint8Array }
    const fees = { gasPrice: 0n, maxPriorityFeePerGas: 0n, gasLimit: 5_000_000n, value: 0n, accessList: [] }
    const to = CONTRACT_ADDRESSES[contract]
    const data = abi.encodeCall(name, args)
    const tx = signTransaction({ type: 2, chainId: BigInt(CHAIN_ID), nonce, to, data, ...fees }, key)
    this.#waiting.push(tx)
    return tx.hash
  }

  /** One block with what waits. `signers`: places of the sealers in the set that certify it; null: a later block does. */
  async block(signers: readonly number[] | null = [0, 1, 2]): Promise<void> {
    const { hash, height, set } = this.chain.queued()
    const before = readVanity(this.chain.head().header.extraData).view
    const view = asView(before + 1)
    this.#timeMs += 1_000
    const built = this.#nodes.get(roundRobin(set, view))!.build({
      type: 'build',
      epoch: set.epoch,
      view,
      parent: hash,
      height: asHeight(height + 1),
      mayBeEmpty: true,
    })
    this.#waiting = []
    const vote = { kind: 'finalize', epoch: set.epoch, view, block: built!.sealed.hash } as const
    const votes = (signers ?? []).map((index) => {
      const signer = set.sealers[index]!.address
      const key = SEALER_KEYS.find((one) => privateKeyToAddress(one) === signer)!
      const context = { chainId: CHAIN_ID, genesisHash: this.genesisHash }
      return [index, { ...vote, signer, signature: voteSigner(context, key)(vote) }] as const
    })
    const certificate = signers === null ? EMPTY_BYTES : encodeCertificate(formCertificate(vote, new Map(votes)))
    await this.chain.commit(built!, certificate)
  }

  /** A client over a real server on a free port; closed with the test. */
  async serve(t: Test): Promise<RpcClient> {
    const onDefect = (error: unknown) => t.fail(`a method failed: ${error}`)
    const metrics = async () => ({ contentType: 'text/plain', body: '' })
    const server = await startRpcServer({ host: '127.0.0.1', port: 0 }, { api: this.view, onDefect, metrics })
    const client = createRpcClient({ url: server.url })
    t.teardown(async () => {
      client.close()
      await server.close()
    })
    return client
  }
}

const answer = (requestId: bigint, attribute: Hash, existence: number, confirmed: boolean) => {
  return { requestId, attribute, existence, confirmed }
}
const sealed = (...of: Who[]) =>
  of.map((who) => ({ supervisor: addressOf(who), keyEpoch: 1n, envelope: Uint8Array.of(1, 2, 3) }))

export interface Told {
  readonly chain: EvidenceChain
  readonly hashes: { readonly question: Hash; readonly market: Hash; readonly finance: Hash; readonly refused: Hash }
}

/**
 * One question about two attributes, answered by two departments, one with a further key; blocks without a certificate of their
 * own; and a sealer that leaves between the first answer and the second.
 */
export async function tell(): Promise<Told> {
  const chain = await EvidenceChain.open()
  const kind = SIGNER_KIND.service
  const signer = privateKeyToAddress(KEYS.financeService)
  const consent = { chainId: BigInt(CHAIN_ID), member: addressOf('finance'), signer, kind }
  const proof = secp256k1.sign(signerConsentDigest(consent), KEYS.financeService)
  chain.send(KEYS.finance, 'members', 'addSigner', { signer, kind, proof })
  await chain.block(null)
  const items = [
    { attribute: CAPITAL, digest: digestOf('capital') },
    { attribute: REPRESENTATIVE, digest: digestOf('representative') },
  ]
  const asked = { enterpriseId: ENTERPRISE, portraitVersion: 1, purpose: textId('tax-relief'), basis: ZERO_HASH, items }
  const question = chain.send(KEYS.asker, 'dataSharing', 'requestVerification', {
    ...asked,
    sealed: sealed('market', 'finance'),
  })
  await chain.block(null)
  await chain.block([0, 1, 2, 3])
  const { exists, vacant } = EXISTENCE
  const market = chain.send(KEYS.market, 'dataSharing', 'attest', {
    answers: [answer(1n, CAPITAL, exists, true), answer(1n, REPRESENTATIVE, exists, false)],
  })
  const refused = chain.send(KEYS.asker, 'dataSharing', 'attest', { answers: [answer(1n, CAPITAL, exists, true)] })
  await chain.block([1, 2, 3])
  chain.send(SEALER_KEYS[1]!, 'sealers', 'leave', {})
  await chain.block([0, 2, 3])
  const finance = chain.send(KEYS.financeService, 'dataSharing', 'attest', {
    answers: [answer(1n, REPRESENTATIVE, vacant, false)],
  })
  await chain.block([0, 1, 2])
  await chain.block([0, 1, 2])
  return { chain, hashes: { question, market, finance, refused } }
}
