/** Headers and certificates that make blocks final, as a node has them. */
import type { CertifiedRun } from '../../evidence/format.js'
import { readHeader } from '../../evidence/header.js'
import type { RpcClient } from '../../rpc/client.js'
import type { RpcCertificate } from '../../rpc/wire.js'
import { ExportError } from './exportError.js'

export const hexNumber = (value: number): `0x${string}` => `0x${value.toString(16)}`

/** One run for all heights that the same certificate covers, from the lowest of them to the block that it is for. */
export async function runsOf(client: RpcClient, heights: Iterable<number>): Promise<readonly CertifiedRun[]> {
  const runs: { from: number; certificate: RpcCertificate }[] = []
  for (const height of [...new Set(heights)].sort((a, b) => a - b)) {
    const certificate = await client.call('concordat_getFinalityCertificate', hexNumber(height))
    if (certificate === null) {
      throw new ExportError('NOT_CERTIFIED', `the node has no certificate for block ${height} yet, try again`)
    }
    if (runs.at(-1)?.certificate.blockHash !== certificate.blockHash) runs.push({ from: height, certificate })
  }
  return Promise.all(runs.map(({ from, certificate }) => run(client, from, certificate)))
}

async function run(client: RpcClient, from: number, certificate: RpcCertificate): Promise<CertifiedRun> {
  const to = Number(certificate.blockNumber)
  const heights = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const headers = await Promise.all(heights.map((height) => client.call('debug_getRawHeader', hexNumber(height))))
  return { headers, view: Number(certificate.view), votes: certificate.signatures }
}

/** The last block of each epoch before the latest one in `runs`. */
export async function closingRuns(client: RpcClient, runs: readonly CertifiedRun[]): Promise<readonly CertifiedRun[]> {
  const epochs = Math.max(...runs.map(({ headers }) => readHeader(headers.at(-1)!).epoch))
  const closings: CertifiedRun[] = []
  for (let epoch = 0; epoch < epochs; epoch++) {
    const end = await client.call('concordat_getEpochEnd', hexNumber(epoch))
    if (end === null) throw new ExportError('NOT_CERTIFIED', `the node does not know which block closed epoch ${epoch}`)
    closings.push(...(await runsOf(client, [Number(end)])))
  }
  return closings
}
