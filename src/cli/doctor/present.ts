/** What `doctor` and `network status` print: a row a node, a row a sealer, findings under them. Fits 100 columns. */
import { duration } from '../../consensus/explain.js'
import type { Address } from '../../core/bytes.js'
import type { RpcConsensus } from '../../rpc/wire.js'
import { formatMs, type Output, short } from '../output.js'
import { isSealer, naming } from './diagnose.js'
import type { Finding } from './finding.js'
import type { Answer, Observation } from './observation.js'

const COLUMNS = 100

export function printNodes(out: Output, observations: readonly Observation[]): void {
  const nameOf = naming(observations)
  out.table(
    ['node', 'state', 'height', 'head', 'view', 'leader', 'quorum', 'peers', 'rtt'],
    observations.map(({ name, answer }) =>
      answer === null ? [cut(name), 'down', '-', '-', '-', '-', '-', '-', '-'] : nodeRow(name, answer, nameOf),
    ),
  )
}

function nodeRow(name: string, answer: Answer, nameOf: (address: Address) => string): (string | number)[] {
  const { head, consensus, peers, rttMs } = answer
  const { weightConnected, weightTotal, weightQuorum } = consensus
  const reached = Number(weightConnected) >= Number(weightQuorum)
  return [
    cut(name),
    stateOf(answer),
    head.height,
    short(head.hash, 4),
    Number(consensus.view),
    cut(nameOf(consensus.leader)),
    `${reached ? 'yes' : 'NO'} ${Number(weightConnected)}/${Number(weightTotal)}`,
    `${peers.filter((peer) => peer.connected).length}/${peers.length}`,
    formatMs(rttMs),
  ]
}

function stateOf({ syncing, consensus }: Answer): string {
  if (consensus.halted !== 'no') return 'halted'
  if (syncing !== false) return 'syncing'
  if (!isSealer(consensus)) return 'follows'
  return consensus.stage === 'idle' ? 'idle' : 'voting'
}

/** One row a sealer: how the nodes that answer see it. */
export function printSealers(out: Output, observations: readonly Observation[]): void {
  const nameOf = naming(observations)
  const answers = observations.flatMap(({ answer }) => (answer === null ? [] : [answer]))
  const latest = answers.reduce<RpcConsensus | undefined>(
    (best, { consensus }) => (best === undefined || Number(consensus.view) > Number(best.view) ? consensus : best),
    undefined,
  )
  if (latest === undefined) return
  out.table(
    ['sealer', 'weight', 'connected with', 'heard', `votes, view ${Number(latest.view)}`, 'awaited'],
    latest.sealers.map(({ address, weight, vote, awaited }) => {
      const others = answers.filter(({ consensus }) => consensus.self !== address)
      const seen = others.flatMap(({ consensus }) => consensus.sealers.filter((sealer) => sealer.address === address))
      const ages = seen.flatMap(({ heardAgeMs }) => (heardAgeMs === null ? [] : [heardAgeMs]))
      return [
        cut(nameOf(address)),
        Number(weight),
        seen.length === 0 ? '-' : `${seen.filter(({ connected }) => connected).length} of ${seen.length}`,
        seen.length === 0 ? '-' : ages.length === 0 ? 'never' : `${duration(Math.min(...ages))} ago`,
        vote === 'none' ? '-' : vote,
        awaited === null
          ? '-'
          : `${awaited}${latest.stageAgeMs === null ? '' : ` since ${duration(latest.stageAgeMs)}`}`,
      ]
    }),
  )
}

/** What each node waits for; one line where all say the same. */
export function printReasons(out: Output, observations: readonly Observation[]): void {
  const said = new Map<string, string[]>()
  for (const { name, answer } of observations) {
    if (answer === null) continue
    said.set(answer.consensus.why, [...(said.get(answer.consensus.why) ?? []), name])
  }
  for (const [why, nodes] of said) for (const line of folded(`${nodes.join(', ')}: ${why}`)) out.line(line)
}

/** One line for each node that still fetches the blocks below its snapshot. */
export function printHistory(out: Output, observations: readonly Observation[]): void {
  for (const { name, answer } of observations) {
    if (!answer?.history) continue
    const { checked, total } = answer.history
    out.line(
      `${cut(name)}: history: ${checked === 0 ? 'none' : `blocks 1-${count(checked)}`} of ${count(total)} checked`,
    )
  }
}

const count = (blocks: number): string => blocks.toLocaleString('en')

export function printFindings(out: Output, findings: readonly Finding[]): void {
  const problems = findings.filter(({ severity }) => severity === 'problem')
  const notes = findings.filter(({ severity }) => severity === 'note')
  if (problems.length === 0) out.line('nothing is wrong')
  for (const { text } of problems) for (const line of folded(`PROBLEM  ${text}`, '         ')) out.line(line)
  for (const { text } of notes) for (const line of folded(`note     ${text}`, '         ')) out.line(line)
}

/** Words in lines of at most 100 columns. */
export function folded(text: string, indent = '  '): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    if (line !== '' && line.length + word.trimEnd().length > COLUMNS) {
      lines.push(line.trimEnd())
      line = indent
    }
    line += word
  }
  return [...lines, line.trimEnd()]
}

/** Names are the operator's: a long one must not widen the table. */
const cut = (name: string): string => (name.length > 12 ? `${name.slice(0, 11)}…` : name)
