import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import {
  consentIdOf,
  consentSigner,
  grantConsent,
  readConsentsOf,
  signConsent,
  signRevocation,
} from '../../agent/consent.js'
import { formatConsent } from '../../agent/consentFile.js'
import { consents } from '../../agent/contractClient.js'
import { transact } from '../../agent/transact.js'
import { attributeId, textId } from '../../contracts/textId.js'
import { EMPTY_BYTES, fromHex, toHash, toHex } from '../../core/bytes.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { type ConnectionFlags, reading, signedIn, withNode, withSigner } from '../connection.js'
import { chainIdOf, namedConsent, requesterOf, untilOf } from '../consent/arguments.js'
import { chainTime, describeConsent, findGranted, standingOf } from '../consent/show.js'
import { CommandError, UsageError } from '../errors.js'
import { inWords } from '../inWords.js'
import { createOutput, type Output, short } from '../output.js'

interface GrantFlags extends ConnectionFlags {
  readonly enterprise: string
  readonly requester: string
  readonly attribute: string[]
  readonly purpose: string
  readonly until: string
  readonly uses: string
  readonly chainId?: string
  readonly out?: string
  readonly send?: boolean
}

interface RevokeFlags extends ConnectionFlags {
  readonly as?: string
  readonly chainId?: string
  readonly signature?: string
  readonly signOnly?: boolean
}

const refused = inWords('consents', {
  NotActiveEnterprise: () => 'the signer is not the enterprise that this is about, or not active; sign with its key',
  InvalidSignature: () => 'the signature is not that of the enterprise, or was made for another chain',
  UnknownConsent: () => 'the chain has no such consent: it was not granted yet',
  AlreadyGranted: () => 'this consent is on chain already; see: concordat consent show',
  AlreadyRevoked: () => 'this consent is revoked already; see: concordat consent show',
  ConsentExpired: () => 'the time of this consent is over; sign another',
})

const collect = (value: string, all: string[]): string[] => [...all, value]

/** `concordat consent`: what an enterprise lets whom ask about it. */
export function consentCommand(): Command {
  const consent = new Command('consent').addHelpText(
    'after',
    '\nExample:\n  concordat consent list --enterprise 91440300708461136T --network net\n\nMore: docs/consent.md',
  )
  addGrant(consent)
  withNode(consent.command('show <consent>').description('a consent, by its file or its id'))
    .addHelpText('after', '\nExample:\n  concordat consent show consent.json --network net')
    .action(show)
  withNode(consent.command('list').description('all consents of an enterprise'))
    .requiredOption('--enterprise <code>', 'unified social credit code')
    .addHelpText('after', '\nExample:\n  concordat consent list --enterprise 91440300708461136T --network net')
    .action(list)
  addRevoke(consent)
  return consent
}

function addGrant(consent: Command): void {
  withSigner(
    consent
      .command('grant')
      .description("the enterprise signs a consent; without a node with --chain-id and a requester's address"),
  )
    .requiredOption('--enterprise <code>', 'unified social credit code of the enterprise that signs')
    .requiredOption(
      '--requester <member>',
      "address or id of the member that may ask; 'any': every one that the rules let ask",
    )
    .requiredOption('--purpose <text>', 'why it may be asked (1 to 32 ASCII characters)')
    .requiredOption('--until <time>', 'last day (2027-03-31) or time (2027-03-31T12:00Z), in UTC')
    .option('--attribute <name>', 'what may be asked; repeat it for several', collect, [])
    .option('--uses <number>', 'questions that it covers; 0: as many as are asked in its time', '0')
    .option('--chain-id <number>', 'sign for this chain, without asking a node')
    .option('--out <file>', 'write the signed consent, to be handed to the department')
    .option('--send', 'put it on chain')
    .addHelpText(
      'after',
      '\nExample:\n  concordat consent grant --enterprise 91440300708461136T --requester government-service --attribute employees \\\n    --purpose policy-declaration --until 2027-03-31 --network net --key-file enterprise.key --out consent.json',
    )
    .action(grant)
}

function addRevoke(consent: Command): void {
  withSigner(
    consent.command('revoke <consent>').description('the enterprise takes a consent back, by its file or its id'),
  )
    .option('--sign-only', 'print the signed revocation, for somebody else to send')
    .option('--chain-id <number>', 'with --sign-only: sign for this chain, without asking a node')
    .option('--signature <hex>', 'send a revocation that the enterprise has signed')
    .option('--as <account>', 'with --signature: whose development key of --network sends')
    .addHelpText('after', '\nExample:\n  concordat consent revoke consent.json --network net --key-file enterprise.key')
    .action(revoke)
}

