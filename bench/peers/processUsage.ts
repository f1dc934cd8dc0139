/** CPU time and memory of processes as the kernel counts them: the same measure for programs that know nothing of each other. */
import { readFileSync } from 'node:fs'

export interface ProcessUsage {
  /** User and system time of all threads since the start. */
  readonly cpuSeconds: number
  readonly residentBytes: number
}

/** USER_HZ, which Linux keeps at 100 for /proc on every machine. */
const TICKS_PER_SECOND = 100

/** False where there is no /proc (not Linux). */
export function canMeasureProcesses(): boolean {
  try {
    processUsage(process.pid)
    return true
  } catch {
    return false
  }
}

/** Throws when the process does not exist. */
export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    cpuSeconds: cpuTicks(stat) / TICKS_PER_SECOND,
    residentBytes: 1_024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0),
  }
}

/** utime and stime, fields 14 and 15 of proc(5); the name in field 2 may hold spaces and brackets. */
export function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

export function totalUsage(pids: readonly number[]): ProcessUsage {
  const each = pids.map(processUsage)
  const sum = (pick: (usage: ProcessUsage) => number) => each.reduce((total, usage) => total + pick(usage), 0)
  return { cpuSeconds: sum((usage) => usage.cpuSeconds), residentBytes: sum((usage) => usage.residentBytes) }
}
