/** Who works when: slices of turns, connections that use little first, rests while consensus has work. */
import t from 'tap'
import { Line } from '../../src/rpc/line.js'
import { Slices } from '../../src/rpc/slices.js'
import { Turns, turns } from '../../src/rpc/turns.js'

function busy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** Uses `ms` for `line`, as one request. */
async function use(on: Turns, line: Line, ms: number): Promise<void> {
  const wait = on.enter(line)
  if (wait) await wait
  busy(ms)
  if (!wait) on.leave(true)
}

/** So much that it counts for longer than any test takes. */
function heavyLine(): Line {
  const line = new Line()
  line.use(1_000_000, performance.now())
  return line
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
  const on = new Turns()
  const heavy = [heavyLine(), heavyLine()]
  const order: string[] = []
  const ask = (name: string, line: Line) => (on.enter(line) ?? Promise.resolve()).then(() => order.push(name))
  // The slice is used up: all wait.
  await use(on, new Line(), 6)
  await Promise.all([
    ask('much', heavy[0]!),
    ask('much', heavy[1]!),
    ask('little', new Line()),
    ask('little', new Line()),
  ])
  t.same(order, ['little', 'little', 'much', 'much'])
})

t.test('requests of one connection keep their order; others come between', async (t) => {
  const on = new Turns()
  const [one, other] = [new Line(), new Line()]
  const order: string[] = []
  const ask = (name: string, line: Line) => (on.enter(line) ?? Promise.resolve()).then(() => order.push(name))
  await use(on, new Line(), 6)
  await Promise.all([ask('a1', one), ask('a2', one), ask('a3', one), ask('b1', other)])
  t.same(order, ['a1', 'b1', 'a2', 'a3'])
})

t.test('while consensus has work, who used much rests nine times as long as it worked; others do not', async (t) => {
  const on = new Turns()
  let hasWork = true
  const unwatch = on.watch(() => hasWork)
  const line = heavyLine()
  await use(on, line, 15)
  const startMs = performance.now()
  const order: string[] = []
  const wait = on.enter(line)!.then(() => order.push('much'))
  await on.enter(new Line())?.then(() => order.push('little'))
  await wait
  t.same(order, ['little', 'much'])
  t.ok(performance.now() - startMs >= 100, 'timers are late, never early')
  await turnOver()
  hasWork = false
  unwatch()
  const idle = new Turns()
  await use(idle, line, 15)
  await turnOver()
  t.equal(idle.enter(line), undefined, 'without work of consensus it goes on in the next turn')
  idle.leave(true)
})

t.test(
  'a long job of a connection that used much pauses after 2 ms while consensus has work, else after 5',
  async (t) => {
    const stepsOf = async (hasWork: boolean) => {
      const on = new Turns()
      on.watch(() => hasWork)
      const line = new Line()
      await use(on, line, 15)
      await on.enter(line)
      let steps = 0
      const startMs = performance.now()
      while (!on.pause(line)) {
        busy(1)
        steps++
      }
      return { steps, ms: performance.now() - startMs }
    }
    const [busyOne, idle] = [await stepsOf(true), await stepsOf(false)]
    t.ok(busyOne.steps <= 2, `${busyOne.steps} steps`)
    t.ok(idle.steps <= 5 && (idle.steps > 2 || idle.ms > 5), `${idle.steps} steps`)
  },
)

t.test('what is excused is not held against a connection', async (t) => {
  const on = new Turns()
  const line = new Line()
  t.equal(on.enter(line), undefined)
  busy(40)
  on.excuse(10_000)
  on.leave(true)
  const held = new Line()
  await use(on, held, 40)
  await turnOver()
  t.same([line.isHeavy(performance.now()), held.isHeavy(performance.now())], [false, true])
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
  const on = new Turns()
  const line = new Line()
  line.sent(1024 * 1024)
  t.equal(on.enter(line), undefined)
  on.leave(true)
  await turnOver()
  line.sent(1)
  let ran = 0
  const wait = on.enter(line)!.then(() => ran++)
  for (let i = 0; i < 5; i++) await turnOver()
  t.same([ran, on.waiting], [0, 0], 'nothing is scheduled for it')
  await use(on, new Line(), 0)
  line.read(1)
  await wait
  t.equal(ran, 1)
  line.sent(1024 * 1024)
  t.ok(on.pause(line), 'a job stops, too')
})

t.test('a connection that ends takes its work with it', async (t) => {
  const on = new Turns()
  const line = new Line()
  await use(on, new Line(), 6)
  const waits = [on.enter(line)!, on.enter(line)!]
  line.close()
  for (const wait of waits) await t.rejects(wait, { code: -32002, message: 'the connection has ended' })
  for (let i = 0; i < 3; i++) await turnOver()
  t.equal(on.waiting, 0)
  const slices = new Slices(line, Number.POSITIVE_INFINITY)
  t.throws(() => slices.pause(), { code: -32002, message: 'the connection has ended' }, 'what runs stops')
})
