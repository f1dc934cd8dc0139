/** Who works when: slices of turns, connections that use little first, rests while consensus has work. */
import t from 'tap'
import { Line } from '../../src/rpc/line.js'
import { Slices } from '../../src/rpc/slices.js'
import { Turns, turns } from '../../src/rpc/turns.js'

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
    line.use(100, this.nowMs)
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

t.test(
  'while consensus has work, who used much has a tenth of the time and 25 ms saved up; others go on',
  async (t) => {
    const on = new Clocked()
    let hasWork = true
    on.turns.watch(() => hasWork)
    const line = on.heavyLine()
    await on.use(line, 4)
    await on.use(line, 4)
    for (let i = 0; i < 5; i++) await on.use(line, 4)
    // 28 ms are used, and 2.4 ms were earned since the first of them: 0.6 too much, 6 ms to wait.
    const rests = () => {
      const isResting = on.turns.enter(line) !== undefined
      if (!isResting) on.turns.leave(true)
      return isResting
    }
    on.nowMs += 5.9
    let ran = 0
    const wait = on.turns.enter(line)
    t.ok(wait, 'not yet')
    void wait!.then(() => ran++)
    t.same(await on.order(['little', new Line()]), ['little'])
    for (let i = 0; i < 5; i++) await turnOver()
    t.equal(ran, 0)
    on.nowMs += 0.2
    await wait
    await on.use(line, 10)
    t.ok(rests(), '100 ms for 10')
    on.nowMs += 50
    hasWork = false
    on.nowMs += 51
    await turnOver()
    t.notOk(rests())
    await on.use(line, 40)
    t.notOk(rests(), 'without work of consensus it goes on in the next turn')
  },
)

t.test(
  'a long job of a connection that used much pauses after 2 ms while consensus has work, else after 5',
  async (t) => {
    const stepsOf = async (hasWork: boolean) => {
      const on = new Clocked()
      on.turns.watch(() => hasWork)
      const line = on.heavyLine()
      // All that it may save up.
      await on.use(line, 25)
      on.nowMs += 6
      await on.turns.enter(line)
      let steps = 0
      for (; !on.turns.pause(line); steps++) on.nowMs += 1
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
    return line.isHeavy(on.nowMs)
  }
  t.same([usedAs(5), usedAs(6)], [true, false])
  t.end()
})

t.test('what has been used counts less and less', (t) => {
  const line = new Line()
  line.use(40, 1_000)
  t.same(
    [1_000, 2_000, 3_000, 3_001].map((nowMs) => line.isHeavy(nowMs)),
    [true, true, true, false],
  )
  line.use(5, 3_001)
  t.ok(line.isHeavy(3_001))
  t.notOk(line.isHeavy(4_001))
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
  const slices = new Slices(line, Number.POSITIVE_INFINITY)
  t.throws(() => slices.pause(), { code: -32002, message: 'the connection has ended' }, 'what runs stops')
})
