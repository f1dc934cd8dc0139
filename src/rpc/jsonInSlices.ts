/** JSON of long lists, member by member: one call over megabytes would keep the event loop for tens of ms. */
import type { Slices } from './slices.js'

/** Lists from here on are worth it. */
const LONG = 128

export const isLong = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length >= LONG

/** What JSON.stringify gives; undefined when it has more than `charsMax` characters. Throws what `slices` throws. */
export async function jsonInSlices(
  list: readonly unknown[],
  slices: Slices,
  charsMax: number,
): Promise<string | undefined> {
  const parts: string[] = []
  let chars = 1
  for (const value of list) {
    const pause = slices.pause()
    if (pause) await pause
    const part = JSON.stringify(value) ?? 'null'
    chars += part.length + 1
    if (chars > charsMax) return undefined
    parts.push(part)
  }
  return `[${parts.join(',')}]`
}
