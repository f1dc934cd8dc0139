/**
 * Watches the bytes that reach the yamux muxer of a connection, whose own decoder waits for as many bytes as a header claims (up to 4 GiB)
 * and answers every ping and stream request. Frame layout: https://github.com/hashicorp/yamux/blob/master/spec.md
 * version u8 | type u8 | flags u16 | stream u32 | length u32, then `length` bytes when the type is data.
 */
import { streamWindowBytesMax } from '../core/limits.js'

const HEADER_BYTES = 12
const TYPE_DATA = 0
const TYPE_MAX = 3
const FLAG_SYN = 1

/** Requests (pings, new streams) a connection may make at once and per second; an honest peer makes about one in ten seconds. */
const requestsBurst = 64
const requestsPerSecond = 8
/** Transport frames per second; an honest peer puts what it sends in one tick into one of them. */
const framesPerSecond = 100_000

/** The transport below a peer broke its rules; the connection is to be aborted. */
export class TransportFault extends Error {
  override readonly name = 'TransportFault'
}

export class YamuxGuard {
  readonly #header = new Uint8Array(HEADER_BYTES)
  #filled = 0
  #skip = 0
  #requests = requestsBurst
  #frames = framesPerSecond
  #at: number

  /** `now`: monotonic, in ms. */
  constructor(now: number) {
    this.#at = now
  }

  /** Follows the stream through `chunk`, received at `now`. Throws TransportFault at the first header that breaks a rule. */
  inspect(chunk: Uint8Array, now: number): void {
    this.#refill(now)
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        continue
      }
      this.#header[this.#filled++] = chunk[at++]!
      if (this.#filled === HEADER_BYTES) this.#checkHeader()
    }
  }

  #refill(now: number): void {
    const seconds = (now - this.#at) / 1000
    this.#at = now
    this.#requests = Math.min(requestsBurst, this.#requests + seconds * requestsPerSecond)
    this.#frames = Math.min(framesPerSecond, this.#frames + seconds * framesPerSecond)
  }

  #checkHeader(): void {
    const header = this.#header
    this.#filled = 0
    const type = header[1]!
    if (header[0] !== 0 || type > TYPE_MAX)
      throw new TransportFault('the transport frame has an unknown version or type')
    if (--this.#frames < 0) throw new TransportFault(`more than ${framesPerSecond} transport frames in a second`)
    const isRequest = (header[3]! & FLAG_SYN) !== 0
    if (isRequest && --this.#requests < 0) throw new TransportFault('too many transport pings or streams')
    if (type !== TYPE_DATA) return
    const length = header[8]! * 2 ** 24 + ((header[9]! << 16) | (header[10]! << 8) | header[11]!)
    if (length > streamWindowBytesMax) {
      throw new TransportFault(`transport frame of ${length} bytes, at most ${streamWindowBytesMax} are allowed`)
    }
    this.#skip = length
  }
}
