/** What `concordat --help` lists. A command's module, and all that it needs, is loaded when its name is called. */
import type { Command } from 'commander'

export interface CommandEntry {
  readonly name: string
  /** Its name with a hint at options and arguments, as the list of commands shows it. */
  readonly usage: string
  readonly description: string
  load(): Promise<Command>
}

const command = (usage: string, description: string, load: () => Promise<Command>): CommandEntry => ({
  name: usage.split(' ', 1)[0]!,
  usage,
  description,
  load,
})

export const COMMANDS: readonly CommandEntry[] = [
  command(
    'demo [options]',
    'four nodes, three departments, the dataset of Table 2 and a tour of both protocols',
    async () => (await import('./commands/demo.js')).demoCommand(),
  ),
  command('network', 'create, start, inspect and stop a network', async () =>
    (await import('./commands/network.js')).networkCommand(),
  ),
  command('node [options]', 'run one node in the foreground (what a service manager starts)', async () =>
    (await import('./commands/node.js')).nodeCommand(),
  ),
  command('doctor [options] [dir]', 'say where each node stands, why nothing moves, and what is wrong', async () =>
    (await import('./commands/doctor.js')).doctorCommand(),
  ),
  command('chain', 'final blocks and states as files; what a node keeps of the past', async () =>
    (await import('./commands/chain.js')).chainCommand(),
  ),
  command('keys', 'create, read and rotate keys', async () => (await import('./commands/keys.js')).keysCommand()),
  command('token', 'make tokens for clients of a node, and the keys to sign them with', async () =>
    (await import('./commands/token.js')).tokenCommand(),
  ),
  command('key-agreement', 'keys that several supervisors of an attribute hold together', async () =>
    (await import('./commands/keyAgreement.js')).keyAgreementCommand(),
  ),
  command('member', 'who takes part: registration, status, keys, recovery', async () =>
    (await import('./commands/member.js')).memberCommand(),
  ),
  command('sealer', 'list the sealers; volunteer, vote on changes of the set, leave, hand a seat over', async () =>
    (await import('./commands/sealer.js')).sealerCommand(),
  ),
  command(
    'dataset',
    "generated records of Table 2: load them into the departments' databases, write declarations from them",
    async () => (await import('./commands/dataset.js')).datasetCommand(),
  ),
  command('department', 'the agent beside a department database', async () =>
    (await import('./commands/department.js')).departmentCommand(),
  ),
  command(
    'attribute',
    'the data portrait: attributes, who supervises them, the rules for asking, and changes of them',
    async () => (await import('./commands/attribute.js')).attributeCommand(),
  ),
  command(
    'declaration',
    'check, hash and prove declarations: plain files, or packages of forms and attachments',
    async () => (await import('./commands/declaration.js')).declarationCommand(),
  ),
  command(
    'submit [options] [declaration]',
    "submit an enterprise's declaration (StoreData), or those of many enterprises",
    async () => (await import('./commands/submit.js')).submitCommand(),
  ),
  command('envelope', 'envelopes that travel from node to node: where they are, their erasure', async () =>
    (await import('./commands/envelope.js')).envelopeCommand(),
  ),
  command(
    'verify [options] <declaration>',
    'check the values of a declaration with the departments that supervise them',
    async () => (await import('./commands/verify.js')).verifyCommand(),
  ),
  command('consent', 'consents of enterprises: sign, show, list, revoke', async () =>
    (await import('./commands/consent.js')).consentCommand(),
  ),
  command(
    'object [options] <attribute>',
    'contest an entry of the own user portrait; the supervising departments decide',
    async () => (await import('./commands/objection.js')).objectCommand(),
  ),
  command('objection', 'objections to entries of user portraits: list, decide', async () =>
    (await import('./commands/objection.js')).objectionCommand(),
  ),
  command(
    'trace [options]',
    'who did what, about whom, on which basis, with which outcome, and how fast: from final blocks',
    async () => (await import('./commands/trace.js')).traceCommand(),
  ),
  command('audit', 'mandates to look through the records, and checks of read logs', async () =>
    (await import('./commands/audit.js')).auditCommand(),
  ),
  command('evidence', 'files that prove a transaction, a portrait or a whole exchange without a node', async () =>
    (await import('./commands/evidence.js')).evidenceCommand(),
  ),
  command('policy', 'service rules over attributes of several departments', async () =>
    (await import('./commands/policy.js')).policyCommand(),
  ),
  command('eligibility', 'decide by a published service rule, without anyone seeing a value', async () =>
    (await import('./commands/eligibility.js')).eligibilityCommand(),
  ),
  command('document', "anchor a document's hash under a member's name; check a copy against it", async () =>
    (await import('./commands/document.js')).documentCommand(),
  ),
  command(
    'credential',
    'electronic certificates and bills: issue, hand on, verify, suspend, revoke, use up',
    async () => (await import('./commands/credential.js')).credentialCommand(),
  ),
  command(
    'batch',
    'trace a batch of goods: steps of several institutions, custody, recall, a page for the public',
    async () => (await import('./commands/batch.js')).batchCommand(),
  ),
  command(
    'sim [options] [file]',
    'run an experiment on consensus in virtual time: policies, schedules, faults, load',
    async () => (await import('./commands/sim.js')).simCommand(),
  ),
  command('bench', "measure: the paper's experiments and more, with a report", async () =>
    (await import('./commands/bench.js')).benchCommand(),
  ),
]
