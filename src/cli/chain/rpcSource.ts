/** A node's blocks and certificates over JSON-RPC, as exports read them. */
import { encodeCertificate } from '../../consensus/codec.js'
import type { Certificate } from '../../consensus/types.js'
import {
  type Address,
  asEpoch,
  asHeight,
  asView,
  EMPTY_BYTES,
  fromHex,
  type Height,
  type Hex,
} from '../../core/bytes.js'
import { decodeHeader } from '../../core/header.js'
import type { BlockSource } from '../../node/chainFile/export.js'
import type { RpcClient } from '../../rpc/client.js'
import type { RpcCertificate } from '../../rpc/wire.js'

export function rpcSource(client: RpcClient): BlockSource {
  /** By epoch: certificates count their signers by their place in the set. */
  const sets = new Map<Hex, readonly Address[]>()
  const signersOf = async (found: RpcCertificate): Promise<readonly Address[]> => {
    const known = sets.get(found.epoch)
    if (known !== undefined) return known
    const set = await client.call('concordat_getSealerSet', found.blockNumber)
    const addresses = (set?.sealers ?? []).map(({ address }) => address)
    sets.set(found.epoch, addresses)
    return addresses
  }
  const certificate = async (height: Height): Promise<Uint8Array> => {
    const found = await client.call('concordat_getFinalityCertificate', quantity(height))
    if (found === null || Number(found.blockNumber) !== height) return EMPTY_BYTES
    return encodeCertificate(certificateOf(found, await signersOf(found)))
  }
  return {
    certificate,
    head: async () => asHeight(Number(await client.call('eth_blockNumber'))),
    header: async (height) => decodeHeader(fromHex(await client.call('debug_getRawHeader', quantity(height)))),
    block: async (height) => {
      const [block, own] = await Promise.all([client.call('debug_getRawBlock', quantity(height)), certificate(height)])
      return { block: fromHex(block), certificate: own }
    },
  }
}

/** RPC names signers, certificates count them by their place in the set. */
export function certificateOf(found: RpcCertificate, sealers: readonly Address[]): Certificate {
  return {
    kind: found.kind === 'finalize' ? 'finalize' : 'notarize',
    epoch: asEpoch(Number(found.epoch)),
    view: asView(Number(found.view)),
    block: found.blockHash,
    signers: found.signers.map((signer) => sealers.indexOf(signer)),
    signatures: found.signatures.map((signature) => fromHex(signature)),
  }
}

const quantity = (height: Height): Hex => `0x${height.toString(16)}`
