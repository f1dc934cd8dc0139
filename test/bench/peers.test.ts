/** The Solidity contracts as they were compiled, their genesis, what the kernel says of processes, the section. */

import { join } from 'node:path'
import t from 'tap'
import { toEventSelector, toFunctionSelector } from 'viem'
import type { Measurement, Row } from '../../bench/harness/row.js'
import { CONTRACTS, readArtifact, SETTINGS, sourceHash } from '../../bench/peers/artifact.js'
import { cliqueGenesis } from '../../bench/peers/cliqueGenesis.js'
import { versionOf } from '../../bench/peers/geth.js'
import { cpuTicks, processUsage } from '../../bench/peers/processUsage.js'
import { peersSection } from '../../bench/peers/section.js'
import { concordat, gethClique } from '../../bench/peers/side.js'
import { makeSection } from '../../bench/report/section.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { replacedKey } from '../../src/agent/replacedKey.js'
import { Requester } from '../../src/agent/requester.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import type { Hex } from '../../src/core/bytes.js'
import { World as AgentsWorld, declarationOf } from '../agent/support/world.js'
import { genesisConfig, INTERFACES, SEALER } from '../contracts/world.js'

/** What the workload does not use. */
const LEFT_OUT: Record<string, readonly string[]> = {
  members: [
    'AccountKeyRotated',
    'AlreadyApproved',
    'AlreadyDeclined',
    'ApprovalWithdrawn',
    'DecisionApproved',
    'DecisionClosed',
    'DecisionDeclined',
    'DecisionPending',
    'DecisionProposed',
    'GraceTooLong',
    'GuardiansSet',
    'InvalidAdmission',
    'InvalidGuardian',
    'InvalidKind',
    'InvalidProof',
    'InvalidThreshold',
    'LastApprover',
    'MemberStatusReason',
    'NoDecision',
    'NoRecovery',
    'NotAccountKey',
    'NotApproved',
    'NotApprover',
    'NotGuardian',
    'ReasonTooLong',
    'RecoveryApproved',
    'RecoveryApprovedBefore',
    'RecoveryFinished',
    'RecoveryReady',
    'RecoveryStarted',
    'RecoveryStopped',
    'RecoveryTooEarly',
    'SignerAdded',
    'SignerRemoved',
    'SignerTaken',
    'TooFewGuardians',
    'TooManyDecisions',
    'TooManyGuardians',
    'TooManySigners',
    'UnknownSigner',
    'addSigner',
    'admissionOf',
    'approveMember',
    'approveRecovery',
    'changeStatus',
    'declineDecision',
    'encryptionGraceUntil',
    'finishRecovery',
    'guardiansOf',
    'parameters',
    'pendingDecisions',
    'recoveryOf',
    'removeSigner',
    'replaceEncryptionKey',
    'rotateAccountKey',
    'setGuardians',
    'signerAt',
    'signersOf',
    'startRecovery',
    'statusAt',
    'statusHistory',
    'stopRecovery',
    'withdrawDecision',
  ],
  dataSharing: [
    'AlreadyContested',
    'AlreadyDecided',
    'AnswerVoid',
    'AnswersMissing',
    'BasisUsed',
    'DeadlineNotPassed',
    'EnvelopeInClear',
    'EnvelopeKnown',
    'InvalidReference',
    'MixedDelivery',
    'NotContestable',
    'NotEligibility',
    'NothingUnanswered',
    'ObjectionClosed',
    'ObjectionDecided',
    'ObjectionRaised',
    'ObjectionVoted',
    'PortraitUsed',
    'ReferenceNotWanted',
    'UnknownObjection',
    'acknowledgedBy',
    'closeRequest',
    'consentOfRequest',
    'contest',
    'decideObjection',
    'objectionAgainst',
    'objectionCount',
    'objectionOf',
    'objectionsFrom',
    'portraitHeld',
    'usePortrait',
    'usePortraitFor',
  ],
  dataPortrait: [
    'AlreadyApproved',
    'AlreadyRefused',
    'AlreadyScheduled',
    'ChangeApproved',
    'ChangeClosed',
    'ChangeNotOpen',
    'ChangeProposed',
    'ChangeRefused',
    'ChangeScheduled',
    'DataProfileSet',
    'DuplicateChange',
    'EncryptionKeyMismatch',
    'EncryptionKeyMissing',
    'InvalidAttribute',
    'InvalidHeight',
    'InvalidParameter',
    'InvalidRule',
    'InvalidSchema',
    'InvalidSupervisors',
    'InvalidTerms',
    'NotActiveDepartment',
    'NotProposer',
    'NotSupervisor',
    'NothingChanges',
    'SchemaVersionTooLow',
    'SetDataProfile',
    'TextTooLong',
    'TooManyAttributes',
    'TooManyChangesOfAttribute',
    'TooManyOpenChanges',
    'UnknownChange',
    'UnknownVersion',
    'approveChange',
    'changeOf',
    'detailsOf',
    'openChanges',
    'parameters',
    'profileAt',
    'proposeChange',
    'refuseChange',
    'termsOf',
    'versionCount',
    'versionOf',
    'withdrawChange',
  ],
  keyAgreement: [
    'AgreementAborted',
    'AgreementEnded',
    'AgreementRound',
    'AgreementRunning',
    'AlreadyPosted',
    'ContributionPosted',
    'ContributionRefused',
    'DeadlineNotPassed',
    'EncryptionKeyMissing',
    'GroupKeyAgreed',
    'GroupKeyNotAgreed',
    'KeyAgreement',
    'NoDepartments',
    'NotActiveDepartment',
    'NotGroupMember',
    'NotInPhase',
    'NotJoint',
    'NotTheExponent',
    'RoundBlocksOutOfRange',
    'TooEarly',
    'UnknownAttribute',
    'UnknownGroup',
    'UnknownIndex',
    'abortAgreement',
    'attemptOf',
    'confirmKey',
    'groupAt',
    'groupCount',
    'groupId',
    'groupKeyAt',
    'groupOf',
    'postLink',
    'postShare',
    'proveKey',
    'startAgreement',
  ],
}

