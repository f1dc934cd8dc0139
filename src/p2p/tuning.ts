/** Times of the network, in milliseconds of a monotonic clock. Defaults suit a consortium over the internet; tests shorten them. */

export interface NetworkTuning {
  /** A ping is sent to each peer this often. */
  readonly pingIntervalMs: number
  /** A connection from which nothing arrived for this long is closed: a cut link does not close by itself. */
  readonly pingTimeoutMs: number
  /** From an open socket to an agreed frame stream. */
  readonly handshakeTimeoutMs: number
  /** First delay before dialling again; doubles with each failure. */
  readonly redialMs: number
  /** The longest delay before dialling again: a healed link is used again at most this much later. */
  readonly redialMsMax: number
  /** A connection that lived this long resets the delay. */
  readonly stableMs: number
  /** Two connections of one pair made within this time, in opposite directions, are taken as simultaneous. */
  readonly simultaneousMs: number
  /** How long a peer with too many faults is refused. */
  readonly banMs: number
}

export const defaultTuning: NetworkTuning = {
  pingIntervalMs: 1_000,
  pingTimeoutMs: 5_000,
  handshakeTimeoutMs: 4_000,
  redialMs: 100,
  redialMsMax: 2_000,
  stableMs: 5_000,
  simultaneousMs: 4_000,
  banMs: 30_000,
}

/**
 * Delay before the next dial after `failures` in a row: exponential, capped, and spread over its upper half by `random` (0 to 1) so
 * that two peers which lost each other do not dial in step.
 */
export function redialDelayMs(tuning: NetworkTuning, failures: number, random: number): number {
  const whole = Math.min(tuning.redialMsMax, tuning.redialMs * 2 ** Math.min(failures, 20))
  return whole * (0.5 + random / 2)
}
