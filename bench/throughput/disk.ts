/** How much a submission adds to the disk of a node. */
import { join } from 'node:path'
import { compactStore } from '../testbed/disk.js'
import type { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { FULL_SUBMISSION } from './shapes.js'
import { type Context, SIGNED_PER_SECOND_MAX } from './submissions.js'

/**
 * The first node's chain store, compacted, before and after full blocks of submissions. Its journal does not count: it does not
 * grow with the chain.
 */
export async function diskOfATransaction({ run, sizes }: Context, network: LoadedNetwork): Promise<void> {
  const { dir, network: file } = network.testbed
  const compactedBytes = () => network.whileStopped(() => compactStore(join(dir, file.nodes[0]!.dataDir)))
  const before = await compactedBytes()
  const { transactions } = await network.closed(
    FULL_SUBMISSION,
    sizes.saturatingClients,
    sizes.diskSeconds,
    SIGNED_PER_SECOND_MAX,
  )
  const grown = (await compactedBytes()) - before
  const series = { system: 'concordat', variant: 'saturated', axis: 'nodes', x: network.nodes }
  run.record({ ...series, quantity: 'disk of a transaction', unit: 'bytes', value: grown / transactions })
}
