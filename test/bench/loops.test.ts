import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { closedLoop, type LoopClock, openLoop, rateOf, systemClock, timesOf } from '../../bench/testbed/loops.js'

/** Virtual time: goes on to the next sleeper when nothing else is left to do. */
class FakeClock implements LoopClock {
  #now = 0
  #sleepers: { instant: number; wake: () => void }[] = []

  /** `overshootMs`: how late every sleep ends. */
  constructor(private readonly overshootMs = 0) {}

  now(): number {
    return this.#now
  }

  sleepUntil(instant: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ instant: instant + this.overshootMs, wake })
    })
  }

  /** Without overshoot: what the system under load does in its own time. */
  async wait(until: number): Promise<number> {
    await this.sleepUntil(until - this.overshootMs)
    return until
  }

  async run<T>(work: Promise<T>): Promise<T> {
    let ended = false
    void work
      .catch(() => {})
      .finally(() => {
        ended = true
      })
    for (await nextTurn(); !ended; await nextTurn()) this.#advance()
    return work
  }

  #advance(): void {
    this.#sleepers.sort((a, b) => a.instant - b.instant)
    const next = this.#sleepers.shift()
    if (next === undefined) return
    this.#now = Math.max(this.#now, next.instant)
    next.wake()
  }
}

/** Serves one operation after the other, 1 ms each, and stands still from 300 to 800 ms. */
function stallingTarget(clock: FakeClock) {
  let freeAt = 0
  return (): Promise<number> => {
    let begin = Math.max(clock.now(), freeAt)
    if (begin >= 300 && begin < 800) begin = 800
    freeAt = begin + 1
    return clock.wait(freeAt)
  }
}

const signal = new AbortController().signal

t.test('a stall shows in the times of all that fell due meanwhile', async (t) => {
  const clock = new FakeClock()
  const done = await clock.run(openLoop({ operate: stallingTarget(clock), signal, clock, perSecond: 500, count: 500 }))
  t.equal(done.length, 500)
  const during = done.filter(({ dueAt }) => dueAt >= 300 && dueAt < 800)
  t.equal(during.length, 250)
  t.ok(
    during.every(({ dueAt, endedAt }) => endedAt - dueAt >= 800 - dueAt),
    'each waited for the end of the stall',
  )
  t.ok(
    during.every(({ dueAt, startedAt }) => startedAt === dueAt),
    'all of them were begun on time',
  )
  t.ok(done.filter(({ dueAt }) => dueAt < 300).every(({ dueAt, endedAt }) => endedAt - dueAt === 1))
})

t.test('a closed loop hides the stall in one operation a client', async (t) => {
  const clock = new FakeClock()
  const done = await clock.run(closedLoop({ operate: stallingTarget(clock), signal, clock, clients: 2, seconds: 1 }))
  t.equal(timesOf(done).filter((ms) => ms > 100).length, 2)
  t.ok(done.length > 400)
})

t.test('the rate holds, and a late driver counts its lateness', async (t) => {
  const clock = new FakeClock(7)
  const operate = () => clock.wait(clock.now() + 2)
  const done = await clock.run(openLoop({ operate, signal, clock, perSecond: 1_000, count: 100 }))
  t.same(
    done.map(({ dueAt }) => dueAt),
    Array.from({ length: 100 }, (_, index) => index),
    'due instants do not move with the driver',
  )
  t.ok(done.some(({ dueAt, startedAt }) => startedAt - dueAt >= 7))
  t.ok(done.every(({ dueAt, startedAt, endedAt }) => startedAt >= dueAt && endedAt === startedAt + 2))
  t.ok(Math.max(...timesOf(done)) >= 9, 'the time counts from the due instant')
})

t.test('a closed loop keeps its clients busy until the time is over', async (t) => {
  const clock = new FakeClock()
  let underWay = 0
  let most = 0
  const operate = async () => {
    most = Math.max(most, ++underWay)
    const end = await clock.wait(clock.now() + 10)
    underWay--
    return end
  }
  const done = await clock.run(closedLoop({ operate, signal, clock, clients: 4, seconds: 0.1 }))
  t.equal(most, 4)
  t.equal(done.length, 40)
  t.equal(rateOf(done), 400)
  const counted = await clock.run(closedLoop({ operate, signal, clock, clients: 4, count: 6 }))
  t.equal(counted.length, 6)
  const longer = await clock.run(closedLoop({ operate, signal, clock, clients: 4, seconds: 0.015, endsMin: 5 }))
  t.equal(longer.length, 20, 'it goes on until operations have ended at five instants')
})

t.test('an interruption ends a loop at once with its reason', async (t) => {
  for (const loop of [
    (abort: AbortSignal) => openLoop({ operate: never, signal: abort, perSecond: 0.001, count: 2 }),
    (abort: AbortSignal) => openLoop({ operate: never, signal: abort, perSecond: 1_000, count: 1 }),
    (abort: AbortSignal) => closedLoop({ operate: never, signal: abort, clients: 3, seconds: 1_000 }),
  ]) {
    const interruption = new AbortController()
    const running = loop(interruption.signal)
    await nextTurn()
    const reason = new Error('enough')
    interruption.abort(reason)
    await t.rejects(running, reason)
    await t.rejects(loop(interruption.signal), reason)
  }
})

t.test('an operation that fails ends the loop', async (t) => {
  const clock = new FakeClock()
  const failing = async (index: number) => {
    if (index === 5) throw new Error('refused')
    return clock.wait(clock.now() + 1)
  }
  await t.rejects(clock.run(openLoop({ operate: failing, signal, clock, perSecond: 100, count: 50 })), {
    message: 'refused',
  })
  let begun = 0
  const counted = (index: number) => {
    begun++
    return failing(index)
  }
  await t.rejects(clock.run(closedLoop({ operate: counted, signal, clock, clients: 2, seconds: 1 })), {
    message: 'refused',
  })
  await clock.run(nextTurn())
  t.ok(begun < 10, 'the other clients stop too')
})

t.test('rates count from the first end to the last', async (t) => {
  const at = (endedAt: number) => ({ dueAt: 0, startedAt: 0, endedAt })
  t.equal(rateOf([at(100), at(100), at(600), at(600), at(600), at(1_100)]), 4)
  t.ok(Number.isNaN(rateOf([at(5), at(5)])))
  t.ok(Number.isNaN(rateOf([])))
})

t.test('the clock of the machine does not wake early', async (t) => {
  const until = systemClock.now() + 3
  while (systemClock.now() < until) await systemClock.sleepUntil(until, signal)
  t.ok(systemClock.now() >= until)
})

const never = () => new Promise<number>(() => {})
