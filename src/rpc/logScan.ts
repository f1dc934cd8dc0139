/** Log search over a range of blocks, in slices: the event loop belongs to consensus. */
import { asHeight } from '../core/bytes.js'
import type { ChainApi } from './chainApi.js'
import { prunedHistory, responseTooLarge } from './errors.js'
import { bloomMayMatch, type LogMatcher, matchingLogs } from './logFilter.js'
import type { Slices } from './slices.js'
import type { RpcLog } from './wire.js'

/** JSON of one log without its data and topics, about. */
const LOG_JSON_CHARS = 420
const TOPIC_JSON_CHARS = 69

export class LogScanner {
  constructor(
    readonly api: ChainApi,
    readonly responseBytesMax: number,
  ) {}

  /** Logs of the blocks `from` to `to` (both in). Throws what `slices` throws, -32003 when the answer grows too large. */
  async scan(matcher: LogMatcher, from: number, to: number, slices: Slices): Promise<RpcLog[]> {
    const found: RpcLog[] = []
    let chars = 0
    for (let number = from; number <= to; number++) {
      const pause = slices.pause()
      if (pause) await pause
      for (const log of this.#search(matcher, number)) {
        chars += LOG_JSON_CHARS + TOPIC_JSON_CHARS * log.topics.length + log.data.length
        found.push(log)
      }
      if (chars > this.responseBytesMax) throw responseTooLarge(this.responseBytesMax)
    }
    return found
  }

  #search(matcher: LogMatcher, number: number): readonly RpcLog[] {
    const height = asHeight(number)
    const header = this.api.headerByNumber(height)
    if (header && !bloomMayMatch(matcher, header.logsBloom)) return []
    // Of a pruned block the bloom is enough where it says no.
    if (height > 0 && height < this.api.oldestBlock()) throw prunedHistory(height, this.api.oldestBlock())
    if (!header) return []
    const block = this.api.blockByNumber(height)
    const receipts = this.api.receipts(height)
    return block && receipts ? matchingLogs(matcher, block, receipts) : []
  }
}
