/** A wallet acts for a member: an EIP-1193 provider which keeps the key and puts the node's errors into its own, as MetaMask does. */
import { JsonRpcProvider, Network, type TypedDataDomain, type TypedDataField, Wallet } from 'ethers'
import t, { type Test } from 'tap'
import { createWalletClient, custom } from 'viem'
import {
  connect,
  consentSigner,
  grantConsent,
  listConsents,
  type Member,
  revokeConsent,
  signConsent,
} from '../../src/client/index.js'
import { CHAIN_ID } from '../contracts/world.js'
import { addressOf, hexKeyOf, type Live, startLive, type Who } from '../rpc/liveChain.js'

interface Wanted {
  readonly method: string
  readonly params?: readonly unknown[]
}

/** What MetaMask throws: EIP-1193 and EIP-1474. */
const refusal = (code: number, message: string, data?: unknown) => Object.assign(new Error(message), { code, data })

class TestWallet {
  /** Methods in the order in which they were asked for. */
  readonly asked: string[] = []
  /** The user says no. */
  rejects = false
  readonly #node: JsonRpcProvider
  readonly #wallet: Wallet

  constructor(t: Test, { url }: Live, who: Who) {
    this.#node = new JsonRpcProvider(url, undefined, {
      staticNetwork: Network.from(Number(CHAIN_ID)),
      cacheTimeout: -1,
    })
    t.teardown(() => this.#node.destroy())
    this.#wallet = new Wallet(hexKeyOf(who), this.#node)
  }

  readonly request = async ({ method, params = [] }: Wanted): Promise<unknown> => {
    this.asked.push(method)
    switch (method) {
      case 'eth_accounts':
      case 'eth_requestAccounts':
        return [this.#wallet.address.toLowerCase()]
      case 'eth_sendTransaction':
        this.#askUser()
        return this.#send(params[0] as Record<string, string>)
      case 'eth_signTypedData_v4':
        this.#askUser()
        return this.#signTyped(params[1] as string)
      default:
        return this.#passOn(method, [...params])
    }
  }

  #askUser(): void {
    if (this.rejects) throw refusal(4001, 'MetaMask Tx Signature: User denied transaction signature.')
  }

  async #send({ from, to, data, value, gas }: Record<string, string>): Promise<string> {
    if (from?.toLowerCase() !== this.#wallet.address.toLowerCase())
      throw refusal(4100, 'The account is not authorized.')
    const nonce = await this.#wallet.getNonce('pending')
    const { maxFeePerGas, maxPriorityFeePerGas } = { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }
    const chosen = { nonce, type: 2, chainId: CHAIN_ID, maxFeePerGas, maxPriorityFeePerGas }
    const signed = await this.#wallet.signTransaction({ to, data, value, gasLimit: gas, ...chosen })
    return (await this.#passOn('eth_sendRawTransaction', [signed])) as string
  }

  #signTyped(text: string): Promise<string> {
    const { domain, types, message } = JSON.parse(text) as {
      domain: TypedDataDomain
      types: Record<string, TypedDataField[]>
      message: Record<string, unknown>
    }
    const { EIP712Domain: _, ...own } = types
    return this.#wallet.signTypedData(domain, own, message)
  }

  async #passOn(method: string, params: unknown[]): Promise<unknown> {
    try {
      return await this.#node.send(method, params)
    } catch (error) {
      const said =
        (error as { error?: unknown; info?: { error?: unknown } }).error ??
        (error as { info?: { error?: unknown } }).info?.error
      throw refusal(-32603, 'Internal JSON-RPC error.', said)
    }
  }
}

async function startWallet(t: Test, who: Who): Promise<{ live: Live; wallet: TestWallet; member: Member }> {
  const live = await startLive(t)
  let sealing = Promise.resolve()
  const stop = live.chain.view.onPendingTransaction(() => {
    sealing = sealing.then(() => live.chain.seal())
  })
  const wallet = new TestWallet(t, live, who)
  const transport = custom(wallet, { retryCount: 0 })
  const account = createWalletClient({ account: addressOf(who), transport })
  const member = await connect({ transport, account, pollMs: 5 })
  t.teardown(async () => {
    stop()
    member.close()
    await sealing
  })
  return { live, wallet, member }
}

const terms = {
  requester: addressOf('finance'),
  attributes: ['registeredCapital'],
  purpose: 'a-purpose',
  until: new Date('2030-01-01T00:00:00Z'),
}

t.test('signs typed data and sends transactions', async (t) => {
  const { wallet, member, live } = await startWallet(t, 'enterprise')
  const consent = await signConsent(member, terms)
  t.equal(consentSigner(consent), addressOf('enterprise'), 'what the wallet signed')
  t.notOk(wallet.asked.includes('eth_sendTransaction'))
  await grantConsent(member, consent)
  const [granted] = await listConsents(member, '91440300708461136T')
  t.match(granted, { requester: terms.requester, attributes: terms.attributes, revokedInBlock: null })
  const block = await revokeConsent(member, granted!.id)
  t.match(await listConsents(member, '91440300708461136T'), [{ id: granted!.id, revokedInBlock: block }])
  t.equal(wallet.asked.filter((method) => method === 'eth_sendTransaction').length, 2)
  t.notOk(wallet.asked.includes('eth_sendRawTransaction'), 'the library itself sends nothing')
  t.same(live.defects, [])
})

t.test('errors of the contract and of the wallet come through', async (t) => {
  const { wallet, member, live } = await startWallet(t, 'enterprise')
  const consent = await signConsent(member, terms)
  const ended = { ...terms, until: new Date('2020-01-01T00:00:00Z') }
  await t.rejects(grantConsent(member, await signConsent(member, ended)), { name: 'ContractRevert' })
  t.notOk(wallet.asked.includes('eth_sendTransaction'), 'what would fail is not put before the user')

  wallet.rejects = true
  const denied = { name: 'RpcError', code: 4001, message: /User denied/ }
  await t.rejects(signConsent(member, terms), denied)
  await t.rejects(grantConsent(member, consent), denied)
  t.equal(live.chain.view.poolCounts().pending, 0)
  wallet.rejects = false
  await grantConsent(member, consent)
  t.equal((await listConsents(member, '91440300708461136T')).length, 1, 'the user may change his mind')
  const digest = new Uint8Array(32)
  await t.rejects(member.sender.sign(digest), { name: 'ClientError', code: 'ACCOUNT_CANNOT_SIGN' })
})

t.test('a wallet of another chain or account', async (t) => {
  const live = await startLive(t)
  const wallet = new TestWallet(t, live, 'enterprise')
  const transport = custom(wallet, { retryCount: 0 })
  await t.rejects(connect({ transport, chainId: 1 }), { name: 'ClientError', code: 'WRONG_CHAIN' })
  const account = createWalletClient({ account: addressOf('market'), transport })
  const member = await connect({ transport, account })
  t.teardown(() => member.close())
  const sent = member.viem.request({ method: 'eth_sendTransaction', params: [{ from: addressOf('market') }] } as never)
  await t.rejects(sent, /not authorized/)
})
