/** From facts about a node's machine to what is wrong with it. Pure. */
import type { Address } from '../../core/bytes.js'
import { type Finding, note, problem } from './finding.js'
import type { FolderFacts, MachineFacts } from './machineFacts.js'

const NODE_VERSION_MIN = [20, 19, 0] as const
const GIB = 1024 ** 3
/** A node that cannot write stops; a journal and a few thousand blocks fit into this. */
const FREE_BYTES_MIN = GIB
const FREE_BYTES_LOW = 5 * GIB

/** The node that answers at the configured RPC port, if any; then ports and locks are its own. */
export interface Running {
  readonly address: Address
}

/** Findings for one node; `name` stands for it in the texts. */
export function diagnoseMachine(name: string, facts: MachineFacts, running: Running | null): Finding[] {
  const own = running !== null && (facts.address === null || running.address === facts.address)
  return [
    ...runtime(name, facts),
    ...configuration(name, facts, own),
    ...folders(name, facts, own),
    ...disk(name, facts),
    ...ports(name, facts, own, running),
    ...peers(name, facts),
  ]
}

function runtime(name: string, { nodeVersion }: MachineFacts): Finding[] {
  const parts = nodeVersion.split('.').map(Number)
  const at = NODE_VERSION_MIN.findIndex((value, i) => parts[i] !== value)
  if (at === -1 || (parts[at] ?? 0) > NODE_VERSION_MIN[at]!) return []
  return [
    problem('machine', [name], `Node.js ${nodeVersion} is too old: install ${NODE_VERSION_MIN.join('.')} or later`),
  ]
}

function configuration(name: string, facts: MachineFacts, own: boolean): Finding[] {
  const { configFault, genesisFault, extensionFault, keyFault, genesis, address } = facts
  const findings: Finding[] = []
  if (configFault !== null) findings.push(problem('config', [name], configFault))
  if (genesisFault !== null) findings.push(problem('config', [name], genesisFault))
  if (extensionFault !== null) findings.push(problem('config', [name], extensionFault))
  if (keyFault !== null) findings.push(problem('key', [name], keyFault))
  if (!own && genesis !== null && address !== null && !genesis.sealers.includes(address))
    findings.push(
      note('key', [name], `${name}'s key ${address} is no sealer of genesis: it seals only once it was voted in`),
    )
  return findings
}

function folders(name: string, { config, data, journal, journalFault }: MachineFacts, own: boolean): Finding[] {
  if (config === null) return []
  const findings = [data, journal].flatMap((folder) => folderFaults(name, folder))
  if (!own && data.lockedBy !== null)
    findings.push(
      problem(
        'data',
        [name],
        `process ${data.lockedBy} uses ${data.dir}, but no node of this key answers: is it starting, or another program?`,
      ),
    )
  // A running node has read its journal, and writes it while it is read here.
  if (!own && journalFault !== null)
    findings.push(
      problem(
        'journal',
        [name],
        `${journal.dir}/consensus.journal cannot be read (${journalFault}): the node will not vote without it; keep the file and see docs/errors.md, JournalError`,
      ),
    )
  if (data.exists && !journal.exists)
    findings.push(
      note(
        'journal',
        [name],
        `${journal.dir} is missing beside ${data.dir}: what this node has voted is unknown, so it will be silent until it cannot have voted (docs/journal.md)`,
      ),
    )
  return findings
}

function folderFaults(name: string, { dir, exists, fault }: FolderFacts): Finding[] {
  if (!exists) return [note('data', [name], `${dir} is not there yet: the node creates it when it starts`)]
  return fault === null
    ? []
    : [problem('data', [name], `${dir} cannot be used by this user (${fault}): mend owner and permissions`)]
}

function disk(name: string, { disk: space, data }: MachineFacts): Finding[] {
  if (space === null || space.freeBytes >= FREE_BYTES_LOW) return []
  const text = `${(space.freeBytes / GIB).toFixed(1)} GiB of ${(space.totalBytes / GIB).toFixed(0)} GiB are free for ${data.dir}`
  return space.freeBytes < FREE_BYTES_MIN
    ? [problem('disk', [name], `${text}: a node that cannot write stops; make room now`)]
    : [note('disk', [name], `${text}: make room soon`)]
}

function ports(name: string, { ports: taken }: MachineFacts, own: boolean, running: Running | null): Finding[] {
  if (own) return []
  return taken.map(({ use, port, fault }) => {
    const who = running === null ? 'by another program' : `by the node ${running.address}`
    const why =
      fault === 'EADDRINUSE'
        ? `is taken ${who}: stop that, or choose another ${use}.port`
        : fault === 'EADDRNOTAVAIL'
          ? `cannot be opened: ${use}.host is no address of this machine`
          : `cannot be opened (${fault})`
    return problem('port', [name], `${use} port ${port} ${why}`)
  })
}

function peers(name: string, { peers: all }: MachineFacts): Finding[] {
  return all.flatMap((peer) =>
    peer.fault === null
      ? []
      : [problem('peer', [name, peer.name], `${peer.name} at ${peer.at.replace(/\/p2p\/.*/, '')}: ${peer.fault}`)],
  )
}
