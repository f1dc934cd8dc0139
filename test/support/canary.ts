/** Looks for planted values in everything that a network has stored. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

/** A value as it could lie somewhere: as text, as hex of it (RPC, logs), as base64 (JSON). */
export function needlesOf(value: string): readonly Buffer[] {
  const text = Buffer.from(value, 'utf8')
  return [text, Buffer.from(text.toString('hex')), Buffer.from(text.toString('base64').replace(/=+$/, '').slice(0, -1))]
}

export const holds = (haystack: Uint8Array, needles: readonly Buffer[]): boolean => {
  const bytes = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength)
  return needles.some((needle) => bytes.includes(needle))
}

/** Names of the values that are found in a file or below a folder. Databases are read key by key: their files are compressed. Nothing may run on it. */
export async function findValues(path: string, values: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const needles = [...values].map(([name, value]) => [name, needlesOf(value)] as const)
  const found = new Set<string>()
  const look = (bytes: Uint8Array) => {
    for (const [name, own] of needles) if (holds(bytes, own)) found.add(name)
  }
  await walk(path, look)
  return found
}

async function walk(path: string, look: (bytes: Uint8Array) => void): Promise<void> {
  if (!statSync(path).isDirectory()) return look(readFileSync(path))
  if (existsSync(join(path, 'CURRENT'))) await readDatabase(path, look)
  for (const name of readdirSync(path)) await walk(join(path, name), look)
}

async function readDatabase(dir: string, look: (bytes: Uint8Array) => void): Promise<void> {
  const level = new ClassicLevel<Buffer, Buffer>(dir, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await level.open({ createIfMissing: false })
  for await (const [key, value] of level.iterator()) {
    look(key)
    look(value)
  }
  await level.close()
}
