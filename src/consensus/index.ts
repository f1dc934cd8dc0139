/** Public face of src/consensus. */
export { type CertificateFault, formCertificate, type RecoverVote, verifyCertificate, votesOf } from './certificate.js'
export { type EngineView, type SealerView, type Stage, withConnections } from './describe.js'
export { createEngine, Engine } from './engine.js'
export { explain, type NameOf } from './explain.js'
export {
  builtinExtensions,
  type Extension,
  ExtensionError,
  type Extensions,
  policyNamed,
  scheduleNamed,
  withExtension,
} from './extensions.js'
export { exceedsThird, quorumWeight, type Tally, tally, toleratesHeaviest, totalWeight } from './quorum.js'
export { type NamedSchedule, roundRobin, smoothWeightedRoundRobin } from './schedule.js'
export type * from './types.js'
export { conflicts, sameVote, type VoteContext, votePreimage } from './vote.js'
export {
  creditWeights,
  type EpochState,
  epochWeights,
  equalWeights,
  type SealerRecord,
  type WeightPolicy,
} from './weightPolicy.js'
