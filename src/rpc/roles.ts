/** What a caller may do: a role is a list of methods. Whatever is named nowhere is for administrators. */
import { CodedError } from '../core/codedError.js'
import { RPC_CODES, RpcError } from './errors.js'

export const ROLES = ['read', 'submit', 'auditor', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** A method list that cannot be used. */
export class RoleError extends CodedError<'UNKNOWN_METHOD'> {}

/** Methods by full name, or a whole namespace (`debug_*`). `submit` and `auditor` have those of `read` besides. */
export type RoleMethods = Readonly<Record<Exclude<Role, 'admin'>, readonly string[]>>

export const ROLE_METHODS: RoleMethods = {
  read: [
    'net_*',
    'rpc_modules',
    'web3_*',
    'eth_accounts',
    'eth_baseFee',
    'eth_blockNumber',
    'eth_call',
    'eth_capabilities',
    'eth_chainId',
    'eth_coinbase',
    'eth_config',
    'eth_createAccessList',
    'eth_estimateGas',
    'eth_feeHistory',
    'eth_gasPrice',
    'eth_getBalance',
    'eth_getBlockByHash',
    'eth_getBlockByNumber',
    'eth_getBlockReceipts',
    'eth_getBlockTransactionCountByHash',
    'eth_getBlockTransactionCountByNumber',
    'eth_getCode',
    'eth_getFilterChanges',
    'eth_getFilterLogs',
    'eth_getHeaderByHash',
    'eth_getHeaderByNumber',
    'eth_getLogs',
    'eth_getProof',
    'eth_getRawTransactionByBlockHashAndIndex',
    'eth_getRawTransactionByBlockNumberAndIndex',
    'eth_getRawTransactionByHash',
    'eth_getStorageAt',
    'eth_getStorageValues',
    'eth_getTransactionByBlockHashAndIndex',
    'eth_getTransactionByBlockNumberAndIndex',
    'eth_getTransactionByHash',
    'eth_getTransactionBySenderAndNonce',
    'eth_getTransactionCount',
    'eth_getTransactionReceipt',
    'eth_getUncleByBlockHashAndIndex',
    'eth_getUncleByBlockNumberAndIndex',
    'eth_getUncleCountByBlockHash',
    'eth_getUncleCountByBlockNumber',
    'eth_maxPriorityFeePerGas',
    'eth_newBlockFilter',
    'eth_newFilter',
    'eth_newPendingTransactionFilter',
    'eth_subscribe',
    'eth_syncing',
    'eth_uninstallFilter',
    'eth_unsubscribe',
    'concordat_consensus',
    'concordat_consensusStatus',
    'concordat_deliveryTotals',
    'concordat_envelopeStatus',
    'concordat_genesisHash',
    'concordat_getEpochEnd',
    'concordat_getFinalityCertificate',
    'concordat_getGenesisProof',
    'concordat_getSealerSet',
    'concordat_peers',
  ],
  submit: [
    'eth_sendRawTransaction',
    'eth_sendRawTransactionSync',
    'concordat_deliverEnvelope',
    'concordat_getEnvelope',
  ],
  auditor: ['concordat_auditTrail'],
}

/** Who sends a request, as far as methods ask. */
export interface Caller {
  readonly role: Role
  may(method: string): boolean
}

/** Code of the process itself, and tests: everything. */
export const UNRESTRICTED: Caller = { role: 'admin', may: () => true }

export type Rights = ReadonlyMap<Role, ReadonlySet<string>>

/**
 * The methods of each role among `known`. Throws RoleError for a name in `changed` that is no method; the defaults may name
 * methods that this node does not offer.
 */
export function rightsOf(known: Iterable<string>, changed: Partial<RoleMethods> = {}): Rights {
  const methods = [...known]
  for (const name of Object.values(changed).flat()) {
    if (!methods.some((method) => matches(method, name))) {
      throw new RoleError('UNKNOWN_METHOD', `rpc.auth.methods: '${name}' is no method of this node`)
    }
  }
  const lists = { ...ROLE_METHODS, ...changed }
  const of = (names: readonly string[]) =>
    new Set(methods.filter((method) => names.some((name) => matches(method, name))))
  return new Map<Role, ReadonlySet<string>>([
    ['read', of(lists.read)],
    ['submit', of([...lists.read, ...lists.submit])],
    ['auditor', of([...lists.read, ...lists.auditor])],
    ['admin', new Set(methods)],
  ])
}

const matches = (method: string, name: string): boolean =>
  name.endsWith('_*') ? method.startsWith(name.slice(0, -1)) : method === name

/** The least role that may call it, for the text of a refusal. */
export function forbidden(method: string, role: Role, rights: Rights): RpcError {
  const enough = ROLES.filter((other) => rights.get(other)?.has(method))
  const who = enough.length === 0 ? 'nobody' : enough.join(' or ')
  return new RpcError(
    RPC_CODES.forbidden,
    `${method} is not for the role ${role} but for ${who}: ask the operator of this node for a token of that role`,
  )
}
