/** Which experiment's section is made by what, in the order of the report. */
import type { ExperimentName } from '../harness/row.js'
import { latencySection } from '../latency/section.js'
import { microSection } from '../micro/section.js'
import { peersSection } from '../peers/section.js'
import { roundsSection } from '../rounds/section.js'
import { scaleSection } from '../scale/section.js'
import { storageSection } from '../storage/section.js'
import { throughputSection } from '../throughput/section.js'
import type { SectionMaker } from './section.js'

export const SECTIONS: readonly (readonly [ExperimentName, SectionMaker])[] = [
  ['storage', storageSection],
  ['latency', latencySection],
  ['throughput', throughputSection],
  ['scale', scaleSection],
  ['rounds', roundsSection],
  ['micro', microSection],
  ['peers', peersSection],
]
