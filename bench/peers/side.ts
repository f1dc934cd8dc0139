/** One of the systems that `bench peers` measures, running: four nodes, the departments' agents, registered enterprises. */
import { join } from 'node:path'
import type { DatasetOptions } from '../../src/agent/dataset/generate.js'
import { loadDepartments } from '../../src/cli/demo/loadDepartments.js'
import { type NetworkFile, readNetwork } from '../../src/cli/network/file.js'
import { stopProcesses } from '../../src/cli/network/processes.js'
import { createOutput } from '../../src/cli/output.js'
import { compactStore, folderBytes } from '../testbed/disk.js'
import { abortable } from '../testbed/loops.js'
import type { Enterprise } from '../testbed/population.js'
import { Testbed } from '../testbed/testbed.js'
import { runGeth } from './geth.js'
import { GethNetwork, SEALERS } from './gethNetwork.js'
import type { InclusionOptions } from './inclusions.js'
import { withTrouble } from './trouble.js'

export interface Side {
  readonly system: string
  readonly testbed: Testbed
  /** Registered members; they hold what they know of this chain (nonces, fee). */
  readonly enterprises: readonly Enterprise[]
  readonly inclusion: InclusionOptions
  /** Seconds between blocks when nothing hurries; 0: blocks come when they are wanted. */
  readonly periodSeconds: number
  /** Process ids of the nodes. */
  pids(): readonly number[]
  /** Wakes it before it is measured, and lets it rest after. */
  setActive(active: boolean): Promise<void>
  /** `work`, ended early with the signal's reason, or with StandstillError when the chain stands still that should not. */
  unlessStandstill<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  stopAgents(): Promise<void>
  /** Ends the nodes, compacts their stores; resolves with the bytes of all four. */
  disk(signal: AbortSignal): Promise<DiskUse>
  /** What the nodes' logs say of trouble. */
  trouble(): string
  close(): Promise<void>
}

export interface DiskUse {
  readonly bytes: number
  /** Part of it: preallocated, and pruned as it is used. */
  readonly journalBytes: number
}

export interface SideOptions {
  readonly basePort: number
  readonly dataset: DatasetOptions
  readonly enterprises: readonly Enterprise[]
  /** Ends the start early. */
  readonly signal: AbortSignal
}

/** What can be measured: opened as often as it takes. */
export interface System {
  readonly name: string
  /** Its sealers may wait for each other for ever; a fresh network takes its place then. */
  readonly standsStill: boolean
  /** Throws CommandError, StandstillError, or the signal's reason; whatever it started is gone then. */
  open(options: SideOptions): Promise<Side>
}

async function openConcordat({ basePort, dataset, enterprises }: SideOptions): Promise<Side> {
  const testbed = await Testbed.open({ nodes: SEALERS, basePort, agents: true, dataset })
  const { dir } = testbed
  const pidsOf = (kind: 'pid' | 'agentPid') => readNetwork(dir).nodes.flatMap((node) => node[kind] ?? [])
  return {
    system: concordat.name,
    testbed,
    enterprises,
    inclusion: { confirmations: 0, replaceable: 0 },
    periodSeconds: 0,
    pids: () => pidsOf('pid'),
    setActive: async () => {},
    unlessStandstill: (signal, work) => abortable(work(signal), signal),
    stopAgents: () => stopProcesses(pidsOf('agentPid')),
    async disk() {
      await testbed.stop()
      const { nodes } = testbed.network
      const stores = await Promise.all(nodes.map(({ dataDir }) => compactStore(join(dir, dataDir))))
      const journalBytes = sumOf(nodes.map(({ name }) => folderBytes(join(dir, name, 'journal'))))
      return { bytes: sumOf(stores) + journalBytes, journalBytes }
    },
    trouble: () => testbed.trouble(),
    close: () => testbed.close(),
  }
}

/** Seconds between blocks. On demand (period 0) is no choice: four sealers soon stand still, see README.md. */
const PERIOD_SECONDS = 1
const GETH = `geth Clique, period ${PERIOD_SECONDS} s`

async function openGeth(options: SideOptions): Promise<Side> {
  const { basePort, dataset, enterprises, signal } = options
  const prepare = async (dir: string, network: NetworkFile) => {
    const folderOf = (department: string) =>
      join(dir, network.nodes.find((node) => node.department === department)!.name)
    await loadDepartments(folderOf, dataset, createOutput(true, process.stderr))
  }
  const geth = await GethNetwork.open({
    basePort,
    periodSeconds: PERIOD_SECONDS,
    prepare,
    fund: enterprises.map(({ address }) => address),
    signal,
  })
  try {
    await geth.startAgents(signal)
    const testbed = await Testbed.open({
      running: geth.dir,
      replaceable: SEALERS,
      nodes: SEALERS,
      basePort,
      agents: true,
    })
    return gethSide(geth, testbed, enterprises)
  } catch (error) {
    const told = withTrouble(error, geth.trouble(), signal)
    await geth.close()
    throw told
  }
}

function gethSide(geth: GethNetwork, testbed: Testbed, enterprises: readonly Enterprise[]): Side {
  return {
    system: GETH,
    testbed,
    enterprises,
    inclusion: { confirmations: Math.floor(SEALERS / 2), replaceable: testbed.replaceable },
    periodSeconds: PERIOD_SECONDS,
    pids: () => geth.pids,
    setActive: (active) => geth.setSealing(active),
    unlessStandstill: (signal, work) => geth.unlessStandstill(signal, work),
    stopAgents: () => geth.stopAgents(),
    async disk(signal) {
      await testbed.stop()
      await geth.stop()
      const dirs = geth.nodes.map(({ dataDir }) => dataDir)
      for (const dir of dirs) await runGeth(['--datadir', dir, '--verbosity', '1', 'db', 'compact'], signal)
      return { bytes: sumOf(dirs.map((dir) => folderBytes(join(dir, 'geth')))), journalBytes: 0 }
    },
    trouble: () => geth.trouble(),
    async close() {
      await testbed.close()
      await geth.close()
    },
  }
}

export const concordat: System = { name: 'concordat', standsStill: false, open: openConcordat }
export const gethClique: System = { name: GETH, standsStill: true, open: openGeth }

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
