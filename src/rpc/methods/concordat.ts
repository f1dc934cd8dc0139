/** concordat_: finality, sealers, peers. */
import { toHex } from '../../core/bytes.js'
import { readHeight } from '../blockRef.js'
import type { CertificateView, ChainApi, ConsensusStatus, PeerView, SealerSetView } from '../chainApi.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import type { Params } from '../params.js'
import { quantity } from '../present.js'
import type { RpcCertificate, RpcConsensusStatus, RpcPeer, RpcSealerSet } from '../wire.js'

export function concordatMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['concordat_getFinalityCertificate', method(1, (p) => certificate(api, p))],
    ['concordat_getSealerSet', method(1, (p) => sealerSet(api, p))],
    ['concordat_peers', method(0, () => api.peers().map(presentPeer))],
    ['concordat_consensusStatus', method(0, () => presentStatus(api.consensusStatus()))],
    ['concordat_genesisHash', method(0, () => api.genesisHash)],
  ]
}

/** By number, tag or hash; null for genesis, which is trusted and not voted. */
function certificate(api: ChainApi, params: Params): RpcCertificate | null {
  const height = readHeight(api, params, 0)
  const found = height === undefined ? undefined : api.certificate(height)
  return found ? presentCertificate(found) : null
}

const presentCertificate = (view: CertificateView): RpcCertificate => ({
  blockNumber: quantity(view.blockNumber),
  blockHash: view.blockHash,
  kind: view.kind,
  epoch: quantity(view.epoch),
  view: quantity(view.view),
  signers: view.signers,
  signatures: view.signatures.map(toHex),
})

function sealerSet(api: ChainApi, params: Params): RpcSealerSet | null {
  const height = readHeight(api, params, 0)
  const found = height === undefined ? undefined : api.sealers(height)
  return found ? presentSealers(found) : null
}

const presentSealers = ({ epoch, sealers }: SealerSetView): RpcSealerSet => ({
  epoch: quantity(epoch),
  sealers: sealers.map(({ address, weight }) => ({ address, weight: quantity(weight) })),
})

const presentPeer = ({ address, name, connected, rttMs }: PeerView): RpcPeer => ({
  address,
  name: name ?? null,
  connected,
  rttMs: rttMs ?? null,
})

const presentStatus = (status: ConsensusStatus): RpcConsensusStatus => ({
  epoch: quantity(status.epoch),
  view: quantity(status.view),
  leader: status.leader,
  finalView: quantity(status.finalView),
  finalHeight: quantity(status.finalHeight),
  self: status.self,
  isSealer: status.isSealer,
})
