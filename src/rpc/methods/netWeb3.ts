/** net_, web3_ and rpc_. */
import { toHex } from '../../core/bytes.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { readBytes } from '../params.js'
import { quantity } from '../present.js'

export function netMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['net_version', method(0, () => String(api.chainId))],
    ['net_listening', method(0, () => true)],
    ['net_peerCount', method(0, () => quantity(api.peers().filter((peer) => peer.connected).length))],
  ]
}

/** What geth's console and its kin ask first: the namespaces that are there. */
export function rpcMethods(names: Iterable<string>): MethodEntries {
  const spaces = new Set(['rpc', ...[...names].map((name) => name.slice(0, name.indexOf('_')))])
  const modules = Object.fromEntries([...spaces].sort().map((space) => [space, '1.0']))
  return [['rpc_modules', method(0, () => modules)]]
}

export function web3Methods({ api }: MethodNeeds): MethodEntries {
  return [
    ['web3_clientVersion', method(0, () => api.clientVersion)],
    ['web3_sha3', method(1, (p) => toHex(api.keccak256(readBytes(p, 0))))],
  ]
}
