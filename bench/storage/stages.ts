/** Parts of an experiment one after the other, with their share of its time. */
import type { Run } from '../harness/experiment.js'

export interface Stage {
  readonly label: string
  /** Expected duration. */
  readonly seconds: number
  /** `report`: share of this stage that is done, 0 to 1. */
  work(report: (share: number) => void): Promise<void>
}

export const secondsOf = (stages: readonly Stage[]): number => stages.reduce((sum, { seconds }) => sum + seconds, 0)

export async function runStages(run: Run, stages: readonly Stage[]): Promise<void> {
  const total = secondsOf(stages)
  let before = 0
  for (const { label, seconds, work } of stages) {
    run.check()
    const report = (share: number) => run.progress((before + share * seconds) / total, label)
    report(0)
    await work(report)
    before += seconds
  }
}

/** The part of `report` that runs from `from` to `to`. */
export function within(report: (share: number) => void, from: number, to: number): (share: number) => void {
  return (share) => report(from + (to - from) * share)
}
