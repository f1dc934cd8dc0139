/** Experiments: what a file may say, what a run leaves behind, and that equal seeds give equal bytes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { writeSimulation } from '../../bench/simulation/main.js'
import { builtinExtensions, withExtension } from '../../src/consensus/extensions.js'
import type { WeightPolicy } from '../../src/consensus/weightPolicy.js'
import { readConfig } from '../../src/node/configFile.js'
import { runVariant } from '../../src/sim/experiment/drive.js'
import { exampleFile, experimentSchema } from '../../src/sim/experiment/file.js'
import { metricsOf } from '../../src/sim/experiment/metrics.js'
import { type Plan, planOf } from '../../src/sim/experiment/plan.js'
import { csvFiles } from '../../src/sim/experiment/tables.js'

const dir = mkdtempSync(join(tmpdir(), 'concordat-sim-'))
t.teardown(() => rmSync(dir, { recursive: true }))

const planned = (file: object, quick = false): Plan =>
  planOf(experimentSchema.parse({ title: 'test', ...file }), builtinExtensions, quick)

const runAll = ({ variants, seeds, durationMs }: Plan) =>
  variants.map((variant) => ({ variant, traces: seeds.map((seed) => runVariant(variant, seed, durationMs)) }))

t.test('the printed example is a valid experiment; --quick shortens it', async (t) => {
  const plan = planOf(experimentSchema.parse(parse(exampleFile)), builtinExtensions)
  t.same(plan.seeds, [1, 2, 3])
  t.same(
    plan.variants.map(({ name, policy, schedule }) => [name, policy.name, schedule.name]),
    [
      ['equal', 'equal', 'round-robin'],
      ['credit', 'credit', 'weighted-round-robin'],
    ],
  )
  const quick = planOf(experimentSchema.parse(parse(exampleFile)), builtinExtensions, true)
  t.match(quick, { seeds: [1], durationMs: 6_000, variants: [{ faults: [{ fromMs: 1_000, toMs: 2_000 }, {}] }, {}] })
})

t.test('faults of a file are told in plain words', async (t) => {
  const cases: [object, RegExp][] = [
    [{ policy: 'odd' }, /no weight policy 'odd' here, known are equal, credit/],
    [{ schedule: 'odd' }, /no leader schedule 'odd'/],
    [{ scores: [1, 2] }, /variant 'only': scores has 2 entries for 4 nodes/],
    [{ weights: [1, 2, 3] }, /weights has 3 entries for 4 nodes/],
    [{ weights: [2, 2, 2, 3] }, /a third of the weight or more/],
    [{ faults: [{ kind: 'crash', node: 5 }] }, /names node 5, but there are 4/],
    [{ faults: [{ kind: 'crash', node: 1, fromMs: 10, toMs: 10 }] }, /toMs must be later than fromMs/],
    [{ faults: [{ kind: 'partition', groups: [[1, 2], [2]] }] }, /has node 2 in two groups/],
    [{ variants: [{ name: 'a' }, { name: 'a' }] }, /two variants are called 'a'/],
    [{ load: [{ perSecond: 10_000 }], durationMs: 3_600_000 }, /transactions; .* at most/],
  ]
  for (const [file, message] of cases) t.throws(() => planned(file), { message }, message.source)
  const path = join(dir, 'bad.yaml')
  const read = (text: string) => () => {
    writeFileSync(path, text)
    return readConfig(experimentSchema, path, { env: {} })
  }
  t.throws(read('title: x\nepochBlok: 3\n'), { message: /unknown key 'epochBlok'; did you mean epochBlocks/ })
  t.throws(read('title: x\nnodes: 33\n'), { message: /'nodes': / })
  t.throws(read('title: x\nfaults: [{ kind: meteor }]\n'), { message: /must have a kind: crash, slow/ })
  t.throws(read('title: [\n'), { message: /not valid YAML/ })
})

t.test('equal seeds give equal bytes, other seeds do not', async (t) => {
  const file = {
    durationMs: 6_000,
    seeds: [7],
    epochBlocks: 20,
    policy: 'credit',
    faults: [
      { kind: 'crash', node: 2, fromMs: 1_000, toMs: 3_000 },
      { kind: 'loss', share: 0.1, fromMs: 0, toMs: 5_000 },
    ],
  }
  const bytes = (seeds: readonly number[]) => {
    const plan = planned({ ...file, seeds })
    const runs = runAll(plan)
    return [
      ...csvFiles(
        runs,
        runs.flatMap((one) => metricsOf(one, plan.durationMs)),
      ),
    ]
  }
  t.same(bytes([7]), bytes([7]))
  t.notSame(bytes([7]), bytes([8]))
})

t.test('faults do to a run what they say', async (t) => {
  const plan = planned({
    durationMs: 20_000,
    seeds: [1],
    epochBlocks: 20,
    variants: [
      { name: 'calm' },
      { name: 'crash', policy: 'credit', faults: [{ kind: 'crash', node: 2, fromMs: 2_000, toMs: 12_000 }] },
      { name: 'slow', faults: [{ kind: 'slow', node: 2, delayMs: 100, fromMs: 0 }] },
      {
        name: 'partition',
        faults: [
          {
            kind: 'partition',
            groups: [
              [1, 2],
              [3, 4],
            ],
            fromMs: 5_000,
            toMs: 9_000,
          },
        ],
      },
      { name: 'silent', policy: 'credit', faults: [{ kind: 'faulty', node: 4, as: 'silent' }] },
      {
        name: 'equivocator',
        policy: 'credit',
        schedule: 'weighted-round-robin',
        faults: [{ kind: 'faulty', node: 4, as: 'equivocating-voter' }],
      },
    ],
  })
  const metrics = runAll(plan).flatMap((one) => metricsOf(one, plan.durationMs))
  const value = (variant: string, quantity: string, part = '') =>
    metrics.find((one) => one.variant === variant && one.quantity === quantity && one.part === part)?.value
  for (const { name } of plan.variants)
    t.equal(value(name, 'share of transactions final'), 1, `${name}: all becomes final`)
  const latency = (variant: string) => value(variant, 'finality latency', 'p50')!
  t.ok(latency('calm') < 50, `calm: ${latency('calm')} ms`)
  t.ok(latency('slow') > latency('calm'))
  t.equal(value('calm', 'share of views skipped'), 0)
  t.ok(value('crash', 'share of views skipped')! > 0.05)
  t.ok(value('crash', 'share of blocks', 'node2')! < 0.2)
  t.ok(value('crash', 'credit at the end', 'node2')! < value('crash', 'credit at the end', 'node1')!)
  t.ok(value('crash', 'share of weight', 'node2')! < value('crash', 'share of weight', 'node1')!)
  t.ok(value('crash', 'caught up after', 'fault 1 crash')! < 5_000)
  t.ok(value('partition', 'blocks go on after', 'fault 1 partition')! >= 4_000, 'no half is a quorum')
  t.ok(value('partition', 'caught up after', 'fault 1 partition')! < 5_000)
  t.equal(value('silent', 'share of blocks', 'node4'), 0)
  t.equal(value('equivocator', 'credit at the end', 'node4'), 0)
  t.ok(value('equivocator', 'share of weight', 'node4')! < 0.2)
})

t.test('a policy that breaks its contract, at once or later', async (t) => {
  const run = (weights: WeightPolicy['weights']) => {
    const extensions = withExtension(builtinExtensions, { policies: [{ name: 'bad', weights }] })
    const file = { title: 'test', policy: 'bad', epochBlocks: 5, durationMs: 5_000, seeds: 1 }
    const { variants, durationMs } = planOf(experimentSchema.parse(file), extensions)
    return () => runVariant(variants[0]!, 1, durationMs)
  }
  const code = 'BROKEN'
  t.throws(
    run(({ sealers }) => sealers.map(() => 0.5)),
    { code, message: /seed 1: .*positive integer/ },
  )
  t.throws(
    run(({ sealers, epoch, height }) => (epoch + height > 0 ? [] : sealers.map(() => 1))),
    {
      code,
      message: /must weigh each sealer/,
    },
  )
})

t.test('what is written: tables, pictures, a page', async (t) => {
  const plan = planned({
    durationMs: 3_000,
    seeds: [1, 2],
    epochBlocks: 10,
    variants: [{ name: 'a' }, { name: 'b', policy: 'credit' }],
  })
  const metrics = await writeSimulation(dir, plan, runAll(plan))
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  for (const name of [
    'report.html',
    'summary.md',
    'results.json',
    'metrics.csv',
    'blocks.csv',
    'transactions.csv',
    'standings.csv',
  ])
    t.ok(files.includes(name), name)
  for (const name of ['finality-latency', 'block-share', 'weight-share', 'credit-b', 'weight-b', 'latency-over-time'])
    for (const end of ['svg', 'png']) t.ok(files.includes(`plots/${name}.${end}`), `${name}.${end}`)
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  t.equal(read('metrics.csv').trim().split('\n').length, metrics.length + 1)
  t.match(read('metrics.csv').split('\n')[0], 'variant,seed,quantity,part,unit,value')
  t.match(read('blocks.csv').split('\n')[0], 'variant,seed,height,epoch,view,sealer,transactions,finalMs')
  t.match(read('report.html'), /finality latency, p50[\s\S]*<svg/)
  t.match(JSON.parse(read('results.json')), {
    variants: [{ policy: 'equal' }, { policy: 'credit', schedule: 'round-robin' }],
  })
})
