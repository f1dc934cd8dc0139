/** What `doctor` and `network status` do: ask the nodes, look at the machine, say what is wrong. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Address } from '../../core/bytes.js'
import { type NetworkNode, readNetwork } from '../network/file.js'
import type { Output } from '../output.js'
import { diagnose, isFine } from './diagnose.js'
import { diagnoseMachine } from './diagnoseMachine.js'
import type { Finding } from './finding.js'
import { type MachineFacts, machineFacts } from './machineFacts.js'
import { type Answer, type Head, type Observation, observe, type Target } from './observation.js'
import { printFindings, printHistory, printNodes, printReasons, printSealers } from './present.js'
import { isOfThisMachine, processFacts } from './processFacts.js'

export interface Diagnosis {
  readonly fine: boolean
  readonly findings: readonly Finding[]
  readonly nodes: readonly Observation[]
}

/** Every node of a network folder; `machine`: also the files, ports and disks of those whose folders are here. */
export async function diagnoseNetwork(dir: string, machine: boolean): Promise<Diagnosis> {
  const network = readNetwork(dir)
  const observations = await observe(network.nodes.map((node) => targetOf(dir, node)))
  const findings = diagnose(observations, { genesisHash: network.genesisHash })
  if (!machine) return diagnosis(findings, observations)
  const files = network.nodes.map(({ name, rpc }) => ({ name, rpc, file: join(dir, name, 'config.yaml') }))
  const here = files.filter(({ file, rpc }) => isOfThisMachine(rpc) && existsSync(file))
  const facts = await Promise.all(here.map(async ({ name, file }) => ({ name, facts: await machineFacts(file) })))
  const local = facts.flatMap(({ name, facts }) => machineFindings(name, facts, observations))
  return diagnosis([...findings, ...withoutRepeats(local, observations)], observations)
}

/** The node of a configuration, on its machine. */
export async function diagnoseConfig(file: string): Promise<Diagnosis> {
  const facts = await machineFacts(resolve(file))
  const { config } = facts
  if (config === null) return diagnosis(diagnoseMachine(file, facts, null), [])
  const { name, rpc } = config
  const logFile = join(dirname(resolve(file)), 'logs', 'node.log')
  const target = {
    name,
    url: urlOf(rpc.tls ? 'https' : 'http', rpc.host, rpc.port),
    ...(facts.address === null ? {} : { address: facts.address }),
    ...(existsSync(logFile) ? { process: processFacts(undefined, logFile) } : {}),
  }
  const observations = await observe([target])
  const findings = diagnose(observations, facts.genesis === null ? {} : { genesisHash: facts.genesis.hash })
  return diagnosis([...findings, ...machineFindings(name, facts, observations)], observations)
}

/** Nodes by their RPC endpoints. */
export async function diagnoseUrls(urls: readonly string[]): Promise<Diagnosis> {
  const observations = (await observe(urls.map((url) => ({ name: new URL(url).host, url })))).map(named)
  return diagnosis(diagnose(observations), observations)
}

export function printDiagnosis(out: Output, { findings, nodes, fine }: Diagnosis): void {
  if (nodes.length > 0) printNodes(out, nodes)
  if (nodes.some(({ answer }) => answer !== null)) {
    printSealers(out, nodes)
    printReasons(out, nodes)
    printHistory(out, nodes)
  }
  printFindings(out, findings)
  out.result({ fine, findings, nodes: nodes.map(summary) })
}

const diagnosis = (findings: readonly Finding[], nodes: readonly Observation[]): Diagnosis => ({
  fine: isFine(findings),
  findings,
  nodes,
})

function targetOf(dir: string, node: NetworkNode): Target {
  const logFile = join(dir, node.name, 'logs', 'node.log')
  return {
    name: node.name,
    url: node.rpc,
    token: node.rpcToken,
    address: node.address,
    ...(isOfThisMachine(node.rpc) ? { process: processFacts(node.pid, logFile) } : {}),
  }
}

function machineFindings(name: string, facts: MachineFacts, observations: readonly Observation[]): Finding[] {
  const answer = observations.find((one) => one.name === name)?.answer
  return diagnoseMachine(name, facts, answer ? { address: answer.consensus.self } : null)
}

/** A peer that was asked itself and is down has its finding already, and one disk or runtime is one, however many nodes use it. */
function withoutRepeats(findings: readonly Finding[], observations: readonly Observation[]): Finding[] {
  const down = new Set(observations.filter(({ answer }) => answer === null).map(({ name }) => name))
  const said = new Set<string>()
  return findings.filter(({ topic, nodes, text }) => {
    if (topic === 'peer' && nodes.some((name) => down.has(name))) return false
    const key = topic === 'machine' || topic === 'disk' ? topic : text
    return !said.has(key) && said.add(key)
  })
}

/** Nodes asked by URL bear the names that they give themselves. */
function named(observation: Observation): Observation {
  const name = observation.answer?.consensus.name
  return name === undefined ? observation : { ...observation, name }
}

/** A wildcard address is no destination. */
function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  const to = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  return `${scheme}://${to}:${port}`
}

/** One node for scripts. */
export type NodeSummary = { readonly name: string; readonly url: string } & (
  | { readonly up: false; readonly address: Address | null; readonly reason: string }
  | ({
      readonly up: true
      readonly address: Address
      readonly view: number
      readonly leader: Address
      readonly why: string
      /** Connected ones. */
      readonly peers: number
    } & Head &
      Omit<Answer, 'head' | 'peers' | 'common'>)
)

function summary({ name, url, address, answer, fault }: Observation): NodeSummary {
  if (answer === null) return { name, url, up: false, address: address ?? null, reason: fault }
  const { consensus, head, peers, common: _compared, ...rest } = answer
  return {
    name,
    url,
    up: true,
    address: consensus.self,
    ...head,
    view: Number(consensus.view),
    leader: consensus.leader,
    why: consensus.why,
    peers: peers.filter((peer) => peer.connected).length,
    ...rest,
    consensus,
  }
}

/** What each node of a network folder says of itself, without judging it. */
export async function networkNodes(dir: string): Promise<readonly NodeSummary[]> {
  return (await observe(readNetwork(dir).nodes.map((node) => targetOf(dir, node)))).map(summary)
}
