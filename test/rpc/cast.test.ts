/** Foundry's `cast` itself against a node: every command that asks one. Skipped where the program is missing. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { keccak256 } from 'viem'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { fromHex, type Hex } from '../../src/core/bytes.js'
import { encryptKeystore } from '../../src/crypto/keystore.js'
import { issueToken } from '../../src/rpc/tokenIssuer.js'
import { secretKey } from '../../src/rpc/tokenKeys.js'
import { CHAIN_ID, ENTERPRISE_ID, word } from '../contracts/world.js'
import { castOf, followCast, withoutCast } from '../support/foundry.js'
import { startServer, until } from './harness.js'
import { addressOf, hexKeyOf, type Live, sharing, startLive } from './liveChain.js'

const { members, dataSharing } = CONTRACT_ADDRESSES
const ROTATE = ['rotateEncryptionKey(bytes32)', word('another key')] as const
const STORED = 'DataStored(uint256 indexed,bytes32 indexed,address indexed,uint32)'
const json = (text: string) => JSON.parse(text) as Record<string, unknown>
const lower = (text: string) => text.toLowerCase()

/** The result of a transaction which `sent` has put into the pool or will: sealed as soon as it is there. */
async function sealed({ chain }: Live, sent: Promise<string>): Promise<string> {
  let ended = false
  const end = () => {
    ended = true
  }
  sent.then(end, end)
  await until(() => ended || chain.view.poolCounts().pending > 0, 'a transaction of cast')
  if (!ended) await chain.seal()
  return sent
}

