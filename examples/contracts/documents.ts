/**
 * Contract `evidence`: an audit office and the audited enterprise vouch for one report; later a copy is checked, one byte is
 * changed, and the report is replaced by a corrected one.
 */
import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { contracts, type Hash, textId, transact } from '../../src/index.js'
import { type Desk, onNetwork } from './network.js'

const { evidence, view } = contracts
const hashOf = (text: string) => `0x${createHash('sha256').update(text).digest('hex')}` as Hash

export async function documents(desk: Desk, say: (line: string) => void): Promise<void> {
  const auditor = await desk.member('finance')
  const enterprise = await desk.enterprise('Cedar Instruments', 'cedar-instruments')
  const report = 'Audit report 2025\nNet profit: 1,204,000.00\n'
  const documentHash = hashOf(report)
  const anchor = { documentHash, kind: textId('audit-report'), note: 'FY 2025' }
  await transact(auditor, evidence, 'anchor', anchor)
  const { block } = await transact(enterprise, evidence, 'anchor', { ...anchor, note: 'accepted by the board' })
  say(`anchored by two members, final in block ${block}`)

  const check = async (text: string) => {
    const anchors = await view(auditor.client, evidence, 'anchorsOf', { documentHash: hashOf(text) })
    return anchors.filter(({ withdrawn }) => !withdrawn).length
  }
  say(`a true copy: ${await check(report)} members vouch for it`)
  say(`one digit changed: ${await check(report.replace('1,204', '1,304'))} members vouch for it`)

  const corrected = hashOf(`${report}Correction: note 7\n`)
  await transact(auditor, evidence, 'withdraw', { documentHash, supersededBy: corrected })
  const [first] = await view(auditor.client, evidence, 'anchorsOf', { documentHash })
  say(
    `withdrawn by the auditor: ${first!.withdrawn}, in its place ${first!.supersededBy === corrected ? 'the correction' : '?'}`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await onNetwork(documents)
