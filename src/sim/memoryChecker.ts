/** Invariant I9: nothing that the core keeps grows beyond sealers x views. */
import {
  commitsOutstandingMax,
  nextEpochVotesMax,
  peersRememberedMax,
  recentFinalBlocksMax,
  viewWindow,
} from '../consensus/bounds.js'
import type { Core } from '../consensus/core.js'
import { Violation } from './checker.js'

/** Ballots, peers and records are counted in one step of so many. */
const deepEvery = 16

export class MemoryChecker {
  private steps = 0

  onStep(core: Core): void {
    const unfinal = core.cur - (core.pending?.view ?? core.final.view)
    atMost('views', core.views.size, unfinal + viewWindow + 1)
    atMost('notarizations', core.notarized.size, unfinal + 1)
    atMost('blocks', core.blocks.size, 2 * (core.cur - core.final.view + 2))
    atMost('recent blocks', core.recent.length, recentFinalBlocksMax)
    atMost('peers', core.peers.size, peersRememberedMax + core.council.set.sealers.length)
    if (++this.steps % deepEvery === 0) checkDeeply(core)
  }
}

function checkDeeply(core: Core): void {
  const sealers = core.council.set.sealers.length
  for (const { ballots, reported } of core.views.values()) {
    for (const { votes, weights } of [ballots.notarize, ballots.nullify, ballots.finalize]) {
      atMost('votes of a kind in a view', votes.size, sealers)
      atMost('blocks voted for in a view', weights.size, sealers)
    }
    atMost('reported sealers', reported.size, sealers)
  }
  for (const { early } of core.peers.values()) atMost('early votes of a peer', early.length, nextEpochVotesMax)
  atMost('settled heights', core.retired.length, commitsOutstandingMax + 1)
}

function atMost(what: string, count: number, max: number): void {
  if (count > max) throw new Violation('I9', `${count} ${what} kept, at most ${max} expected`)
}
