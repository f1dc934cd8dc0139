/**
 * Sees every vote that the sealers of a local network ever send, and says which contradict each other: a peer with a permitted key hears
 * what they broadcast, and the journals of processes that ended hold what nobody heard.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NetworkFile } from '../../src/cli/network/file.js'
import { votesOf } from '../../src/consensus/certificate.js'
import { decodeJournalRecord, decodeMessage, type ReadBlock } from '../../src/consensus/codec.js'
import type { Certificate, ConsensusMessage, SealerSet, SignedVote } from '../../src/consensus/types.js'
import { conflicts } from '../../src/consensus/vote.js'
import { type Address, asEpoch } from '../../src/core/bytes.js'
import { sealedBlockReader } from '../../src/node/sealedBlock.js'
import { voteRecoverer } from '../../src/node/votes.js'
import { CHANNEL, type Channel } from '../../src/p2p/network.js'
import { readFileHeader, scanFrames } from '../../src/state/journalFrames.js'
import { ListeningPeer } from './listeningPeer.js'

/** Last votes of each sealer that are kept. */
const HEARD_MAX = 2_000

export class VoteObserver extends ListeningPeer {
  /** What a reader has to know when it is not empty. */
  readonly conflicts: string[] = []
  /** Votes with a valid signature, each counted once. */
  votes = 0
  /** Messages of consensus heard. */
  messages = 0
  /** What each sealer itself was heard to vote for. */
  readonly heard = new Map<Address, SignedVote[]>()
  /** By sealer, epoch and view. */
  readonly #seen = new Map<string, SignedVote[]>()
  readonly #readBlock: ReadBlock
  readonly #recover: ReturnType<typeof voteRecoverer>
  readonly #set: SealerSet

  /** Of a network whose sealers do not change. */
  constructor(network: NetworkFile, port: number) {
    super(network, port)
    const { chainId, genesisHash } = network
    this.#readBlock = sealedBlockReader(chainId)
    this.#recover = voteRecoverer({ chainId, genesisHash })
    this.#set = { epoch: asEpoch(0), sealers: network.nodes.map(({ address }) => ({ address, weight: 1 })) }
  }

  protected hear(from: Address, channel: Channel, frame: Uint8Array): void {
    if (channel === CHANNEL.consensus) this.#hear(from, decodeMessage(frame, this.#readBlock))
  }

  /** Takes in what the journal in the folder of a node that does not run has, up to where it is torn; its own votes. */
  readJournal(nodeDir: string): SignedVote[] {
    const path = join(nodeDir, 'journal', 'consensus.journal')
    const bytes = existsSync(path) ? new Uint8Array(readFileSync(path)) : new Uint8Array(0)
    const header = readFileHeader(bytes)
    if (header === undefined) return []
    const records = scanFrames(bytes, header.salt).records.map((bytes) => decodeJournalRecord(bytes, this.#readBlock))
    for (const record of records) {
      if (record.type === 'vote') this.#take(record.vote)
      else if (record.type === 'certificate') this.#takeCertificate(record.certificate)
    }
    return records.flatMap((record) => (record.type === 'vote' ? [record.vote] : []))
  }

  #hear(from: Address, message: ConsensusMessage): void {
    this.messages++
    if (message.type === 'vote') this.#hearVote(from, message.vote)
    else if (message.type === 'certificate') this.#takeCertificate(message.certificate)
    else if (message.type === 'proposal') {
      this.#hearVote(from, message.vote)
      for (const certificate of message.justification) this.#takeCertificate(certificate)
    }
  }

  #hearVote(from: Address, vote: SignedVote): void {
    const heard = this.heard.get(from) ?? []
    this.heard.set(from, heard)
    if (from === vote.signer) heard.push(vote)
    if (heard.length > HEARD_MAX) heard.shift()
    this.#take(vote)
  }

  #takeCertificate(certificate: Certificate): void {
    for (const vote of votesOf(this.#set, certificate)) this.#take(vote)
  }

  #take(vote: SignedVote): void {
    const key = `${vote.signer} epoch ${vote.epoch} view ${vote.view}`
    const known = this.#seen.get(key) ?? []
    if (known.some(({ kind, block }) => kind === vote.kind && block === vote.block)) return
    // Nobody can be blamed for what another one signed.
    if (this.#recover(vote, vote.signature) !== vote.signer) return
    const other = known.find((one) => conflicts(one, vote))
    if (other !== undefined) {
      this.conflicts.push(`${key}: ${other.kind} ${other.block} and ${vote.kind} ${vote.block}`)
    }
    this.#seen.set(key, [...known, vote])
    this.votes++
  }
}
