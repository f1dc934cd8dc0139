/** The servers of the portrait benchmark: a node's RPC over a state with a filled portrait, and a bare echo. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { systemContracts } from '../../src/contracts/registry.js'
import { asHeight, toHex, ZERO_HASH } from '../../src/core/bytes.js'
import type { Header } from '../../src/core/header.js'
import { ReadLog } from '../../src/node/readLog.js'
import { PortraitReads } from '../../src/node/readObserver.js'
import type { ChainApi, ChainState } from '../../src/rpc/chainApi.js'
import { startRpcServer } from '../../src/rpc/server.js'
import { callContract } from '../../src/vm/call.js'
import { BLOCK, type FilledPortrait, filledPortrait } from './workload.js'

const ITEMS = 3

export interface PortraitServers {
  readonly rpc: number
  readonly echo: number
  /** Body of the eth_call. */
  readonly body: string
}

/** The part of a node that a look-up touches. */
function chainOf({ state }: FilledPortrait): ChainApi {
  const head = { hash: ZERO_HASH, header: { number: asHeight(1_000) } as Header }
  const call: ChainState['call'] = (request) => callContract(state, BLOCK, request, systemContracts)
  const none = () => () => {}
  const part = {
    chainId: Number(BLOCK.chainId),
    head: () => head,
    state: () => ({ call }) as ChainState,
    poolCounts: () => ({ pending: 0, queued: 0 }),
    onFinalBlock: none,
    onPendingTransaction: none,
  }
  return part as unknown as ChainApi
}

const portrait = filledPortrait(ITEMS)
const { from, to, data } = portrait.request
const body = { jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ from, to, data: toHex(data) }, 'latest'] }
// As a node does, which keeps a record of each read.
const dir = mkdtempSync(join(tmpdir(), 'concordat-reads-'))
const options = { dir, fileBytesMax: 4 * 1024 * 1024, totalBytesMax: 1024 ** 3, flushMs: 100, queueMax: 16_384 }
const log = ReadLog.open(options, { fatal: console.error, warn: console.error })
const reads = new PortraitReads({ log, height: () => asHeight(1_000), now: Date.now })
const needs = { api: chainOf(portrait), onDefect: console.error, reads }
const rpc = await startRpcServer({ host: '127.0.0.1', port: 0 }, needs)
const echo = Fastify({ logger: false })
echo.post('/', (request) => request.body)
await echo.listen({ host: '127.0.0.1', port: 0 })
const { port } = echo.server.address() as AddressInfo
process.once('disconnect', () => {
  rmSync(dir, { recursive: true, force: true })
  process.exit(0)
})
process.send?.({ rpc: rpc.port, echo: port, body: JSON.stringify(body) } satisfies PortraitServers)