t.test('cast reads', { skip: withoutCast }, async (t) => {
  const live = await startLive(t)
  const hashes = await sharing(live.chain)
  const cast = castOf(t, live.url)
  const enterprise = addressOf('enterprise')
  const result = async (method: string, ...params: unknown[]) => (await live.rpc(method, params)).result as never

  await t.test('facts', async (t) => {
    t.equal(await cast('chain-id'), `${CHAIN_ID}`)
    t.equal(await cast('client'), 'concordat/v0.0.0-test/node')
    t.same([await cast('gas-price'), await cast('base-fee'), await cast('base-fee', '1')], ['0', '0', '0'])
    t.equal(await cast('rpc', 'net_version'), `"${CHAIN_ID}"`)
  })

  await t.test('blocks', async (t) => {
    const block: { hash: Hex; timestamp: Hex } = await result('eth_getBlockByNumber', 'latest', false)
    t.equal(await cast('block-number'), '3')
    for (const tag of ['latest', 'safe', 'finalized', 'pending'])
      t.equal(await cast('block', tag, '-f', 'hash'), block.hash)
    t.equal(
      keccak256((await cast('block', '3', '--raw')) as Hex),
      block.hash,
      'a header of bytes as Ethereum hashes them',
    )
    const whole = json(await cast('block', '3', '--full', '--json'))
    t.match(whole, { hash: block.hash, transactions: [{ hash: hashes.answer }, { hash: hashes.transfer }] })
    t.match(json(await cast('block', block.hash, '--json')), {
      number: '0x3',
      transactions: [hashes.answer, hashes.transfer],
    })
    t.match(await cast('block', '1', '--full'), hashes.submission, 'as text')
    t.equal(await cast('block', 'earliest', '-f', 'number'), '0')
    t.match(await cast('age', '3'), /^\w{3} \w{3} +\d+ [\d:]+ 20\d\d UTC$/)
    t.equal(await cast('find-block', `${Number(block.timestamp)}`), '3')
    t.equal(await cast('block-number', block.hash), '3')
    await t.rejects(cast('block', '4'), /block 0x4 not found/)
  })

  await t.test('state, and its proof', async (t) => {
    t.equal(await cast('balance', addressOf('operator')), '995')
    t.equal(await cast('balance', addressOf('operator'), '-B', '2'), '1000')
    t.equal(
      BigInt(await cast('nonce', enterprise)),
      BigInt(await result('eth_getTransactionCount', enterprise, 'latest')),
    )
    t.equal(await cast('nonce', addressOf('patents'), '-B', '2'), '1')
    const code: Hex = await result('eth_getCode', members, 'latest')
    t.equal(await cast('code', members), code)
    t.equal(await cast('codesize', members), `${fromHex(code).length}`)
    t.equal(await cast('codehash', members), keccak256(code))
    t.equal(await cast('storage', members, '2'), await result('eth_getStorageAt', members, '0x2', 'latest'))
    const proof = json(await cast('proof', members, '2'))
    t.match(proof, { address: members, codeHash: keccak256(code), storageProof: [{ key: /^0x0*2$/ }] })
    t.equal(await cast('storage-root', members), proof.storageHash)
    t.match(await cast('implementation', members), /^0x0{40}$/, 'no proxy')
    t.match(await cast('admin', members), /^0x0{40}$/)
  })

  await t.test('calls', async (t) => {
    t.equal(
      await cast('call', members, 'memberCount()(uint256)'),
      `${Number(await result('eth_call', { to: members, data: '0x11aee380' }, 'latest'))}`,
    )
    t.equal(await cast('call', members, 'memberCount()(uint256)', '--block', '1'), '6')
    t.equal(await cast('call', dataSharing, 'supportsInterface(bytes4)(bool)', '0x01ffc9a7'), 'true')
    const register = 'registerMember((address,uint8,bytes32,string,bytes32))'
    const arguments_ = `(${enterprise},3,${word('x')},x,${word('y')})`
    const refused = await cast('call', members, register, arguments_, '--from', enterprise).then(
      () => '',
      (error: Error) => error.message,
    )
    t.match(refused, /error code 3: execution reverted, data: "0x[0-9a-f]+"/)
    const [data] = /0x[0-9a-f]+/.exec(refused)!
    t.equal(lower(await cast('decode-error', '--sig', 'NotOperator(address)', data)), enterprise)
    await t.rejects(cast('call', members, 'nothing()'), /execution reverted: members has no function 0x/)
    await t.rejects(
      cast('call', members, 'memberCount()(uint256)', '--override-balance', `${enterprise}:1`),
      /overrides are not supported/,
    )
    const gas = Number(await cast('estimate', '--from', enterprise, members, ...ROTATE))
    t.ok(gas > 21_000)
    const list = json(await cast('access-list', '--from', enterprise, members, ...ROTATE, '--json'))
    t.match(list, { accessList: [{ address: members, storageKeys: [/^0x/] }] })
  })

  await t.test('transactions and receipts', async (t) => {
    t.match(json(await cast('tx', hashes.question, '--json')), {
      type: '0x1',
      from: addressOf('patents'),
      accessList: [{}],
    })
    t.equal(keccak256((await cast('tx', hashes.question, '--raw')) as Hex), hashes.question)
    t.match(json(await cast('tx', '--from', enterprise, '--nonce', '0', '--json')), { hash: hashes.submission })
    const receipt = json(await cast('receipt', hashes.answer, '--json'))
    t.match(receipt, { transactionHash: hashes.answer, status: '0x1', blockNumber: '0x3' })
    t.equal(await cast('receipt', hashes.refused, 'status'), 'false')
    await t.rejects(cast('receipt', '--async', word('none')), /tx not found/)
    await t.rejects(cast('tx', word('none')), /tx not found/)
  })

  await t.test('logs', async (t) => {
    const about = ['--address', dataSharing, '--from-block', '0', '--json'] as const
    const logs = (text: string) => JSON.parse(text) as { transactionHash: Hex; topics: Hex[] }[]
    const all = logs(await cast('logs', ...about))
    const stored = logs(await cast('logs', ...about, STORED))
    t.same([...new Set(stored.map((log) => log.transactionHash))], [hashes.submission])
    t.ok(all.length > stored.length)
    const ofOne = logs(await cast('logs', ...about, STORED, '', ENTERPRISE_ID, addressOf('market')))
    t.equal(ofOne.length, 1, 'by indexed arguments')
    t.same(logs(await cast('logs', ...about, stored[0]!.topics[0]!)), stored, 'by the topic itself')
    t.same(logs(await cast('logs', ...about, STORED, '', word('another'))), [])
  })

  await t.test('the pool', async (t) => {
    const { pending, queued } = json(await cast('tx-pool', 'status'))
    t.same([pending, queued], ['0x1', '0x1'])
    const operator = addressOf('operator')
    t.match(json(await cast('tx-pool', 'content')), { pending: { [operator]: {} }, queued: { [operator]: {} } })
    t.match(json(await cast('tx-pool', 'inspect')), { pending: { [operator]: {} } })
    t.match(json(await cast('tx-pool', 'content-from', '--from', operator)), { pending: {}, queued: {} })
  })

  await t.test('what wants an EVM is not there', async (t) => {
    await t.rejects(cast('trace', hashes.answer), /the method trace_transaction does not exist/)
    await t.rejects(cast('rpc', 'debug_traceTransaction', hashes.answer), /error code -32601/)
    await t.rejects(cast('run', hashes.answer), /EVM error|Transaction failed/, 'its own EVM finds no code')
  })
  t.same(live.defects, [])
})

