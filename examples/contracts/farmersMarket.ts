/**
 * Contract `provenance`: tea on its way from a farm to a shop. Farm, inspection and shop add their steps; a blend is made
 * from the batch; a recall of the batch shows on the blend.
 */
import { pathToFileURL } from 'node:url'
import { batchHistory, contracts, type Hash, textId, transact } from '../../src/index.js'
import { type Desk, onNetwork } from './network.js'

const { provenance } = contracts
const NO_DATA = `0x${'00'.repeat(32)}` as Hash

export async function farmersMarket(desk: Desk, say: (line: string) => void): Promise<void> {
  const farm = await desk.enterprise('Green Slope Farm', 'green-slope-farm')
  const shop = await desk.enterprise('Corner Tea Shop', 'corner-tea-shop')
  const inspection = await desk.member('market-regulation')
  const batchId = textId('tea-2026-07')
  const opening = { batchId, product: 'Tea, first flush', inputs: [], dataHash: NO_DATA }
  await transact(farm, provenance, 'openBatch', opening)
  const step = (kind: string, note: string) => ({ batchId, kind: textId(kind), dataHash: NO_DATA, note })
  await transact(farm, provenance, 'addStep', step('harvested', 'slope 3, by hand'))
  const participant = inspection.sender.address
  await transact(farm, provenance, 'setParticipant', { batchId, participant, allowed: true })
  await transact(inspection, provenance, 'addStep', step('inspected', 'no residue found'))
  await transact(farm, provenance, 'handOver', { batchId, to: shop.sender.address })
  await transact(shop, provenance, 'takeOver', { batchId })
  await transact(shop, provenance, 'addStep', step('delivered', '12 boxes'))

  const blend = textId('house-blend-19')
  await transact(shop, provenance, 'openBatch', {
    ...opening,
    batchId: blend,
    product: 'House blend',
    inputs: [batchId],
  })
  await transact(farm, provenance, 'recall', { batchId, reason: 'laboratory report 88' })

  const history = await batchHistory(shop.client, batchId)
  for (const { kind, by, note, block } of history.steps) say(`block ${block}: ${kind} by ${by} (${note})`)
  say(`now with ${history.custodian}; ${history.state}: ${history.reason}`)
  say(`the blend made from it is recalled because of ${(await batchHistory(shop.client, blend)).recalled}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await onNetwork(farmersMarket)
