/** Recomputes the chain of a read log and compares it with what its node anchored. */
import { audit } from '../../agent/contractClient.js'
import { clientSource } from '../../agent/trace.js'
import { type Address, fromHex, type Hash } from '../../core/bytes.js'
import { rpcLogRangeBlocksMax } from '../../core/limits.js'
import { isBegun, listReadFiles, scanReadFile } from '../../node/readLogFiles.js'
import type { RpcClient } from '../../rpc/client.js'
import { addressWord } from '../../vm/storage.js'

export interface ReadLogReport {
  /** First and last entry that are there; 0 without any. */
  readonly first: number
  readonly last: number
  /** Anchors that could be compared. */
  readonly anchors: number
  /** In words: what is missing or changed. */
  readonly faults: readonly string[]
}

/** Throws ReadLogError, RpcError or RpcClientError. */
export async function verifyReadLog(client: RpcClient, dir: string, node: Address): Promise<ReadLogReport> {
  return compare(dir, await anchorsOf(client, node))
}

async function anchorsOf(client: RpcClient, node: Address): Promise<Map<number, Hash>> {
  const head = Number(await client.call('eth_blockNumber'))
  const filter = { address: [audit.address], topics: [[audit.abi.topic('ReadLogAnchored')], [addressWord(node)]] }
  const found = new Map<number, Hash>()
  for (let from = 0; from <= head; from += rpcLogRangeBlocksMax) {
    const logs = await clientSource(client).logs([filter], from, Math.min(head, from + rpcLogRangeBlocksMax - 1))
    for (const { topics, data } of logs) {
      const event = audit.abi.decodeEvent('ReadLogAnchored', { topics, data: fromHex(data) })
      if (event) found.set(Number(event.sequence), event.hash)
    }
  }
  return found
}

/** Sequence -> hash of the anchors. */
export function compare(dir: string, anchors: ReadonlyMap<number, Hash>): ReadLogReport {
  const faults: string[] = []
  let first = 0
  let last = 0
  const compared = new Set<number>()
  const check = (sequence: number, hash: Hash): void => {
    const anchored = anchors.get(sequence)
    if (anchored === undefined) return
    // The head of one file is what the next is chained to.
    compared.add(sequence)
    if (anchored !== hash) faults.push(`entry ${sequence} or one before it is not what was anchored`)
  }
  let hash: Hash | undefined
  const files = listReadFiles(dir)
  for (const file of files) {
    // A running node makes files and writes entries meanwhile. What was anchored is missing then all the same.
    const isNewest = file === files.at(-1)
    if (isNewest && !isBegun(file)) break
    const scanned = scanReadFile(file)
    if (hash !== undefined && scanned.first !== last + 1) faults.push(missing(last + 1, scanned.first - 1))
    else if (hash !== undefined && scanned.previous !== hash) faults.push(`entry ${last} or one before it was changed`)
    if (first === 0) first = scanned.first
    check(scanned.first - 1, scanned.previous)
    for (const { record, hash: own } of scanned.records) check(record.sequence, own)
    last = scanned.first + scanned.records.length - 1
    hash = scanned.records.at(-1)?.hash ?? scanned.previous
    if (scanned.fault !== undefined && !(isNewest && scanned.isCut)) faults.push(`${file.path}: ${scanned.fault}`)
  }
  const newest = Math.max(0, ...anchors.keys())
  if (newest > last) faults.push(missing(last + 1, newest))
  return { first, last, anchors: compared.size, faults: [...new Set(faults)] }
}

const missing = (from: number, to: number): string =>
  from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`
