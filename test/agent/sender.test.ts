/** The sender when its node loses transactions, when answers get lost, and when another process signs with the same key. */
import t from 'tap'
import { connectionOn } from '../../src/agent/connection.js'
import { dataSharing } from '../../src/agent/contractClient.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import type { TransactionSender } from '../../src/agent/sender.js'
import { textId } from '../../src/contracts/textId.js'
import { fromHex, type Hex, ZERO_HASH } from '../../src/core/bytes.js'
import { decodeTransaction } from '../../src/core/transaction.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { RpcError } from '../../src/rpc/errors.js'
import type { RpcMethod } from '../../src/rpc/wire.js'
import { type Account, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const enterpriseId = textId(company.truth.unifiedSocialCreditCode)

const SEND = 'eth_sendRawTransaction'

function setUp() {
  const world = new World({ companies: [company] })
  const { privateKey } = world.enterprises.get(company) as Account
  let sendings = 0
  /** Each with other bytes, as fresh envelopes are: equal transactions would be one. */
  const shares = () => {
    const envelope = new Uint8Array(200).fill(++sendings)
    return [{ recipient: world.asker.address, keyEpoch: 1n, envelope }]
  }
  return {
    chain: world.chain,
    /** Another process with the same key. */
    sender(client: RpcClient = world.chain.client(), finalTimeoutMs = 5_000): TransactionSender {
      const connection = connectionOn(client, world.chain.chainId, { privateKey, finalTimeoutMs })
      t.teardown(() => connection.close())
      return connection.sender
    },
    send: (sender: TransactionSender) =>
      sender.send(dataSharing, 'sharePortraitKey', { enterpriseId, portraitVersion: 1, shares: shares() }),
  }
}

/** A client that runs `before` each transaction is handed over. */
function intercepted(client: RpcClient, before: () => Promise<void>): RpcClient {
  const call: RpcClient['call'] = async (method, ...params) => {
    if (method === SEND) await before()
    return client.call(method, ...params)
  }
  return { ...client, call }
}

t.test('the node is asked once what it wants for gas', async (t) => {
  const { chain, sender, send } = setUp()
  const client = chain.client()
  const asked: string[] = []
  const raws: Hex[] = []
  const call = (async (method: RpcMethod, ...params: never) => {
    if (/price|fee/i.test(method)) asked.push(method)
    if (method === 'eth_gasPrice') return '0x7'
    if (method === 'eth_maxPriorityFeePerGas') return '0x2'
    if (method !== SEND) return client.call(method, ...params)
    raws.push(params[0])
    return ZERO_HASH
  }) as RpcClient['call']
  const own = sender({ ...client, call })
  await send(own)
  await send(own)
  const fees = raws.map((raw) => decodeTransaction(fromHex(raw)))
  t.same(
    fees.map(({ gasPrice, maxPriorityFeePerGas }) => [gasPrice, maxPriorityFeePerGas]),
    [
      [14n, 2n],
      [14n, 2n],
    ],
  )
  t.equal(asked.length, 2)
})

t.test('transactions that the node lost leave no gap', async (t) => {
  const { chain, sender, send } = setUp()
  const own = sender(chain.client(), 20)
  chain.sealing = false
  const lost = await Promise.all([send(own), send(own)])
  chain.lose()
  for (const hash of lost) await t.rejects(own.final(hash), { code: 'TIMEOUT' })
  const hash = await send(own)
  chain.seal()
  t.equal(chain.receipt(hash)?.status, '0x1', 'the next one takes the place of the first')
})

t.test('a nonce that is given up while a transaction is on its way stays given up', async (t) => {
  const { chain, sender, send } = setUp()
  chain.sealing = false
  let onSending: (() => Promise<void>) | undefined
  const own = sender(
    intercepted(chain.client(), async () => onSending?.()),
    20,
  )
  const first = await send(own)
  onSending = async () => {
    onSending = undefined
    chain.lose()
    await t.rejects(own.final(first), { code: 'TIMEOUT' })
  }
  const behindGap = await send(own)
  const inGap = await send(own)
  chain.seal()
  t.same([chain.receipt(inGap)?.status, chain.receipt(behindGap)], ['0x1', undefined])
  chain.seal()
  t.equal(chain.receipt(behindGap)?.status, '0x1')
})

t.test('a transaction whose nonce another process took at another node is known to be in vain', async (t) => {
  const { chain, sender, send } = setUp()
  chain.sealing = false
  const own = sender(chain.client(), 60_000)
  const hash = await send(own)
  chain.lose()
  // The other node has not heard of the first one.
  const other = await send(sender())
  chain.seal()
  t.equal(chain.receipt(other)?.status, '0x1')
  const started = Date.now()
  await t.rejects(own.final(hash), { code: 'OVERTAKEN', message: /another one of 0x\w+ took its nonce/ })
  t.ok(Date.now() - started < 30_000)
  const again = await send(own)
  chain.seal()
  t.equal((await own.final(again)).status, '0x1')
})

t.test('a transaction that became final unheard of is not lost', async (t) => {
  const { chain, sender, send } = setUp()
  const deaf: RpcClient = { ...chain.client(), subscribe: () => ({ close: () => {} }) }
  const own = sender(deaf, 20)
  chain.sealing = false
  const hash = await send(own)
  chain.seal()
  t.equal((await own.final(hash)).transactionHash, hash)
})

t.test('a transaction whose first answer was lost is not sent twice', async (t) => {
  const { chain, sender, send } = setUp()
  const client = chain.client()
  const call: RpcClient['call'] = async (method, ...params) => {
    const answer = await client.call(method, ...params)
    if (method !== SEND) return answer
    // The transport repeats the request after the block: the node knows the nonce as used, and no more.
    chain.seal()
    throw new RpcError(-32000, 'nonce too low: next nonce 1, tx nonce 0')
  }
  chain.sealing = false
  const own = sender({ ...client, call })
  const hash = await send(own)
  t.equal((await own.final(hash)).status, '0x1')
  t.equal(chain.sent.length, 1)
})

t.test('another process takes nonces meanwhile', async (t) => {
  const { chain, sender, send } = setUp()
  const other = sender()
  let taken = 0
  let left = 4
  const own = sender(
    intercepted(chain.client(), async () => {
      if (left === 0) return
      left--
      taken++
      await other.final(await send(other))
    }),
  )
  t.equal((await own.final(await send(own))).status, '0x1')
  t.equal(taken, 4)
  left = Number.POSITIVE_INFINITY
  await t.rejects(send(own), { message: /^nonce too low/ }, 'it does not go on for ever')
  t.equal(taken, 12)
  left = 0
  t.equal((await own.final(await send(own))).status, '0x1')
})