t.test('cast sends', { skip: withoutCast }, async (t) => {
  const live = await startLive(t)
  const cast = castOf(t, live.url)
  const key = ['--private-key', hexKeyOf('enterprise')] as const
  const send = (...args: string[]) => sealed(live, cast('send', ...args, '--json'))
  t.equal(lower(await cast('wallet', 'address', ...key)), addressOf('enterprise'))

  const ways: [type: string, flags: string[]][] = [
    ['0x2', []],
    ['0x2', ['--gas-price', '1gwei', '--priority-gas-price', '1gwei']],
    ['0x0', ['--legacy']],
    ['0x1', ['--legacy', '--access-list']],
    ['0x2', ['--access-list']],
    ['0x2', ['--sync']],
    ['0x2', ['--rpc-url', live.wsUrl]],
  ]
  for (const [type, flags] of ways) {
    const receipt = json(await send(members, ...ROTATE, ...key, ...flags))
    t.match(
      receipt,
      { type, status: '0x1', effectiveGasPrice: '0x0', to: members, contractAddress: null },
      flags.join(' '),
    )
  }
  const raw = (await cast('mktx', members, ...ROTATE, ...key)) as Hex
  t.equal(json(JSON.parse(await cast('decode-transaction', raw)) as string).signer, addressOf('enterprise'))
  t.match(json(await sealed(live, cast('publish', raw))), { status: '0x1', transactionHash: keccak256(raw) })

  await t.test('what is refused says why', async (t) => {
    await t.rejects(
      send(members, ...ROTATE, ...key, '--nonce', '0'),
      /error code -32000: nonce too low: nonce 0, next 8/,
    )
    await t.rejects(cast('publish', raw), /nonce too low/)
    await t.rejects(send(members, ...ROTATE, ...key, '--gas-limit', '20000'), /intrinsic gas too low/)
    await t.rejects(send(addressOf('market'), '--value', '1', ...key), /insufficient funds for transfer/)
    await t.rejects(
      send(members, ...ROTATE, ...key, '--chain', '1'),
      /chainId does not match node's \(have=1, want=\d+\)/,
    )
    await t.rejects(send(...key, '--create', '0x6000'), /contract creation is not supported/)
    await t.rejects(send(members, ...ROTATE, ...key, '--auth', addressOf('market')), /transaction type not supported/)
  })

  await t.test('keystores, of either side', async (t) => {
    const cast = castOf(t, live.url)
    const file = join(t.testdirName, 'patents.json')
    const password = 'a long password'
    await writeFile(
      file,
      JSON.stringify(await encryptKeystore(fromHex(hexKeyOf('patents')), password, { scryptN: 2 ** 12 })),
    )
    const unlocked = ['--keystore', file, '--password', password] as const
    t.equal(lower(await cast('wallet', 'address', ...unlocked)), addressOf('patents'))
    const receipt = json(await send(members, ...ROTATE, ...unlocked))
    t.match(receipt, { status: '0x1', from: addressOf('patents') })
    await t.rejects(cast('wallet', 'address', '--keystore', file, '--password', 'another'), /Mac Mismatch/)
  })
  t.same(live.defects, [])
})

t.test('cast follows logs over a WebSocket', { skip: withoutCast }, async (t) => {
  const { chain, wsUrl, defects } = await startLive(t)
  const said = followCast(t, wsUrl, ['logs', '--subscribe', '--address', members])
  const sent: Hex[] = []
  const rotate = async () => {
    sent.push(chain.send('enterprise', 'members', 'rotateEncryptionKey', { encryptionKey: word(`key ${sent.length}`) }))
    await chain.seal()
  }
  const seen = () => [...said().matchAll(/transactionHash: (0x[0-9a-f]{64})/g)].map(([, hash]) => hash)
  await until(async () => {
    await rotate()
    return seen().length > 0
  }, 'a log')
  await rotate()
  await until(() => seen().includes(sent.at(-1)!), 'the last log')
  t.same(seen(), sent.slice(-seen().length), 'from the first on each of them, once and in order')
  t.same(defects, [])
})

t.test('cast where tokens are wanted', { skip: withoutCast }, async (t) => {
  const key = secretKey(new Uint8Array(randomBytes(32)))
  const tokens = { keys: [key], skewSeconds: 30, ageDaysMax: 400 }
  const { url } = await startServer(t, { auth: { loopback: 'none', anonymous: 'none', tokens } })
  await t.rejects(castOf(t, url)('block-number'), /401/)
  const headers = `Authorization: Bearer ${await issueToken(key, { role: 'read', validSeconds: 60 })}`
  t.equal(await castOf(t, url, { ETH_RPC_HEADERS: headers })('block-number'), '0')
  const reader = castOf(t, url)
  t.equal(await reader('block-number', '--rpc-headers', headers), '0')
  await t.rejects(reader('publish', '0x00', '--rpc-headers', headers), /is not for the role read/)
})
