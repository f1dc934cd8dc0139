/** What a node tells Prometheus. Gauges are read when asked; nothing is computed for them in between. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Engine } from '../consensus/engine.js'
import type { Block } from '../core/block.js'
import type { RecoveredTransaction } from '../crypto/transaction.js'
import { recoverCount } from '../crypto/transaction.js'
import type { Network } from '../p2p/network.js'
import type { MetricsText } from '../rpc/server.js'
import type { ChainStore } from '../state/chainStore.js'
import type { Delivery } from './delivery/delivery.js'
import type { FinalChain } from './finalChain.js'
import type { ConsensusLoop } from './loop.js'
import type { Mempool } from './mempool.js'

export interface NodeMetrics {
  finalBlock(block: Block<RecoveredTransaction>): void
  evidence(): void
  /** RPC let somebody not in: MISSING, or what was wrong with the token. */
  rpcRefused(reason: string): void
  read(): Promise<MetricsText>
}

export interface MetricsNeeds {
  /** The node's name, a label of everything. */
  readonly name: string
  readonly engine: Engine
  readonly pool: Mempool
  readonly chain: FinalChain
  readonly store: Pick<ChainStore, 'oldestState' | 'oldestBlock' | 'fetchedBlock'>
  readonly network: Network
  readonly loop: ConsensusLoop
  readonly delivery: Pick<Delivery, 'counts'>
}

export function createMetrics(needs: MetricsNeeds): NodeMetrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  registry.setDefaultLabels({ node: needs.name })
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `concordat_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  const counter = (name: string, help: string) => new Counter({ name: `concordat_${name}_total`, help, registers })
  gauge('final_height', 'height of the last final block', () => needs.chain.head().height)
  gauge('oldest_state', 'first block whose state can be read', () => needs.store.oldestState())
  gauge('oldest_block', 'first block above genesis that is kept whole', () => needs.store.oldestBlock())
  gauge(
    'history_checked',
    'blocks below the snapshot that were fetched and checked, from block 1 on; 0 when it is whole',
    () => {
      return needs.store.fetchedBlock() ?? 0
    },
  )
  gauge('view', 'current view of consensus', () => needs.engine.describe().view)
  gauge('final_view', 'view of the last final block', () => needs.engine.describe().finalView)
  gauge('halted', '1 when this node does not vote any more', () => (needs.engine.describe().halted === 'no' ? 0 : 1))
  gauge('peers_connected', 'connected peers', () => needs.network.peers().filter((peer) => peer.connected).length)
  gauge('mempool_transactions', 'transactions that wait for a block', () => needs.pool.size)
  gauge('mempool_bytes', 'their size in bytes', () => needs.pool.bytes)
  gauge('consensus_backlog', 'inputs that wait for the consensus loop', () => needs.loop.backlog)
  gauge('commits_pending', 'final blocks on their way to the disk', () => needs.chain.pending)
  gauge('envelopes_stored', 'envelopes on the disk of this node', () => needs.delivery.counts().stored)
  gauge('envelopes_bytes', 'their size in bytes', () => needs.delivery.counts().bytes)
  gauge('envelope_deliveries_waiting', 'deliveries that no node of the recipient has acknowledged', () => {
    return needs.delivery.counts().waiting
  })
  gauge('envelope_erasures_owed', 'erasures done here and not confirmed on chain', () => needs.delivery.counts().owed)
  gauge('sender_recoveries', 'senders recovered from transaction signatures', recoverCount)
  const blocks = counter('final_blocks', 'blocks made final since the start')
  const transactions = counter('final_transactions', 'transactions made final since the start')
  const evidence = counter('evidence', 'conflicting votes seen')
  const refused = new Counter({
    name: 'concordat_rpc_refused_total',
    help: 'RPC clients that were not let in',
    labelNames: ['reason'],
    registers,
  })
  return {
    finalBlock(block) {
      blocks.inc()
      transactions.inc(block.transactions.length)
    },
    evidence: () => evidence.inc(),
    rpcRefused: (reason) => refused.inc({ reason }),
    read: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}
