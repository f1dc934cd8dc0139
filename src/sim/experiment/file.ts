/** An experiment as its author writes it (YAML or JSON): what varies, what happens when, how often. Times in virtual ms. */
import { z } from 'zod'
import { CREDIT_REASONS, creditScoreMax } from '../../contracts/creditRules.js'
import { machinesMax } from '../keys.js'

/** As large as a run on one core still ends: hours of chain, not days. */
const durationMsMax = 24 * 3_600_000
const nodesMax = machinesMax
const variantsMax = 16
const seedsMax = 1_000

const at = z.int().min(0).max(durationMsMax)
/** Nodes are counted from 1, as `network create` names them. */
const node = z.int().min(1).max(nodesMax)
const share = z.number().min(0).max(1)
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must consist of a-z, 0-9 and - (at most 64)')
const delays = z
  .tuple([z.number().min(0).max(60_000), z.number().min(0).max(60_000)])
  .refine(([low, high]) => low <= high, 'must be [least, most]')

/** Those of the simulator's actors that an experiment can name. */
const FAULTY = ['silent', 'withholder', 'equivocating-proposer', 'equivocating-voter', 'bad-blocks'] as const

const period = { fromMs: at.default(0), toMs: at.optional() }

const faultSchema = z.discriminatedUnion(
  'kind',
  [
    /** Power off at `fromMs`, on again at `toMs`; never again without. */
    z.strictObject({ kind: z.literal('crash'), node, ...period }),
    /** Everything from and to this node takes so much longer. */
    z.strictObject({ kind: z.literal('slow'), node, delayMs: z.number().min(0).max(60_000), ...period }),
    /** Messages get lost: of one link, of one node, or all. */
    z.strictObject({ kind: z.literal('loss'), share, from: node.optional(), to: node.optional(), ...period }),
    /** Nodes of different groups do not reach each other; who is in no group is alone. */
    z.strictObject({
      kind: z.literal('partition'),
      groups: z.array(z.array(node).min(1).max(nodesMax)).min(1).max(nodesMax),
      ...period,
    }),
    /** A faulty sealer, for the whole run (sim/actors.ts). */
    z.strictObject({ kind: z.literal('faulty'), node, as: z.enum(FAULTY) }),
  ],
  { error: 'must have a kind: crash, slow, loss, partition or faulty' },
)

const loadSchema = z.strictObject({ perSecond: z.number().gt(0).max(10_000), ...period })

const points = z.int().min(-creditScoreMax).max(creditScoreMax)

/** What a variant may change. */
const conditions = {
  nodes: z.int().min(1).max(nodesMax),
  policy: name,
  schedule: name,
  /** Weights are recomputed every so many blocks; 0: never. */
  epochBlocks: z.int().min(0).max(1_000_000),
  /** Credit at the start, one a node; all `credit.start` without. */
  scores: z.array(z.int().min(0).max(creditScoreMax)).max(nodesMax),
  /** Weights of the first epoch, one a node, as genesis may give them; the policy's without. */
  weights: z.array(z.int().min(1).max(1_000_000)).max(nodesMax),
  credit: z.strictObject({
    start: z.int().min(0).max(creditScoreMax).optional(),
    points: z.partialRecord(z.enum(CREDIT_REASONS), points).optional(),
  }),
  network: z.strictObject({ delayMs: delays.optional(), loss: share.optional(), duplication: share.optional() }),
  /** Longest time of a sync of the journal, of a commit and of executing a block. */
  work: z.strictObject({
    fsyncMs: z.number().min(0).max(10_000).optional(),
    commitMs: z.number().min(0).max(10_000).optional(),
    executeMs: z.number().min(0).max(10_000).optional(),
  }),
  timers: z.strictObject({
    viewTimeoutMs: z.int().min(1).max(600_000).optional(),
    viewTimeoutMaxMs: z.int().min(1).max(600_000).optional(),
    resendMs: z.int().min(1).max(600_000).optional(),
    idleStatusMs: z.int().min(1).max(600_000).optional(),
    inactivityMs: z.int().min(1).max(600_000).optional(),
    finalizeGraceMs: z.int().min(1).max(600_000).optional(),
  }),
  /** Transactions in a block. */
  blockTransactionsMax: z.int().min(1).max(10_000),
  load: z.array(loadSchema).max(64),
  faults: z.array(faultSchema).max(64),
} as const

const optional = z.strictObject(conditions).partial().shape

export const experimentSchema = z.strictObject({
  title: z.string().min(1).max(200),
  /** How many (1, 2, ...), or which. */
  seeds: z
    .union([
      z.int().min(1).max(seedsMax),
      z
        .array(
          z
            .int()
            .min(0)
            .max(2 ** 31),
        )
        .min(1)
        .max(seedsMax),
    ])
    .default(3),
  durationMs: z.int().min(100).max(durationMsMax).default(60_000),
  /** Modules with further policies and schedules, relative to this file. */
  extensions: z.array(z.string().min(1).max(1_024)).max(16).default([]),
  ...optional,
  /** What is compared: each changes some of the conditions above. */
  variants: z
    .array(z.strictObject({ name, ...optional }))
    .max(variantsMax)
    .default([]),
})

export type ExperimentFile = z.output<typeof experimentSchema>
export type Fault = z.output<typeof faultSchema>
export type Load = z.output<typeof loadSchema>
export type Conditions = Partial<z.output<z.ZodObject<typeof conditions>>>

/** What `concordat sim --print-example` prints. */
export const exampleFile = `# What happens to finality and to the sealers' shares when one sealer crashes and another is slow.
title: Equal weights beside credit
seeds: 3              # or a list: [11, 12]
durationMs: 60000     # virtual time; a minute takes a second or two
nodes: 4
policy: equal
schedule: round-robin
epochBlocks: 50       # weights are computed again every 50 blocks

network:
  delayMs: [1, 10]
  loss: 0
load:
  - { perSecond: 20, toMs: 25000 }
  - { perSecond: 50, fromMs: 35000, toMs: 55000 }   # idle in between
faults:
  - { kind: crash, node: 3, fromMs: 10000, toMs: 20000 }
  - { kind: slow, node: 2, delayMs: 300, fromMs: 35000, toMs: 45000 }
# also: { kind: loss, share: 0.2, from: 1, to: 2 }, { kind: partition, groups: [[1, 2], [3, 4]], fromMs: 1000, toMs: 5000 },
#       { kind: faulty, node: 4, as: silent }   # or withholder, equivocating-proposer, equivocating-voter, bad-blocks

variants:
  - { name: equal }
  - { name: credit, policy: credit, schedule: weighted-round-robin }

# extensions: [../policies/availability.js]   # modules with policies and schedules of your own
`
