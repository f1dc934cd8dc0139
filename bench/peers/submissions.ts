/** Submissions without agents: single ones on an idle network, and a closed loop. */
import { setTimeout as delay } from 'node:timers/promises'
import { dataSharing, view } from '../../src/agent/contractClient.js'
import { CommandError } from '../../src/cli/errors.js'
import type { Run } from '../harness/experiment.js'
import { abortable, closedLoop, rateOf } from '../testbed/loops.js'
import { ENVELOPE_BYTES, type Stock, SubmissionMaker } from '../testbed/submissions.js'
import { Inclusions, type Sent } from './inclusions.js'
import { type ProcessUsage, totalUsage } from './processUsage.js'
import type { Side } from './side.js'

export interface LoopShape {
  /** Submissions under way at a time. */
  readonly clients: number
  /** Departments that each goes to. */
  readonly departments: number
  readonly seconds: number
}

const WRITE_DEPARTMENTS = 3
/** Patience with one measurement, while blocks come. */
const TIMEOUT_MS = 60_000

/** From handing over, in ms. */
interface Write {
  readonly includedMs: number
  readonly confirmedMs: number
}

export class Submitting {
  private constructor(
    readonly side: Side,
    private readonly run: Run,
    private readonly maker: SubmissionMaker,
  ) {}

  static async open(side: Side, run: Run): Promise<Submitting> {
    const { clients, network } = side.testbed
    return new Submitting(
      side,
      run,
      await SubmissionMaker.create(clients, network.chainId, side.enterprises, run.settings.seed),
    )
  }

  /** Single submissions on an idle network; `random`: 0 to 1. */
  async writes(signal: AbortSignal, repeat: number, count: number, random: () => number): Promise<void> {
    const { system } = this.side
    const writes = await this.#sending(signal, WRITE_DEPARTMENTS, count, (send, either) =>
      this.#writes(count, random, send, either),
    )
    const series = { system, unit: 'ms', repeat } as const
    this.run.samples(
      { ...series, quantity: 'time to block' },
      writes.map(({ includedMs }) => includedMs),
    )
    const confirmed = writes.map(({ confirmedMs }) => confirmedMs)
    this.run.samples({ ...series, quantity: 'time to final' }, confirmed)
  }

  /** A closed loop. Rows carry the number of clients on their axis. */
  async loop(signal: AbortSignal, repeat: number, shape: LoopShape): Promise<void> {
    const { clients, departments, seconds } = shape
    const before = this.#usage()
    let replaced = 0
    const done = await this.#sending(signal, departments, 2 * clients, async (send, either, inclusions) => {
      const ended = await closedLoop({ operate: () => send().included, signal: either, clients, seconds })
      replaced = inclusions.replaced
      return ended
    })
    const after = this.#usage()
    const { system } = this.side
    const variant = `submissions to ${departments} ${departments === 1 ? 'department' : 'departments'}`
    const series = { system, variant, axis: 'clients', x: clients, repeat }
    const rate = rateOf(done)
    // Only where all came with one block.
    if (Number.isFinite(rate)) this.run.record({ ...series, quantity: 'throughput', unit: '1/s', value: rate })
    this.run.record({ ...series, quantity: 'replaced blocks', unit: 'count', value: replaced })
    if (before === undefined || after === undefined) return
    const cpuMicros = ((after.cpuSeconds - before.cpuSeconds) * 1e6) / done.length / this.#nodes
    this.run.record({ ...series, quantity: 'CPU of a transaction on a node', unit: 'µs', value: cpuMicros })
    this.run.record({ ...series, quantity: 'resident memory', unit: 'bytes', value: after.residentBytes / this.#nodes })
  }

  /** A loop that does not count. */
  async warmUp(signal: AbortSignal, { clients, departments, seconds }: LoopShape): Promise<void> {
    await this.#sending(signal, departments, clients, (send, either) =>
      closedLoop({ operate: () => send().included, signal: either, clients, seconds }),
    )
  }

  async #writes(count: number, random: () => number, send: () => Sent, signal: AbortSignal): Promise<Write[]> {
    const { periodSeconds } = this.side
    const writes: Promise<Write>[] = []
    for (let i = 0; i < count; i++) {
      // At any moment between two blocks: whoever has just seen one always waits for a whole period.
      await delay(random() * periodSeconds * 1_000, undefined, { signal })
      const started = performance.now()
      const { included, confirmed } = send()
      const includedMs = (await abortable(included, signal)) - started
      writes.push(confirmed.then((at) => ({ includedMs, confirmedMs: at - started })))
    }
    return abortable(Promise.all(writes), signal)
  }

  /** Throws CommandError when the contract has not stored all that was done: a refused submission is much cheaper. */
  async #sending<T extends readonly unknown[]>(
    signal: AbortSignal,
    departments: number,
    stocked: number,
    work: (send: () => Sent, signal: AbortSignal, inclusions: Inclusions) => Promise<T>,
  ): Promise<T> {
    const stock = this.maker.stock({ departments, envelopeBytes: ENVELOPE_BYTES }, stocked)
    const { clients } = this.side.testbed
    const inclusions = await Inclusions.open(clients, this.side.inclusion)
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const before = await this.#stored()
    try {
      const done = await work(() => inclusions.send(stock.next()), AbortSignal.any([signal, timeout]), inclusions)
      const stored = (await this.#stored()) - before
      if (stored < done.length)
        throw new CommandError(`${this.side.system} stored ${stored} of ${done.length} submissions`)
      return done
    } catch (error) {
      throw timeout.aborted && !signal.aborted ? this.#late(stock) : error
    } finally {
      inclusions.stop()
      stock.release()
    }
  }

  #late(stock: Stock): CommandError {
    const limit = TIMEOUT_MS / 1_000
    return new CommandError(
      `${this.side.system} did not get through with ${stock.taken} submissions within ${limit} s, though it made blocks`,
    )
  }

  async #stored(): Promise<number> {
    return Number(await view(this.side.testbed.clients[0]!, dataSharing, 'submissionCount', {}))
  }

  get #nodes(): number {
    return this.side.pids().length
  }

  #usage(): ProcessUsage | undefined {
    try {
      return totalUsage(this.side.pids())
    } catch {
      return undefined
    }
  }
}
