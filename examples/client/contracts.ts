/** The contracts by viem alone: addresses and interfaces are all that is taken from here. */
import { concordatChain, contractAddresses, membersAbi, textId } from 'concordat/client'
import {
  type Account,
  type Address,
  createPublicClient,
  createWalletClient,
  parseEventLogs,
  type Transport,
  zeroHash,
} from 'viem'

export async function register(
  chainId: number,
  rpc: string,
  transport: Transport,
  operator: Account,
  account: Address,
  say: (line: string) => void,
) {
  const chain = concordatChain(chainId, rpc)
  const client = createPublicClient({ chain, transport })
  const wallet = createWalletClient({ chain, transport, account: operator })
  const member = {
    account,
    role: 1,
    id: textId('91440300708461136T'),
    name: 'Sunflower Works',
    encryptionKey: zeroHash,
  }
  // No fee, and no balance is needed. A refusal is decoded by the interface.
  const hash = await wallet.writeContract({
    address: contractAddresses.members,
    abi: membersAbi,
    functionName: 'registerMember',
    args: [member],
  })
  // The receipt is final as soon as it is there: no confirmations. Nothing is ever replaced.
  const receipt = await client.waitForTransactionReceipt({ hash, checkReplacement: false })
  const [event] = parseEventLogs({ abi: membersAbi, logs: receipt.logs, eventName: 'MemberRegistered' })
  say(`${event?.args.name} is registered in block ${receipt.blockNumber}`)
  const count = await client.readContract({
    address: contractAddresses.members,
    abi: membersAbi,
    functionName: 'memberCount',
  })
  say(`${count} members`)
  return hash
}
