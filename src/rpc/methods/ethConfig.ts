/** eth_config (EIP-7910) and eth_capabilities: what this chain is, and of which blocks this node can tell. */
import { crc32 } from 'node:zlib'
import { asHeight, fromHex, type Height } from '../../core/bytes.js'
import type { ChainApi } from '../chainApi.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { quantity } from '../present.js'

export function ethConfigMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['eth_config', method(0, () => ({ current: configuration(api), next: null, last: null }))],
    ['eth_capabilities', method(0, () => capabilities(api))],
  ]
}

/** The rules of this chain hold from genesis on and have no blobs and no precompiles. */
function configuration(api: ChainApi) {
  return {
    activationTime: 0,
    blobSchedule: { baseFeeUpdateFraction: 0, max: 0, target: 0 },
    chainId: quantity(api.chainId),
    forkId: forkId(api),
    precompiles: {},
    systemContracts: api.contracts,
  }
}

/** EIP-6122 where no fork followed genesis: the checksum of the genesis hash. */
const forkId = (api: ChainApi): string => `0x${crc32(fromHex(api.genesisHash)).toString(16).padStart(8, '0')}`

function capabilities(api: ChainApi) {
  const { hash, header } = api.head()
  const state = from(api.oldestState())
  const whole = api.oldestBlock()
  // Genesis stays, and has neither transactions nor logs that could be missed.
  const transactions = from(whole === 1 ? asHeight(0) : whole)
  return {
    head: { number: quantity(header.number), hash },
    state,
    tx: transactions,
    logs: transactions,
    receipts: transactions,
    blocks: transactions,
    stateproofs: state,
  }
}

const from = (height: Height) => ({ disabled: false, oldestBlock: quantity(height) })
