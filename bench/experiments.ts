/** All experiments, in the order in which `bench all` runs them. */
import type { Experiment } from './harness/experiment.js'
import { latencyExperiment } from './latency/experiment.js'
import { microExperiment } from './micro/experiment.js'
import { peersExperiment } from './peers/experiment.js'
import { roundsExperiment } from './rounds/experiment.js'
import { scaleExperiment } from './scale/experiment.js'
import { storageExperiment } from './storage/experiment.js'
import { throughputExperiment } from './throughput/experiment.js'

export const EXPERIMENT_LIST: readonly Experiment[] = [
  storageExperiment,
  latencyExperiment,
  throughputExperiment,
  scaleExperiment,
  roundsExperiment,
  microExperiment,
  peersExperiment,
]
