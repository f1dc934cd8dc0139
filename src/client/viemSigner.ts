/** Accounts of viem as signers: keys at hand, and wallets that keep theirs. */
import type { Account, Chain, Hex, LocalAccount, Transport, WalletClient } from 'viem'
import type { Signer, WantedTransaction } from '../agent/signer.js'
import { asAddress, asHash, fromHex, toHex } from '../core/bytes.js'
import type { UnsignedTransaction } from '../core/transaction.js'
import { keccakHash } from '../crypto/keccak.js'
import { ClientError } from './clientError.js'
import { asRpcFault } from './viemRpc.js'

/** Who signs: an account that signs by itself (privateKeyToAccount, mnemonicToAccount, ...), or a wallet with an account. */
export type MemberAccount = LocalAccount | WalletClient<Transport, Chain | undefined, Account>

export function viemSigner(account: MemberAccount): Signer {
  if (!('account' in account)) return localSigner(account)
  return account.account.type === 'local' ? localSigner(account.account) : walletSigner(account)
}

function localSigner(account: LocalAccount): Signer {
  const { sign, signTypedData } = account
  return {
    address: asAddress(account.address),
    async sign(digest) {
      if (!sign) throw cannotSign(account.address)
      return plainSignature(await sign({ hash: toHex(digest) }))
    },
    signTypedData: async (data) => plainSignature(await signTypedData(data as never)),
    transactions: { sign: (unsigned) => signedBy(account, unsigned) },
  }
}

async function signedBy(account: LocalAccount, unsigned: UnsignedTransaction) {
  const { chainId, nonce, gasPrice, maxPriorityFeePerGas, gasLimit, to, value, data } = unsigned
  const signed = await account.signTransaction({
    type: 'eip1559',
    chainId: Number(chainId),
    nonce: Number(nonce),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas,
    gas: gasLimit,
    to,
    value,
    data: toHex(data),
  })
  const raw = fromHex(signed, 'signed transaction')
  return { raw, hash: keccakHash(raw) }
}

function walletSigner(wallet: WalletClient<Transport, Chain | undefined, Account>): Signer {
  const { account } = wallet
  return {
    address: asAddress(account.address),
    sign: async () => {
      throw cannotSign(account.address)
    },
    signTypedData: async (data) =>
      plainSignature(await saidPlainly(() => wallet.signTypedData({ account, ...data } as never))),
    transactions: { send: (wanted) => saidPlainly(() => sentBy(wallet, wanted)) },
  }
}

/** A user who refuses is code 4001 of EIP-1193; the rest is of the node behind the wallet. */
async function saidPlainly<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw asRpcFault(error, 'the wallet')
  }
}

async function sentBy(
  wallet: WalletClient<Transport, Chain | undefined, Account>,
  { to, data, gasLimit }: WantedTransaction,
) {
  const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
  const { account } = wallet
  const wanted = { account, chain: null, to, data: toHex(data), gas: gasLimit, value: 0n, ...fees }
  return asHash(await wallet.sendTransaction(wanted))
}

/** r, s, yParity: wallets write 27 or 28 in the last byte. */
function plainSignature(signature: Hex): Uint8Array {
  const bytes = fromHex(signature, 'signature')
  if (bytes[64]! >= 27) bytes[64]! -= 27
  return bytes
}

function cannotSign(address: string): ClientError {
  const message = `the account ${address} signs transactions and typed data only: use one whose key is at hand (privateKeyToAccount)`
  return new ClientError('ACCOUNT_CANNOT_SIGN', message)
}
