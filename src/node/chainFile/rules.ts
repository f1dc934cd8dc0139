/** By which rules the blocks of a file are judged: what genesis says, and nothing else. */
import { type Extensions, scheduleNamed } from '../../consensus/extensions.js'
import { consensusConfigOf } from '../../contracts/genesisDefaults.js'
import type { GenesisConfig } from '../../contracts/genesisTypes.js'
import { sealerSetOf } from '../../contracts/sealers.js'
import { asHeight, asView, type Hash } from '../../core/bytes.js'
import type { Header } from '../../core/header.js'
import type { GenesisBlock } from '../../state/chainStore.js'
import { buildGenesis } from '../genesis.js'
import type { ChainPoint, HeaderRules, SealedHeader } from '../headerChain.js'
import { sealedHeaderReader } from '../sealedBlock.js'
import { voteRecoverer } from '../votes.js'

export interface ChainRules extends HeaderRules {
  readonly genesis: GenesisConfig
  readonly block0: GenesisBlock
  readonly genesisHash: Hash
  readonly start: ChainPoint
  /** Hashes a header and checks its seal. Throws CodedError. */
  readonly readHeader: (header: Header) => SealedHeader
}

/** Throws ExtensionError where genesis names a schedule that is not among `extensions`. */
export function chainRules(genesis: GenesisConfig, extensions: Extensions): ChainRules {
  const block0 = buildGenesis(genesis)
  const { hash: genesisHash } = block0
  const { chainId } = genesis
  return {
    genesis,
    block0,
    genesisHash,
    start: { hash: genesisHash, height: asHeight(0), view: asView(0), set: sealerSetOf(block0.overlay) },
    schedule: scheduleNamed(extensions, consensusConfigOf(genesis).leaderSchedule),
    recoverVote: voteRecoverer({ chainId, genesisHash }),
    readHeader: sealedHeaderReader(chainId),
  }
}
