/** What a node process says of its own use of the machine, from its /metrics. */
import type { NetworkNode } from '../../src/cli/network/file.js'

export interface NodeUsage {
  /** CPU time since the process started, all threads. */
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly heapBytes: number
  readonly senderRecoveries: number
  /** 99 of 100 delays of the event loop since it was asked before were shorter, with the 10 ms of the timer that measures them. */
  readonly eventLoopDelayP99Ms: number
}

export async function nodeUsage(node: NetworkNode): Promise<NodeUsage> {
  const text = await (await fetch(node.metrics)).text()
  const read = (name: string): number => {
    const value = new RegExp(`^${name}(?:\\{[^}]*\\})? ([-+.\\de]+)`, 'm').exec(text)?.[1]
    if (value === undefined) throw new Error(`${node.metrics} has no ${name}`)
    return Number(value)
  }
  return {
    cpuSeconds: read('process_cpu_seconds_total'),
    residentBytes: read('process_resident_memory_bytes'),
    heapBytes: read('nodejs_heap_size_used_bytes'),
    senderRecoveries: read('concordat_sender_recoveries'),
    eventLoopDelayP99Ms: read('nodejs_eventloop_lag_p99_seconds') * 1_000,
  }
}
