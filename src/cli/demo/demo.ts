/** `npm start`: four nodes, three departments with their databases, and the tour of scenario.ts. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DepartmentId } from '../../agent/dataset/departments.js'
import { networkNodes } from '../doctor/doctor.js'
import { CommandError } from '../errors.js'
import { createNetwork } from '../network/create.js'
import { type NetworkFile, networkFilePath, readNetwork } from '../network/file.js'
import { downNetwork, type RunningNetwork, startNode, upNetwork } from '../network/lifecycle.js'
import { isRunning, type StartedProcess, stopProcesses, waitReady } from '../network/processes.js'
import { formatMs, type Output, short } from '../output.js'
import { loadDepartments } from './loadDepartments.js'
import { introduction, Scenario, withWrongValues } from './scenario.js'

export interface DemoOptions {
  readonly dir: string
  readonly records: number
  /** End after the scenario. */
  readonly exit: boolean
  /** Reuse the last network. */
  readonly keep: boolean
  readonly basePort: number
}

/** Runs the demo; true when every answer was right. */
export async function runDemo(options: DemoOptions, out: Output): Promise<boolean> {
  const started = performance.now()
  out.line('concordat: departments answer each other about enterprises without copying data\n')
  const reused = options.keep && existsSync(networkFilePath(options.dir))
  const network = reused ? readNetwork(options.dir) : await freshNetwork(options, out)
  out.line(
    `[1] network of ${network.nodes.length} nodes in ${options.dir}, chain id ${network.chainId}, genesis ${short(network.genesisHash)}\n`,
  )
  if (!reused) {
    out.line("[2] the dataset of Table 2 into the departments' databases")
    const folder = (id: DepartmentId) => join(options.dir, network.nodes.find((node) => node.department === id)!.name)
    await loadDepartments(folder, { records: options.records }, out)
    out.line()
  }
  const running = await upNetwork(options.dir, { detached: false, agents: true })
  const restarted: StartedProcess[] = []
  try {
    const right = await tour(options, running.network, restarted, out)
    out.line(
      `${right ? 'every answer was right' : 'SOME ANSWERS WERE WRONG'}; ${formatMs(performance.now() - started)} in all`,
    )
    if (!options.exit) await stayUp(options, running, out)
    return right
  } finally {
    await stopProcesses(restarted.map((process) => process.pid))
    await downNetwork(options.dir)
  }
}

async function freshNetwork(options: DemoOptions, out: Output): Promise<NetworkFile> {
  const { dir, basePort } = options
  if (existsSync(networkFilePath(dir))) {
    const stopped = await downNetwork(dir)
    if (stopped > 0) out.line(`stopped ${stopped} processes of the last demo`)
    rmSync(dir, { recursive: true })
  } else if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new CommandError(`${dir} holds something else than a demo network; choose another folder with --dir`)
  }
  return createNetwork({
    out: dir,
    nodes: 4,
    hosts: [],
    chainId: 20_261,
    basePort,
    baseP2pPort: 30_301 + (basePort - 8_545),
    timestamp: Math.floor(Date.now() / 1_000),
  })
}

