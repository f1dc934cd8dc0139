/** Who works when: slices of turns, connections that use little first, rests while consensus has work. */
import t from 'tap'
import { Line } from '../../src/rpc/line.js'
import { Share } from '../../src/rpc/share.js'
import { Slices } from '../../src/rpc/slices.js'
import { LONG_SAVED_MS, LONG_SHARE, SHORT_SAVED_MS, SHORT_SHARE, Turns, turns } from '../../src/rpc/turns.js'

function busy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** Turns on a clock that stands until work moves it. */
class Clocked {
  nowMs = 1_000
  readonly turns = new Turns(() => this.nowMs)

  /** Resolves when `line` has had its turn and worked for `ms`. */
  async use(line: Line, ms: number): Promise<void> {
    const wait = this.turns.enter(line)
    if (wait) await wait
    this.nowMs += ms
    if (!wait) this.turns.leave(true)
    await turnOver()
  }

  /** Resolves with what has run, in order, when all have. */
  async order(...asked: readonly (readonly [name: string, line: Line])[]): Promise<string[]> {
    const order: string[] = []
    const ran = async ([name, line]: readonly [string, Line]) => {
      await this.turns.enter(line)
      order.push(name)
    }
    await Promise.all(asked.map(ran))
    return order
  }

  /** Uses up the slice of this turn: what comes now waits. */
  fill(): void {
    const line = new Line()
    this.turns.enter(line)
    this.nowMs += 6
    this.turns.leave(true)
  }

  heavyLine(): Line {
    const line = new Line()
    for (const lane of [line.short, line.long]) lane.use(100, this.nowMs)
    return line
  }
}

const turnOver = () => new Promise((resolve) => setImmediate(resolve))

