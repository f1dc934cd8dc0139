/** Queue of events in virtual time; equal times keep their order of arrival. */
export class EventQueue {
  private readonly heap: { at: number; seq: number; run: () => void }[] = []
  private seq = 0
  now = 0

  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.now), seq: this.seq++, run }
    const { heap } = this
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const up = (i - 1) >> 1
      if (!before(event, heap[up]!)) break
      heap[i] = heap[up]!
      i = up
    }
    heap[i] = event
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.now + delayMs, run)
  }

  /** Runs everything due up to `time`. */
  runUntil(time: number, stop: () => boolean): void {
    while (this.heap.length > 0 && this.heap[0]!.at <= time && !stop()) {
      const event = this.pop()
      this.now = event.at
      event.run()
    }
    if (!stop()) this.now = Math.max(this.now, time)
  }

  private pop(): { at: number; seq: number; run: () => void } {
    const { heap } = this
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return top
  }
}

function before(a: { at: number; seq: number }, b: { at: number; seq: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq)
}