t.test('the artifact was compiled from these sources with these settings', async (t) => {
  const { compiler, settings, sourceHash: hash, contracts } = readArtifact()
  t.equal(hash, sourceHash(), 'recompile, see bench/peers/README.md')
  t.same(settings, SETTINGS)
  t.match(compiler, /^0\.8\.24\+/)
  for (const { code } of Object.values(contracts)) {
    t.ok(code.length / 2 - 1 <= 24_576, 'no larger than a contract may be (EIP-170)')
  }
})

for (const name of Object.keys(CONTRACTS) as (keyof typeof CONTRACTS)[]) {
  t.test(`${name} has the ABI of the native contract`, async (t) => {
    const theirs = readArtifact().contracts[name].abi
    const missing = new Set<string>()
    for (const item of INTERFACES[name].json) {
      if (!('name' in item) || item.name === undefined) continue
      const same = theirs.find((other) => 'name' in other && other.name === item.name && other.type === item.type)
      if (same === undefined) missing.add(item.name)
      else if (item.type === 'event' && same.type === 'event') {
        t.equal(toEventSelector(same), toEventSelector(item), item.name)
        t.same(
          same.inputs.map(({ indexed }) => indexed),
          item.inputs.map(({ indexed }) => indexed ?? false),
          `${item.name}: indexed`,
        )
      } else if (item.type === 'function' && same.type === 'function') {
        t.equal(toFunctionSelector(same), toFunctionSelector(item), item.name)
        t.same(typesOf(same.outputs), typesOf(item.outputs), `${item.name}: outputs`)
        t.equal(same.stateMutability, item.stateMutability)
      } else if (item.type === 'error' && same.type === 'error')
        t.same(typesOf(same.inputs), typesOf(item.inputs), item.name)
    }
    t.same([...missing].sort(), [...LEFT_OUT[name]!].sort(), 'nothing else is left out')
  })
}

t.test('whatever agents, proxy and requester call is there', async (t) => {
  const company = datasetSamples({ records: 20 }).complete
  const world = new AgentsWorld({ companies: [company] })
  const called = new Set<string>()
  world.chain.fault = (method, params) => {
    if (method !== 'eth_call') return
    const { to, data } = params[0] as { to: Hex; data: Hex }
    called.add(`${to} ${data.slice(0, 10)}`)
  }
  const services = await world.serveAll()
  const enterprise = world.enterprises.get(company)!
  const connection = world.connect(enterprise)
  await replacedKey(connection.client, enterprise.address)
  const portraitKeyFile = join(t.testdir(), 'keys.json')
  await new EnterpriseProxy({ portraitKeys: portraitKeysIn(portraitKeyFile) }, connection).submit(
    declarationOf(company),
  )
  const { enterpriseId, values } = declarationOf(company)
  const encryptionKeys = [world.asker.encryption.privateKey]
  await new Requester({ encryptionKeys }, world.connect(world.asker)).verify({ enterpriseId, values })
  await Promise.all(services.map((service) => service.stop()))
  world.close()
  const { contracts } = readArtifact()
  const there = Object.entries(contracts).flatMap(([name, { abi }]) => {
    const address = CONTRACT_ADDRESSES[name as keyof typeof contracts]
    return abi.flatMap((item) => (item.type === 'function' ? [`${address} ${toFunctionSelector(item)}`] : []))
  })
  t.ok(called.size > 10)
  t.same(
    [...called].filter((call) => !there.includes(call)),
    [],
  )
})