async function tour(
  options: DemoOptions,
  network: NetworkFile,
  restarted: StartedProcess[],
  out: Output,
): Promise<boolean> {
  out.line('[3] four node processes, one department agent beside each')
  await showStatus(options.dir, out)
  const scenario = new Scenario(options.dir, network, { records: options.records }, out)
  out.line('[4] the operations centre registers five enterprises')
  const { complete, missing, vacant, partial, absent } = await scenario.register()
  const { truth } = complete.company

  out.line('[5] StoreData: an enterprise submits its declaration, sealed for each supervising department')
  await scenario.submit('submission', complete, truth)
  out.line('[6] cold query: the Government Service Centre asks all supervisors (GetExistence, GetConfirm)')
  await scenario.ask('cold query', { company: complete.company, declared: truth, held: truth, fromPortrait: false })
  out.line('[7] the same query again: answered from the user portrait, one local read')
  await scenario.ask('query from the portrait', {
    company: complete.company,
    declared: truth,
    held: truth,
    fromPortrait: true,
  })

  const { declared, changed } = withWrongValues(truth)
  out.line(`[8] wrong values: the declaration overstates ${changed.join(', ')}`)
  await scenario.ask('query with wrong values', {
    company: complete.company,
    declared,
    held: truth,
    fromPortrait: false,
  })
  for (const [title, enterprise] of [
    ['missing fields', missing],
    ['vacant fields', vacant],
    ['no record in one department', absent],
  ] as const) {
    const { company } = enterprise
    out.line(`[9] ${title}: ${company.truth.companyName} makes itself known, then is asked about`)
    await scenario.submit(`introduction (${title})`, enterprise, introduction(company.truth))
    await scenario.ask(`query with ${title}`, { company, declared: company.truth, fromPortrait: false })
  }

  const killed = network.nodes[3]!
  out.line(`[10] kill -9 of ${killed.name} (pid ${killed.pid}): work goes on with three`)
  process.kill(killed.pid!, 'SIGKILL')
  while (isRunning(killed.pid!)) await delay(5)
  await scenario.submit('submission with three nodes', partial, introduction(partial.company.truth), 0)
  await scenario.ask('cold query with three nodes', {
    company: partial.company,
    declared: partial.company.truth,
    fromPortrait: false,
    as: 'market-regulation',
    node: 0,
  })

  out.line(`[11] ${killed.name} comes back and catches up`)
  const started = performance.now()
  const process4 = startNode(options.dir, killed, false)
  restarted.push(process4)
  await waitReady(`${killed.rpc}/readiness`, process4, 60_000)
  await sameHead(options.dir)
  scenario.results.push({
    step: `${killed.name} back with the same head`,
    ms: performance.now() - started,
    fromPortrait: undefined,
    wrong: [],
  })
  await showStatus(options.dir, out)
  out.line('[12] the node that was away answers from the portrait which it missed')
  await scenario.ask('query through the node that was away', {
    company: partial.company,
    declared: partial.company.truth,
    fromPortrait: true,
  })

  const { results } = scenario
  out.table(
    ['step', 'time', 'answered from', 'result'],
    results.map(({ step, ms, fromPortrait, wrong }) => [
      step,
      formatMs(ms),
      fromPortrait === undefined ? '-' : fromPortrait ? 'portrait' : 'departments',
      wrong.length === 0 ? 'right' : `WRONG: ${wrong[0]}`,
    ]),
  )
  const right = results.every(({ wrong }) => wrong.length === 0)
  out.result({ right, steps: results, nodes: await networkNodes(options.dir) })
  return right
}

/** Waits until all nodes report the same final block and state root. */
async function sameHead(dir: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    const nodes = await networkNodes(dir)
    const heads = new Set(nodes.map((node) => (node.up ? `${node.hash} ${node.stateRoot}` : node.name)))
    if (heads.size === 1 && nodes.every((node) => node.up)) return
    await delay(25)
  }
  throw new CommandError(`the nodes do not agree on one head; see: concordat network status ${dir}`)
}

async function showStatus(dir: string, out: Output): Promise<void> {
  const nodes = await networkNodes(dir)
  out.table(
    ['node', 'height', 'final block', 'state root', 'view', 'peers'],
    nodes.map((node) =>
      node.up
        ? [node.name, node.height, short(node.hash), short(node.stateRoot), node.view, node.peers]
        : [node.name, 'down', '-', '-', '-', '-'],
    ),
  )
  out.line()
}

async function stayUp(options: DemoOptions, running: RunningNetwork, out: Output): Promise<void> {
  out.table(
    ['node', 'JSON-RPC', 'WebSocket', 'metrics'],
    running.network.nodes.map((node) => [node.name, node.rpc, node.ws, node.metrics]),
  )
  out.line(`accounts and contracts: ${networkFilePath(options.dir)}`)
  out.line('the network stays up; Ctrl-C ends it')
  await running.untilStopped()
}
