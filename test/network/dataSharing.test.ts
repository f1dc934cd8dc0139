/** The paper's two protocols on real processes: an agent that is killed with -9 again and again neither loses nor doubles anything. */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/agent/connection.js'
import { dataSharing, members, view } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { declarationOf } from '../../src/cli/demo/declarations.js'
import { expectedAnswers, wrongAnswers } from '../../src/cli/demo/expectations.js'
import { loadDepartments } from '../../src/cli/demo/loadDepartments.js'
import { createOutput } from '../../src/cli/output.js'
import { ROLE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { fromHex, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { eventually, startLocalNetwork } from '../support/localNetwork.js'

const RECORDS = 60
const FINANCE = 1

t.test('submissions and questions while the finance agent is killed again and again', async (t) => {
  const net = await startLocalNetwork({
    agents: true,
    prepare: async (dir, network) => {
      const folder = (id: string) => join(dir, network.nodes.find((node) => node.department === id)!.name)
      await loadDepartments(folder, { records: RECORDS }, createOutput(true, process.stderr))
    },
  })
  t.teardown(() => net.stop())
  const { nodes, accounts } = net.network
  const signedIn = (account: string, node: number) =>
    connect({ rpc: { url: nodes[node]!.rpc }, privateKey: fromHex(accounts[account]!.privateKey) })
  const operator = await signedIn('operator', 0)
  t.teardown(() => operator.close())
  const asking = await signedIn('government-service', 3)
  t.teardown(() => asking.close())
  const encryptionKeys = [await readKeyFile(join(net.dir, nodes[3]!.name, 'encryption.key'))]
  const requester = new Requester({ encryptionKeys, answerTimeoutMs: 60_000 }, asking)

  const companies = [...datasetCompanies({ records: RECORDS })].slice(0, 5)
  for (const [round, company] of companies.entries()) {
    const { truth } = company
    const privateKey = new Uint8Array(randomBytes(32))
    const member = {
      account: privateKeyToAddress(privateKey),
      role: ROLE.enterprise,
      id: textId(truth.unifiedSocialCreditCode),
      name: truth.companyName,
      encryptionKey: ZERO_HASH,
    }
    await operator.sender.final(await operator.sender.send(members, 'registerMember', { member }))
    const enterprise = await connect({ rpc: { url: nodes[0]!.rpc }, privateKey })
    t.teardown(() => enterprise.close())
    const { enterpriseId, values, ...rest } = parseDeclaration(utf8(declarationOf(truth, 'd.json')), 'd.json')
    const portraitKeyFile = join(net.dir, `${truth.unifiedSocialCreditCode}.json`)
    const proxy = new EnterpriseProxy(
      { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 60_000 },
      enterprise,
    )

    const submitted = proxy.submit({ enterpriseId, values, ...rest })
    // Killed somewhere between the block and its acknowledgement, at another point each time.
    const before = await view(asking.client, dataSharing, 'submissionCount', {})
    if (round % 2 === 0)
      await eventually(
        async () => (await view(asking.client, dataSharing, 'submissionCount', {})) > before,
        'StoreData',
      )
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    const report = await submitted
    t.same(
      report.parts.map((part) => part.status),
      ['accepted', 'accepted', 'accepted'],
      `round ${round}: all accepted`,
    )

    const asked = requester.verify({ enterpriseId, values })
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    t.same(wrongAnswers(await asked, expectedAnswers(company, truth, truth)), [], `round ${round}: all answers right`)
    const again = await requester.verify({ enterpriseId, values })
    t.equal(again.requestId, null, `round ${round}: then from the portrait`)
  }

  const logs = await asking.client.call('eth_getLogs', {
    address: dataSharing.address,
    fromBlock: '0x0',
    toBlock: 'latest',
  })
  const count = (name: 'DataAcknowledged' | 'Attested') => {
    const seen = new Map<string, number>()
    for (const log of logs.filter((log) => log.topics[0] === dataSharing.abi.topic(name))) {
      const key = `${log.topics.join()}${name === 'DataAcknowledged' ? log.data.slice(0, 66) : ''}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    return seen
  }
  t.equal(count('DataAcknowledged').size, 3 * companies.length, 'each part is acknowledged')
  t.equal(count('Attested').size, 17 * companies.length, 'each attribute is attested')
  t.ok(
    [...count('DataAcknowledged').values(), ...count('Attested').values()].every((times) => times === 1),
    'each once',
  )
})