async function grant(flags: GrantFlags): Promise<void> {
  if (flags.out === undefined && !flags.send)
    throw new UsageError('say what to do with it: --out FILE, --send, or both')
  if (flags.attribute.length === 0) throw new UsageError('name what may be asked: --attribute NAME')
  const uses = Number(flags.uses)
  if (!Number.isInteger(uses) || uses < 0 || uses > 0xffffffff)
    throw new UsageError('--uses must be a number from 0 on')
  const key = await keyOf(flags)
  const consent = {
    requester: await requesterOf(flags, flags.requester),
    enterpriseId: textId(flags.enterprise, '--enterprise'),
    attributes: flags.attribute.map(attributeId),
    purpose: textId(flags.purpose, '--purpose'),
    notAfter: untilOf(flags.until),
    uses,
    salt: toHash(new Uint8Array(randomBytes(32))),
  }
  const signed = signConsent(consent, await chainIdOf(flags), key)
  const id = consentIdOf(signed.chainId, consent)
  if (flags.out !== undefined) writeNew(flags.out, formatConsent(signed))
  if (flags.send) await signedIn(flags, 'enterprise', (connection) => grantConsent(connection, signed)).catch(refused)
  const out = createOutput(flags.json ?? false)
  showFields(out, { id, ...describeConsent(consent) })
  if (flags.out !== undefined) out.line(`written to ${flags.out}: hand it to the department`)
  if (flags.send) out.line('it is on chain')
  out.result({
    id,
    ...describeConsent(consent),
    chainId: signed.chainId,
    file: flags.out ?? null,
    sent: flags.send ?? false,
  })
}

async function show(text: string, flags: ConnectionFlags): Promise<void> {
  const { id, signed } = await namedConsent(text)
  const online = flags.network !== undefined || flags.rpc !== undefined
  if (signed === undefined && !online)
    throw new UsageError('say which node to ask: --network DIR, or --rpc http://host:port')
  const onChain = online
    ? await reading(flags, async (client) => ({
        granted: await findGranted(client, id),
        time: await chainTime(client),
      }))
    : undefined
  const consent = signed?.consent ?? onChain?.granted
  if (consent === undefined) throw new CommandError(`the chain has no consent ${id}: it was not granted yet`)
  const granted = onChain?.granted
  const shown = {
    id,
    ...describeConsent(consent),
    ...(signed && { chainId: signed.chainId, signedBy: consentSigner(signed) }),
    ...(onChain && { onChain: granted === undefined ? 'not granted yet' : standingOf(granted, onChain.time) }),
    ...(granted && { used: granted.used, grantedAt: granted.grantedAt, revokedAt: granted.revokedAt }),
  }
  const out = createOutput(flags.json ?? false)
  showFields(out, shown)
  out.result(shown)
}

async function list(flags: ConnectionFlags & { readonly enterprise: string }): Promise<void> {
  const enterpriseId = textId(flags.enterprise, '--enterprise')
  const rows = await reading(flags, async (client) => {
    const time = await chainTime(client)
    const found = await readConsentsOf(client, enterpriseId)
    return found.map((one) => ({
      id: one.id,
      ...describeConsent(one),
      used: one.used,
      standing: standingOf(one, time),
    }))
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['id', 'requester', 'attributes', 'purpose', 'until', 'used', 'of', 'standing'],
    rows.map((row) => [
      short(row.id),
      short(row.requester),
      row.attributes.join(', '),
      row.purpose,
      row.notAfter,
      row.used,
      row.uses,
      row.standing,
    ]),
  )
  out.result(rows)
}

async function revoke(text: string, flags: RevokeFlags): Promise<void> {
  const { id } = await namedConsent(text)
  const out = createOutput(flags.json ?? false)
  if (flags.signOnly) {
    const signature = toHex(signRevocation(id, await chainIdOf(flags), await keyOf(flags)))
    out.line(`concordat consent revoke ${id} --signature ${signature}`)
    out.result({ id, signature })
    return
  }
  const signature = flags.signature === undefined ? EMPTY_BYTES : fromHex(flags.signature, '--signature')
  const block = await signedIn(flags, flags.as ?? 'enterprise', async (connection) => {
    const revoked = await transact(connection, consents, 'revoke', { id, signature })
    return revoked.block
  }).catch(refused)
  out.line(`${id} is revoked in block ${block}: it binds from the next block`)
  out.result({ id, block })
}

async function keyOf(flags: ConnectionFlags): Promise<Uint8Array> {
  if (flags.keyFile === undefined) throw new UsageError("name the enterprise's key: --key-file FILE")
  return readKeyFile(flags.keyFile, flags.passwordFile)
}

/** Another consent is not overwritten. */
function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw new CommandError(`cannot write ${file} (${(error as NodeJS.ErrnoException).code}): name another file`)
  }
}

function showFields(out: Output, fields: Readonly<Record<string, unknown>>): void {
  out.table(
    ['field', 'value'],
    Object.entries(fields).map(([field, value]) => [field, Array.isArray(value) ? value.join(', ') : String(value)]),
  )
}