interface Parameter {
  readonly type: string
  readonly name?: string
  readonly components?: readonly Parameter[]
}

/** Names and types, without what Solidity calls its structs. */
function typesOf(parameters: readonly Parameter[]): unknown {
  return parameters.map(({ name, type, components }) => [
    name ?? '',
    type,
    ...(components === undefined ? [] : [typesOf(components)]),
  ])
}

t.test('the genesis block of Clique', async (t) => {
  const genesis = genesisConfig()
  const { config, extraData, alloc } = cliqueGenesis({ genesis, periodSeconds: 3, fund: [SEALER] }, readArtifact())
  const sealers = genesis.sealers.map(({ address }) => address.slice(2)).sort()
  t.equal(extraData.slice(66), `${sealers.join('')}${'00'.repeat(65)}`, 'sealers in ascending order')
  t.same(config, { ...config, chainId: genesis.chainId, clique: { period: 3, epoch: 30_000 } })
  const accounts = alloc as Record<string, { code?: string; storage?: Record<string, string>; balance: string }>
  t.ok(BigInt(accounts[SEALER]!.balance) > 0n)
  const members = accounts[CONTRACT_ADDRESSES.members]!
  t.equal(members.code, readArtifact().contracts.members.code)
  const accountsSlot = `0x${'2'.padStart(64, '0')}`
  t.equal(Number(members.storage![accountsSlot]), genesis.members.length, 'the length of the list of members')
})

t.test('the version of geth', async (t) => {
  t.equal(versionOf('Geth\nVersion: 1.13.15-stable\nArchitecture: amd64\n'), '1.13.15')
  t.equal(versionOf('something else'), undefined)
})

t.test('CPU time of a process', async (t) => {
  t.equal(cpuTicks(`7 (a (b) c) S 1 ${'0 '.repeat(9)}120 30 0 0 20`), 150)
  t.ok(processUsage(process.pid).residentBytes > 1_000_000)
})

const SYSTEMS = [concordat.name, gethClique.name]

/** One value for each thing that is measured of each system. */
function rows(): Row[] {
  const loop = { variant: 'submissions to 3 departments', axis: 'clients', x: 200 }
  const measurements: Omit<Measurement, 'system' | 'value'>[] = [
    ...['portrait empty', 'portrait full'].map((variant) => ({
      quantity: 'time of a query',
      variant,
      part: 'p50',
      unit: 'ms' as const,
    })),
    { quantity: 'unanswered queries', unit: 'count' },
    { quantity: 'standstills', unit: 'count' },
    { quantity: 'time to block', part: 'p50', unit: 'ms' },
    { quantity: 'time to final', part: 'p50', unit: 'ms' },
    { ...loop, quantity: 'throughput', unit: '1/s' },
    { ...loop, quantity: 'replaced blocks', unit: 'count' },
    { ...loop, quantity: 'CPU of a transaction on a node', unit: 'µs' },
    { ...loop, quantity: 'resident memory', unit: 'bytes' },
    { quantity: 'disk', unit: 'bytes' },
    { quantity: 'disk', part: 'journal', unit: 'bytes' },
    { quantity: 'transactions', unit: 'count' },
    { quantity: 'disk of a transaction', unit: 'bytes' },
  ]
  const repeats = [1, 2]
  return SYSTEMS.flatMap((system, i) =>
    measurements.flatMap((measurement, j) =>
      repeats.map((repeat) => ({ system, repeat, value: 10 * i + j + repeat, ...measurement })),
    ),
  ).map((row, index) => ({
    id: `peers-${index + 1}`,
    experiment: 'peers',
    variant: '',
    part: '',
    axis: '',
    x: null,
    ...row,
  }))
}

t.test('the section', async (t) => {
  const full = makeSection('peers', peersSection, rows(), [])!
  t.equal(full.findings.length, 9)
  t.same(
    full.charts.map(({ series }) => series.map(({ name }) => name)),
    Array(4).fill(SYSTEMS),
  )
  t.equal(full.tables[0]!.rows.length, 5)
  const interrupted = rows().filter(({ quantity }) => quantity === 'time of a query')
  const partly = makeSection('peers', peersSection, interrupted, [])!
  t.equal(partly.findings.length, 2, 'what was not measured is not told')
  t.equal(partly.charts.length, 1)
  const other = makeSection(
    'peers',
    peersSection,
    interrupted.filter(({ system }) => system === 'concordat'),
    [],
  )!
  t.equal(other.findings.length, 0, 'no sentence with one system only')
})
