/** Supervisors' answers to a request, as the chain's logs have them. */
import { type Address, fromHex, type Hash, type Hex, toHash, uintToWord } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import { dataSharing } from './contractClient.js'
import { isTooWide } from './logRange.js'

/** One supervisor's answer as the chain recorded it. */
export interface Attestation {
  readonly attribute: Hash
  readonly supervisor: Address
  readonly height: number
}

const quantity = (height: number): Hex => `0x${height.toString(16)}`

/** In order of the blocks, of both heights and all between them. Throws RpcError or RpcClientError. */
export async function readAttestations(
  client: RpcClient,
  requestId: bigint,
  fromHeight: number,
  toHeight: number,
): Promise<Attestation[]> {
  const { abi, address } = dataSharing
  const filter = {
    address,
    fromBlock: quantity(fromHeight),
    toBlock: quantity(toHeight),
    topics: [abi.topic('Attested'), toHash(uintToWord(requestId))],
  }
  try {
    const logs = await client.call('eth_getLogs', filter)
    return logs.flatMap((log) => {
      const event = abi.decodeEvent('Attested', { topics: log.topics, data: fromHex(log.data) })
      return event ? [{ ...event, height: Number(log.blockNumber) }] : []
    })
  } catch (error) {
    if (!isTooWide(error, toHeight - fromHeight + 1)) throw error
    const middle = fromHeight + Math.floor((toHeight - fromHeight) / 2)
    const first = await readAttestations(client, requestId, fromHeight, middle)
    return [...first, ...(await readAttestations(client, requestId, middle + 1, toHeight))]
  }
}
