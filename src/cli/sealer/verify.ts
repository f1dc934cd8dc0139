/** `concordat sealer verify`: a node's whole chain of headers, proved from the genesis file alone; the node is trusted with nothing. */
import { scheduleNamed } from '../../consensus/extensions.js'
import { consensusConfigOf } from '../../contracts/genesisDefaults.js'
import { sealerSetOf } from '../../contracts/sealers.js'
import { asHeight, asView, fromHex, type Hex } from '../../core/bytes.js'
import { decodeHeader } from '../../core/header.js'
import { loadExtensions } from '../../node/extensionFiles.js'
import { buildGenesis } from '../../node/genesis.js'
import { loadGenesis } from '../../node/genesisFile.js'
import { type ChainPoint, followHeader } from '../../node/headerChain.js'
import { sealedHeaderReader } from '../../node/sealedBlock.js'
import { voteRecoverer } from '../../node/votes.js'
import type { RpcClient } from '../../rpc/client.js'
import { certificateOf } from '../chain/rpcSource.js'
import { CommandError } from '../errors.js'

export interface VerifyPlan {
  /** Genesis file. */
  readonly genesis: string
  /** Modules with the schedule that genesis names, where it is not a built-in one. */
  readonly extensions: readonly string[]
  /** Called with each point that a certificate proves. */
  readonly onProgress?: (point: ChainPoint) => void
}

/**
 * Reads headers and certificates of all final blocks from `client` and verifies them. Returns the last certified point. Throws
 * HeaderChainError, CodecError or CommandError at the first that does not hold.
 */
export async function verifyChain(client: RpcClient, plan: VerifyPlan): Promise<ChainPoint> {
  const genesis = loadGenesis(plan.genesis)
  const { hash, overlay } = buildGenesis(genesis)
  const extensions = await loadExtensions(plan.extensions)
  const schedule = scheduleNamed(extensions, consensusConfigOf(genesis).leaderSchedule)
  const rules = { schedule, recoverVote: voteRecoverer({ chainId: genesis.chainId, genesisHash: hash }) }
  const readHeader = sealedHeaderReader(genesis.chainId)
  const last = Number(await client.call('eth_blockNumber'))
  let point: ChainPoint = { hash, height: asHeight(0), view: asView(0), set: sealerSetOf(overlay) }
  let proved = point
  for (let height = 1; height <= last; height++) {
    const at = `0x${height.toString(16)}` as Hex
    const [raw, found] = await Promise.all([
      client.call('debug_getRawHeader', at),
      client.call('concordat_getFinalityCertificate', at),
    ])
    const own = found !== null && Number(found.blockNumber) === height
    point = followHeader(
      point,
      readHeader(decodeHeader(fromHex(raw))),
      own ? certificateOf(found, sealersOf(point)) : null,
      rules,
    )
    if (!own) continue
    proved = point
    plan.onProgress?.(point)
  }
  if (proved.height === last) return proved
  throw new CommandError(
    `the node has no certificate for block ${last}; proved is the chain up to block ${proved.height}`,
  )
}

const sealersOf = ({ set }: ChainPoint) => set.sealers.map(({ address }) => address)
