import { Command } from 'commander'
import { credentials, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { hashDocument } from '../../agent/documentHash.js'
import { CREDENTIAL_STATE, nameOf } from '../../contracts/codes.js'
import { idText, isTextId, textId } from '../../contracts/textId.js'
import { type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { type ConnectionFlags, reading, withNode, withSigner } from '../connection.js'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { type ActorFlags, act, memberAddress, wordOf } from '../transact.js'

interface IssueFlags extends ActorFlags {
  readonly type: string
  readonly content: string
  readonly holder?: string
  readonly subject?: string
  readonly validFrom?: string
  readonly validUntil?: string
}

/** `concordat credential`: certificates and bills, from issue to their end. */
export function credentialCommand(): Command {
  const credential = new Command('credential').addHelpText(
    'after',
    '\nExample:\n  concordat credential show bill-2026-001 --network net',
  )
  addTypes(credential)
  addIssue(credential)
  addReads(credential)
  addChanges(credential)
  return credential
}

const withActor = (command: Command): Command =>
  withSigner(command).option('--as <name>', 'with --network: whose development key signs')

function addTypes(credential: Command): void {
  withActor(credential.command('define <type>').description('name a kind of credential, which you then issue'))
    .requiredOption('--name <text>', 'what people call it')
    .option('--transferable', 'holders may hand it on, as bills are')
    .addHelpText(
      'after',
      "\nExample:\n  concordat credential define fiscal-bill --name 'Fiscal bill' --transferable --network net --as finance",
    )
    .action(async (type: string, flags: ActorFlags & { readonly name: string; readonly transferable?: boolean }) => {
      const args = { typeId: textId(type, 'type'), transferable: flags.transferable ?? false, name: flags.name }
      const done = await act(flags, credentials, 'defineType', () => args)
      report(flags, `${type} is defined, final in block ${done.block}`, { type, ...done })
    })
  withActor(credential.command('allow-issuer <type> <member>').description('let another member issue this kind too'))
    .option('--revoke', 'take that back')
    .addHelpText(
      'after',
      '\nExample:\n  concordat credential allow-issuer fiscal-bill market-regulation --network net --as finance',
    )
    .action(async (type: string, member: string, flags: ActorFlags & { readonly revoke?: boolean }) => {
      const allowed = flags.revoke !== true
      const done = await act(flags, credentials, 'setIssuer', async (client) => {
        return { typeId: textId(type, 'type'), issuer: await memberAddress(flags, client, member), allowed }
      })
      const verb = allowed ? 'may now issue' : 'may no longer issue'
      report(flags, `${member} ${verb} ${type}, final in block ${done.block}`, { type, member, allowed, ...done })
    })
}

function addIssue(credential: Command): void {
  withActor(credential.command('issue <id>').description('issue one; the chain keeps the hash of its content'))
    .requiredOption('--type <type>', 'a defined kind')
    .requiredOption('--content <file>', 'the certificate itself; it stays with you and the holder')
    .option('--holder <member>', 'member that holds it; a bill needs one')
    .option('--subject <text>', 'whom it is about: an id, or the hash of one (0x...)')
    .option('--valid-from <time>', 'ISO 8601; default: at once')
    .option('--valid-until <time>', 'ISO 8601; default: for good')
    .addHelpText(
      'after',
      '\nExample:\n  concordat credential issue bill-2026-001 --type fiscal-bill --content bill.json --holder 91440300708461136T --network net --as finance',
    )
    .action(issue)
}

async function issue(id: string, flags: IssueFlags): Promise<void> {
  const contentHash = await hashDocument(flags.content)
  const done = await act(flags, credentials, 'issue', async (client) => ({
    id: wordOf(id, 'id'),
    typeId: textId(flags.type, '--type'),
    holder: flags.holder === undefined ? ZERO_ADDRESS : await memberAddress(flags, client, flags.holder),
    subject: flags.subject === undefined ? ZERO_HASH : wordOf(flags.subject, '--subject'),
    contentHash,
    validFrom: seconds(flags.validFrom, '--valid-from'),
    validUntil: seconds(flags.validUntil, '--valid-until'),
  }))
  report(flags, `${id} is issued, final in block ${done.block}`, { id, contentHash, ...done })
}

function addReads(credential: Command): void {
  withNode(credential.command('show <id>').description('state and holder of a credential'))
    .addHelpText('after', '\nExample:\n  concordat credential show bill-2026-001 --network net')
    .action(async (id: string, flags: ConnectionFlags) => {
      const shown = await reading(flags, (client) => describe(client, wordOf(id, 'id')))
      const out = createOutput(flags.json ?? false)
      out.table(
        ['field', 'value'],
        Object.entries(shown).map(([field, value]) => [field, value === null ? '-' : String(value)]),
      )
      out.result({ id, ...shown })
    })
  withNode(credential.command('verify <id>').description('is this the content, and is it in force now?'))
    .requiredOption('--content <file>', 'what was presented')
    .addHelpText('after', '\nExample:\n  concordat credential verify bill-2026-001 --content bill.json --network net')
    .action(async (id: string, flags: ConnectionFlags & { readonly content: string }) => {
      const contentHash = await hashDocument(flags.content)
      const args = { id: wordOf(id, 'id'), contentHash }
      const found = await reading(flags, (client) => view(client, credentials, 'verifyCredential', args))
      const state = nameOf(CREDENTIAL_STATE, found.state) ?? String(found.state)
      const content = found.contentMatches ? 'the content is the issued one' : 'the content is NOT the issued one'
      report(flags, `${found.valid ? 'VALID' : 'NOT VALID'}: it is ${state}, ${content}`, { id, ...found, state })
      if (!found.valid) process.exitCode = 1
    })
}

function addChanges(credential: Command): void {
  const changes = [
    ['suspend', 'put it out of force for a while', 'suspended'],
    ['reinstate', 'put a suspended one back into force', 'in force again'],
    ['revoke', 'end it', 'revoked'],
    ['redeem', 'the holder uses it up, once', 'redeemed'],
  ] as const
  for (const [name, description, result] of changes) {
    withActor(credential.command(`${name} <id>`).description(description))
      .requiredOption('--reason <text>', 'short, kept on chain: an article, a file number')
      .addHelpText(
        'after',
        `\nExample:\n  concordat credential ${name} bill-2026-001 --reason file-17 --network net --as finance`,
      )
      .action(async (id: string, flags: ActorFlags & { readonly reason: string }) => {
        const args = { id: wordOf(id, 'id'), reason: textId(flags.reason, '--reason') }
        const done = await act(flags, credentials, name, () => args)
        report(flags, `${id} is ${result}, final in block ${done.block}`, { id, ...done })
      })
  }
  withActor(credential.command('transfer <id> <member>').description('hand a bill on'))
    .addHelpText(
      'after',
      '\nExample:\n  concordat credential transfer bill-2026-001 government-service --network net --key-file enterprise.key',
    )
    .action(async (id: string, member: string, flags: ActorFlags) => {
      const done = await act(flags, credentials, 'transfer', async (client) => {
        return { id: wordOf(id, 'id'), to: await memberAddress(flags, client, member) }
      })
      report(flags, `${id} is now held by ${member}, final in block ${done.block}`, { id, to: member, ...done })
    })
}

async function describe(client: RpcClient, id: Hash) {
  const found = await view(client, credentials, 'credentialOf', { id })
  const type = await view(client, credentials, 'typeOf', { typeId: found.typeId })
  const directory = createDirectory(client)
  const nameOfMember = async (account: typeof found.issuer) => (await directory.member(account))?.name ?? account
  return {
    type: type.name,
    state: nameOf(CREDENTIAL_STATE, found.state) ?? String(found.state),
    sinceBlock: Number(found.stateSince),
    reason: readable(found.reason),
    issuer: await nameOfMember(found.issuer),
    holder: found.holder === ZERO_ADDRESS ? null : await nameOfMember(found.holder),
    subject: readable(found.subject),
    contentHash: found.contentHash,
    issuedInBlock: Number(found.issuedAt),
    validFrom: timeText(found.validFrom),
    validUntil: timeText(found.validUntil),
  }
}

const readable = (word: Hash): string | null => (word === ZERO_HASH ? null : isTextId(word) ? idText(word) : word)

const timeText = (time: bigint): string | null => (time === 0n ? null : new Date(Number(time) * 1000).toISOString())

function seconds(text: string | undefined, title: string): bigint {
  if (text === undefined) return 0n
  const ms = Date.parse(text)
  if (Number.isNaN(ms) || ms < 0) throw new UsageError(`${title} must be a time like 2027-01-31T00:00:00Z`)
  return BigInt(Math.floor(ms / 1000))
}

function report(flags: ConnectionFlags, line: string, result: object): void {
  const out = createOutput(flags.json ?? false)
  out.line(line)
  out.result(result)
}
