/** Evidence of each kind, from a chain with two sealer sets, verified with the genesis hash alone. */
import t from 'tap'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { CAPITAL, ENTERPRISE, tell } from './chain.js'

t.test('one of each kind', async (t) => {
  const { chain, hashes } = await tell()
  const client = await chain.serve(t)
  const { genesisHash } = chain
  for (const query of [
    { kind: 'transaction', hash: hashes.question },
    { kind: 'portrait', enterprise: ENTERPRISE, attribute: CAPITAL },
    { kind: 'exchange', requestId: 1n },
  ] as const) {
    const { text, report } = await exportEvidence(client, query)
    t.same(await verifyEvidence(text, { genesisHash }), report)
    console.log(text.length, report.words)
  }
})
