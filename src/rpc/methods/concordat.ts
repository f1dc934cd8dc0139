/** concordat_: finality, sealers, peers. */
import { asEpoch, type Hex, toHex } from '../../core/bytes.js'
import { readHeight } from '../blockRef.js'
import type {
  CertificateView,
  ChainApi,
  ConsensusStatus,
  ConsensusView,
  GenesisProof,
  PeerView,
  SealerSetView,
  SealerStanding,
} from '../chainApi.js'
import { invalidArgument } from '../errors.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { asQuantity, type Params } from '../params.js'
import { quantity } from '../present.js'
import type {
  RpcCertificate,
  RpcConsensus,
  RpcConsensusStatus,
  RpcGenesisProof,
  RpcPeer,
  RpcSealerSet,
  RpcSealerStanding,
} from '../wire.js'

export function concordatMethods({ api, audit }: MethodNeeds): MethodEntries {
  return [
    ...(audit ? [['concordat_auditTrail', method(2, (p, context) => audit.trail(p[0], p[1], context))] as const] : []),
    ['concordat_getFinalityCertificate', method(1, (p) => certificate(api, p))],
    ['concordat_getSealerSet', method(1, (p) => sealerSet(api, p))],
    ['concordat_getEpochEnd', method(1, (p) => epochEnd(api, p))],
    ['concordat_getGenesisProof', method(0, () => presentGenesis(api.genesisProof()))],
    ['concordat_peers', method(0, () => api.peers().map(presentPeer))],
    ['concordat_consensusStatus', method(0, () => presentStatus(api.consensusStatus()))],
    ['concordat_consensus', method(0, () => presentConsensus(api.consensus()))],
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

/** Null while the epoch lasts. */
function epochEnd(api: ChainApi, params: Params): Hex | null {
  const epoch = Number(asQuantity(params[0], 32, (reason) => invalidArgument(0, reason)))
  const height = api.epochEnd(asEpoch(epoch))
  return height === undefined ? null : quantity(height)
}

const presentGenesis = ({ header, nodes }: GenesisProof): RpcGenesisProof => ({
  header: toHex(header),
  nodes: nodes.map(toHex),
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
  history: status.history && {
    checked: quantity(status.history.checked),
    total: quantity(status.history.total),
  },
})

/** Ages to a tenth of a ms: finer digits say nothing. */
const ms = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10)

const presentConsensus = (of: ConsensusView): RpcConsensus => ({
  ...of,
  epoch: quantity(of.epoch),
  view: quantity(of.view),
  finalHeight: quantity(of.finalHeight),
  finalView: quantity(of.finalView),
  stageView: quantity(of.stageView),
  stageAgeMs: ms(of.stageAgeMs),
  givenUpInMs: ms(of.givenUpInMs),
  weightTotal: quantity(of.weightTotal),
  weightConnected: quantity(of.weightConnected),
  weightQuorum: quantity(of.weightQuorum),
  sealers: of.sealers.map(presentStanding),
  missingBlocks: quantity(of.missingBlocks),
})

const presentStanding = ({ name, weight, heardAgeMs, ...rest }: SealerStanding): RpcSealerStanding => ({
  ...rest,
  name: name ?? null,
  weight: quantity(weight),
  heardAgeMs: ms(heardAgeMs),
})
