/** Who may ask a node for its records: the whole matrix, against the real contracts and a real read log. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hashTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { AuditAnswer, AuditQuery } from '../../src/audit/auditQuery.js'
import {
  AUDIT_QUERY_TYPES,
  type Authorization,
  auditDomain,
  authorizationDigest,
  authorizationSigner,
  queryHash,
} from '../../src/audit/authorization.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { ROLE } from '../../src/contracts/codes.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, type Hash, toHash, toHex, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import type { RightsNeeds } from '../../src/node/auditRights.js'
import { AUTHORIZATION_SECONDS_MAX, AuditService } from '../../src/node/auditService.js'
import { ReadLog } from '../../src/node/readLog.js'
import { PortraitReads } from '../../src/node/readObserver.js'
import type { RpcError } from '../../src/rpc/errors.js'
import { Line } from '../../src/rpc/line.js'
import { callContract } from '../../src/vm/call.js'
import { account, CHAIN_ID, genesisConfig, INTERFACES, MARKET, World } from '../contracts/world.js'

const keyOf = (n: number) => new Uint8Array(32).fill(n)
const KEYS = { auditor: keyOf(1), enterprise: keyOf(2), department: keyOf(3), stranger: keyOf(4) }
const ADDRESS = Object.fromEntries(
  Object.entries(KEYS).map(([name, key]) => [name, privateKeyToAddress(key)]),
) as Record<keyof typeof KEYS, Address>
const REGULATOR = account(0x51)
const NODE = account(0x61)
const NOW_S = 1_800_000_000
const ENTERPRISE = '91440300708461136T'
const OTHER = '914403001922038216'
const EVERYTHING = { enterprises: [], departments: [], attributes: [], purposes: [], fromTime: 0n, toTime: 0n }

function world(): World {
  const plain = genesisConfig()
  const member = (address: Address, role: number, id: string) => ({ address, role, name: id, id })
  const kept = plain.members.filter(({ id }) => id !== ENTERPRISE)
  const added = [
    member(REGULATOR, ROLE.regulator, 'regulator'),
    member(ADDRESS.auditor, ROLE.auditor, 'auditor'),
    member(ADDRESS.enterprise, ROLE.enterprise, ENTERPRISE),
    member(ADDRESS.department, ROLE.department, 'labour'),
  ]
  return new World({ ...plain, members: [...kept, ...added] })
}

function serve(w: World, dir: string, fatal = (error: unknown) => void t.fail(String(error))) {
  const options = { dir, fileBytesMax: 100_000, totalBytesMax: 1_000_000, flushMs: 1, queueMax: 100 }
  const log = ReadLog.open(options, { fatal, warn: () => {} })
  const reads = new PortraitReads({ log, height: () => w.number, now: () => NOW_S * 1_000 })
  const calls = {
    view(contract: Address, abi: typeof INTERFACES.audit, name: never, args: never) {
      const request = { from: ZERO_ADDRESS, to: contract, data: abi.encodeCall(name, args), value: 0n, gas: undefined }
      const outcome = callContract(w.state, w.block, request, systemContracts)
      return outcome.ok ? abi.decodeResult(name, outcome.returnData) : undefined
    },
  } as unknown as RightsNeeds['calls']
  const source = () => ({
    logs: async () => [],
    isTooWide: () => false,
    transactions: async () => new Map(),
    times: async () => new Map(),
    view: async () => undefined,
  })
  const service = new AuditService({
    chainId: Number(CHAIN_ID),
    self: NODE,
    head: () => w.number,
    state: () => w.state,
    calls,
    timeOf: (height) => w.genesis.timestamp + height,
    source,
    log,
    reads,
    nowS: () => NOW_S,
  })
  return { service, log, reads }
}

let nonces = 0
const nonce = (): Hash => toHash(new Uint8Array(32).fill(++nonces))
const terms = (changes: Partial<Authorization> = {}) => {
  return { chainId: Number(CHAIN_ID), node: NODE, expires: NOW_S + 60, nonce: nonce(), ...changes }
}

type Changes = Partial<Omit<Authorization, 'signature'>>
async function ask(service: AuditService, key: Uint8Array, query: AuditQuery, changes: Changes = {}, signed = query) {
  const signedTerms = terms(changes)
  const signature = toHex(secp256k1.sign(authorizationDigest(queryHash(signed), signedTerms), key))
  const authorization = { ...signedTerms, signature }
  const context = { deadlineMs: performance.now() + 5_000, remote: '10.0.0.9', line: new Line() }
  return service.trail(query, authorization, context)
}
const reason = (asked: Promise<AuditAnswer>): Promise<string> =>
  asked.then(
    () => 'answered',
    (error: RpcError) => (error.data as { reason: string }).reason,
  )

t.test('an authorization is what wallets sign (EIP-712)', async (t) => {
  const hash = queryHash({ toBlock: 3, fromBlock: 0 })
  t.equal(hash, queryHash({ fromBlock: 0, toBlock: 3, enterprise: undefined }), 'the order of keys is no matter')
  const { nonce, ...rest } = terms()
  const message = { queryHash: hash, node: rest.node, expires: BigInt(rest.expires), nonce }
  const typed = {
    domain: auditDomain(rest.chainId),
    types: AUDIT_QUERY_TYPES,
    primaryType: 'AuditQuery',
    message,
  } as const
  const wallet = privateKeyToAccount(toHex(KEYS.auditor))
  const signature = await wallet.signTypedData(typed)
  t.equal(hashTypedData(typed).length, 66)
  t.equal(authorizationSigner(hash, { ...rest, nonce, signature }), ADDRESS.auditor)
})

t.test(
  'holders of a mandate within its scope; enterprises and departments about themselves; nobody else',
  async (t) => {
    const w = world()
    w.number = 5
    const { service, log, reads } = serve(w, t.testdir())
    const all = { fromBlock: 0, toBlock: 5 }
    const about = (enterprise: string) => ({ ...all, enterprise })
    t.equal(await reason(ask(service, KEYS.auditor, all)), 'NO_MANDATE')
    const grant = (scope: object, expiryHeight = 5n) =>
      w.must('audit', REGULATOR, 'grantMandate', {
        grantee: ADDRESS.auditor,
        scope: { ...EVERYTHING, ...scope },
        expiryHeight,
        expiryTime: 0n,
        reason: 'file 1',
      })
    grant({ enterprises: [textId(ENTERPRISE)] })
    t.equal(await reason(ask(service, KEYS.auditor, about(ENTERPRISE))), 'answered')
    t.equal(await reason(ask(service, KEYS.auditor, all)), 'OUT_OF_SCOPE', 'everything is more than one enterprise')
    t.equal(await reason(ask(service, KEYS.auditor, about(OTHER))), 'OUT_OF_SCOPE')
    const time = (height: number) => BigInt(w.genesis.timestamp + height)
    grant({ attributes: [textId('employees')], departments: [MARKET], fromTime: time(2), toTime: time(4) })
    const narrow = { fromBlock: 2, toBlock: 4, attribute: 'employees', department: MARKET }
    t.equal(await reason(ask(service, KEYS.auditor, narrow)), 'answered')
    t.equal(await reason(ask(service, KEYS.auditor, { ...narrow, fromBlock: 1 })), 'OUT_OF_SCOPE')
    t.equal(await reason(ask(service, KEYS.auditor, { ...narrow, toBlock: 5 })), 'OUT_OF_SCOPE')
    t.equal(await reason(ask(service, KEYS.auditor, { ...narrow, attribute: 'bankAccount' })), 'OUT_OF_SCOPE')

    t.equal(await reason(ask(service, KEYS.enterprise, about(ENTERPRISE))), 'answered')
    t.equal(await reason(ask(service, KEYS.enterprise, about(OTHER))), 'NOT_ABOUT_YOURSELF')
    t.equal(await reason(ask(service, KEYS.enterprise, all)), 'NOT_ABOUT_YOURSELF')
    t.equal(await reason(ask(service, KEYS.department, { ...all, department: ADDRESS.department })), 'answered')
    t.equal(await reason(ask(service, KEYS.department, { ...all, department: MARKET })), 'NOT_ABOUT_YOURSELF')
    t.equal(await reason(ask(service, KEYS.stranger, about(ENTERPRISE))), 'NOT_A_MEMBER')

    const data = INTERFACES.dataSharing.encodeCall('GetUserProfile', { enterpriseId: textId(ENTERPRISE) })
    reads.note({ from: MARKET, to: CONTRACT_ADDRESSES.dataSharing, data, value: 0n, gas: undefined }, '127.0.0.1')
    await log.flush()
    const { entries, next } = await ask(service, KEYS.enterprise, about(ENTERPRISE))
    t.equal(next, null)
    t.ok(entries.every(({ kind, enterprise }) => kind === 'read' && enterprise === ENTERPRISE))
    const read = entries.find(({ event }) => event === 'GetUserProfile')
    t.match(read, { who: MARKET, outcome: 'from loopback', block: 5 })
    t.ok(
      entries.some(({ who, outcome }) => who === ADDRESS.auditor && outcome?.startsWith('mandate 1, from 10.0.0.9')),
      'the auditor has been seen as well',
    )
    w.number = 6
    t.equal(await reason(ask(service, KEYS.auditor, about(ENTERPRISE))), 'NO_MANDATE', 'the block after its expiry')
    await log.close()
  },
)

t.test('an authorization counts once, at one node of one chain, for one query, for a while', async (t) => {
  const w = world()
  w.number = 5
  const { service, log } = serve(w, t.testdir())
  const query = { fromBlock: 0, toBlock: 5, enterprise: ENTERPRISE }
  const asked = (changes: Changes, signed = query) => reason(ask(service, KEYS.enterprise, query, changes, signed))
  const once = nonce()
  t.equal(await asked({ nonce: once }), 'answered')
  t.equal(await asked({ nonce: once }), 'NONCE_USED')
  t.equal(await asked({ chainId: 1 }), 'WRONG_CHAIN')
  t.equal(await asked({ node: MARKET }), 'WRONG_NODE')
  t.equal(await asked({ expires: NOW_S }), 'answered')
  t.equal(await asked({ expires: NOW_S - 1 }), 'EXPIRED')
  t.equal(await asked({ expires: NOW_S + AUTHORIZATION_SECONDS_MAX }), 'answered')
  t.equal(await asked({ expires: NOW_S + AUTHORIZATION_SECONDS_MAX + 1 }), 'EXPIRES_TOO_LATE')
  t.equal(await asked({}, { ...query, toBlock: 4 }), 'NOT_A_MEMBER', 'signed for another query')
  const context = { deadlineMs: performance.now() + 5_000, remote: '', line: new Line() }
  t.equal(
    await reason(service.trail({ ...query, toBlock: 6 }, { ...terms(), signature: `0x${'11'.repeat(65)}` }, context)),
    'MALFORMED',
  )
  t.equal(await reason(service.trail(query, {}, context)), 'MALFORMED')
  t.equal(await reason(service.trail({ ...query, more: 1 }, {}, context)), 'MALFORMED')
  await log.close()
})

t.test('a query that cannot be put on record is not answered', async (t) => {
  const w = world()
  w.number = 5
  const dir = t.testdir({ reads: {} })
  const { service } = serve(w, join(dir, 'reads'), () => {})
  rmSync(join(dir, 'reads'), { recursive: true })
  t.equal(await reason(ask(service, KEYS.enterprise, { fromBlock: 0, toBlock: 5, enterprise: ENTERPRISE })), 'BUSY')
})