t.test('all jobs together get one slice of a turn, and connections that use little come between', async (t) => {
  const STEP_MS = 2
  const steps: number[] = []
  let turn = 0
  let running = true
  const count = () => {
    turn++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  const job = async (name: number) => {
    const line = new Line()
    await turns.enter(line)
    const slices = new Slices(line, Number.POSITIVE_INFINITY)
    for (let i = 0; i < 10; i++) {
      const pause = slices.pause()
      if (pause) await pause
      steps.push(turn)
      busy(STEP_MS)
    }
    return name
  }
  const first: string[] = []
  const jobs = Promise.all(Array.from({ length: 10 }, (_, i) => job(i))).then(() => first.push('jobs'))
  const fresh = (async () => turns.enter(new Line()))().then(() => first.push('fresh'))
  await Promise.all([jobs, fresh])
  running = false
  t.same(first, ['fresh', 'jobs'], 'a short request does not wait for the long ones')
  const perTurn = new Map<number, number>()
  for (const at of steps) perTurn.set(at, (perTurn.get(at) ?? 0) + 1)
  t.equal(steps.length, 100)
  t.ok(Math.max(...perTurn.values()) <= 4, 'three steps of 2 ms fill a slice of 5 ms; a fourth may begin beside a turn')
  t.equal(turns.waiting, 0)
})

t.test('who used little lately goes before who used much, in whatever order they come', async (t) => {
  const on = new Clocked()
  on.fill()
  const [a, b] = [on.heavyLine(), on.heavyLine()]
  const asked = [
    ['much', a],
    ['much', b],
    ['little', new Line()],
    ['little', new Line()],
  ] as const
  t.same(await on.order(...asked), ['little', 'little', 'much', 'much'])
})

t.test('requests of one connection keep their order; others come between', async (t) => {
  const on = new Clocked()
  on.fill()
  const [one, other] = [new Line(), new Line()]
  t.same(await on.order(['a1', one], ['a2', one], ['a3', one], ['b1', other]), ['a1', 'b1', 'a2', 'a3'])
})

t.test('a share: what may be saved up, what it earns, how long it rests', (t) => {
  const share = new Share(0.25, 20)
  t.equal(share.saved(1_000), 20)
  share.spend(8, 1_000)
  t.same([share.saved(1_000), share.saved(1_016), share.saved(1_100)], [12, 16, 20])
  share.spend(17, 1_016)
  t.same([share.saved(1_016), share.restMs], [-1, 1_020], 'four times what was too much')
  t.equal(share.saved(1_020), 0)
  t.end()
})

t.test('while consensus has work, who used much rests when its share is used up; others go on', async (t) => {
  const on = new Clocked()
  on.turns.watch(() => true)
  const line = on.heavyLine()
  // After the first of them, work earns its share.
  let saved = SHORT_SAVED_MS - 4
  for (await on.use(line, 4); saved >= 0; saved -= 4 - 4 * SHORT_SHARE) await on.use(line, 4)
  on.nowMs += -saved / SHORT_SHARE - 0.1
  const wait = on.turns.enter(line)
  t.ok(wait, 'not yet')
  let ran = 0
  void wait!.then(() => ran++)
  t.same(await on.order(['little', new Line()]), ['little'])
  for (let i = 0; i < 5; i++) await turnOver()
  t.equal(ran, 0)
  on.nowMs += 0.2
  await wait
  const idle = new Clocked()
  for (let i = 0; i < 9; i++) await idle.use(line, 100)
  t.equal(idle.turns.enter(line), undefined, 'without work of consensus it goes on in the next turn')
})

t.test(
  'a long job of a connection that used much pauses after 2 ms while consensus has work, else after 5',
  async (t) => {
    const stepsOf = async (hasWork: boolean) => {
      const on = new Clocked()
      on.turns.watch(() => hasWork)
      t.equal(on.turns.pause(on.heavyLine()), undefined, 'goes on')
      // All that may be saved up and 1 ms more: a rest.
      on.nowMs += LONG_SAVED_MS + 1
      await turnOver()
      on.nowMs += 1 / LONG_SHARE + 2
      const line = on.heavyLine()
      t.equal(on.turns.enter(line), undefined)
      let steps = 0
      let wait = on.turns.pause(line)
      for (; !wait; wait = on.turns.pause(line)) {
        on.nowMs += 1
        steps++
      }
      line.close()
      await t.rejects(wait)
      return steps
    }
    t.same([await stepsOf(true), await stepsOf(false)], [2, 5])
  },
)

t.test('while consensus has work, all rest one slice after each that work has used up', async (t) => {
  const on = new Clocked()
  on.turns.watch(() => true)
  on.fill()
  await turnOver()
  const wait = on.turns.enter(new Line())
  t.ok(wait)
  on.nowMs += 5
  await wait
})

t.test('what is excused is not held against a connection', (t) => {
  const on = new Clocked()
  const usedAs = (excusedMs: number) => {
    const line = new Line()
    const turns = new Turns(() => on.nowMs)
    turns.enter(line)
    on.nowMs += 15
    turns.excuse(excusedMs)
    turns.leave(true)
    return line.short.isHeavy(on.nowMs)
  }
  t.same([usedAs(5), usedAs(6)], [true, false])
  t.end()
})

t.test('what has been used counts less and less, in each lane', (t) => {
  const { short, long } = new Line()
  short.use(40, 1_000)
  t.same(
    [1_000, 2_000, 3_000, 3_001].map((nowMs) => short.isHeavy(nowMs)),
    [true, true, true, false],
  )
  short.use(5, 3_001)
  t.ok(short.isHeavy(3_001))
  t.notOk(short.isHeavy(4_001))
  t.notOk(long.isHeavy(1_000))
  t.end()
})

t.test('who has not read is not worked for: at the bound yes, a byte more no, until it has read', async (t) => {
  const on = new Clocked()
  const line = new Line()
  line.sent(1024 * 1024)
  t.equal(on.turns.enter(line), undefined)
  on.turns.leave(true)
  await turnOver()
  line.sent(1)
  let ran = 0
  const wait = on.turns.enter(line)!.then(() => ran++)
  for (let i = 0; i < 5; i++) await turnOver()
  t.same([ran, on.turns.waiting], [0, 0], 'nothing is scheduled for it')
  await on.use(new Line(), 0)
  line.read(1)
  await wait
  t.equal(ran, 1)
  line.sent(1024 * 1024)
  t.ok(on.turns.pause(line), 'a job stops, too')
})

t.test('a connection that ends takes its work with it', async (t) => {
  const on = new Clocked()
  const line = new Line()
  on.fill()
  const waits = [on.turns.enter(line)!, on.turns.enter(line)!]
  line.close()
  for (const wait of waits) await t.rejects(wait, { code: -32002, message: 'the connection has ended' })
  for (let i = 0; i < 3; i++) await turnOver()
  t.equal(on.turns.waiting, 0)
  line.sent(2 * 1024 * 1024)
  await t.rejects(on.turns.enter(line)!, { code: -32002 }, 'nor does it leave any that nobody would wake')
  const slices = new Slices(line, Number.POSITIVE_INFINITY)
  t.throws(() => slices.pause(), { code: -32002, message: 'the connection has ended' }, 'what runs stops')
})
