/** Child of chainStoreCrash.test.ts: commits blocks until it is killed and tells each height once it is on disk. */
import { ChainStore } from '../../src/state/chainStore.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { blockOn, genesisOf } from './chain.js'
import { editBlock } from './crashState.js'

const chain = await ChainStore.open({ dir: process.argv[2]!, history: { recentBlocks: 4 } })
await chain.init(genesisOf((overlay) => editBlock(overlay, 0)))
for (;;) {
  const head = chain.head()!
  const overlay = new StateOverlay(chain.state())
  editBlock(overlay, head.height + 1)
  await chain.commit(blockOn(head, overlay))
  process.send?.(head.height + 1)
}
