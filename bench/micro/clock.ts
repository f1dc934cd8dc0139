/** Clocks. CPU time is that of this process, user and system, all threads: other work on the machine changes it little. */

export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** CPU time of one call in µs; calls until `cpuMs` have been used, so that other load does not shorten the measurement. */
export function cpuMicrosPerCall(call: () => unknown, cpuMs: number): number {
  const from = cpuMicros()
  let calls = 0
  let used = 0
  for (let batch = 1; used < cpuMs * 1_000; batch = Math.min(2 * batch, 256)) {
    for (let i = 0; i < batch; i++) call()
    calls += batch
    used = cpuMicros() - from
  }
  return used / calls
}
