import { Command } from 'commander'
import { dataSharing, delivery, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { transact } from '../../agent/transact.js'
import { ENVELOPE_KIND } from '../../contracts/codes.js'
import { idText } from '../../contracts/textId.js'
import type { Address, Hash } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { type ConnectionFlags, reading, signedIn, withNode, withSigner } from '../connection.js'
import { UsageError } from '../errors.js'
import { addressArgument, hashArgument } from '../hexArgument.js'
import { createOutput, short } from '../output.js'

interface ListFlags extends ConnectionFlags {
  readonly request?: string
}

interface StatusFlags extends ConnectionFlags {
  readonly sender?: string
  readonly hash?: string
}

interface EraseFlags extends StatusFlags {
  readonly submission?: string
  readonly within: string
}

/** `concordat envelope`: envelopes that travel from node to node (docs/delivery.md). */
export function envelopeCommand(): Command {
  const envelope = new Command('envelope').addHelpText('after', '\nExample:\n  concordat envelope list 1 --network net')
  withNode(
    envelope
      .command('list [submission]')
      .description('envelopes of a submission or a question: who holds them, what is erased')
      .option('--request <id>', 'envelopes of this question'),
  )
    .addHelpText('after', '\nExample:\n  concordat envelope list 1 --network net')
    .action(list)
  withNode(envelope.command('status').description('what a node holds and brings; with --hash, one envelope there'))
    .option('--sender <account>', 'who sent the envelope')
    .option('--hash <hash>', 'SHA-256 of the envelope')
    .addHelpText('after', '\nExample:\n  concordat envelope status --rpc http://127.0.0.1:8545')
    .action(status)
  withSigner(
    envelope
      .command('erase')
      .description('ask all holders to erase the envelopes of a submission, or one envelope')
      .option('--submission <id>', 'all envelopes of this submission')
      .option('--hash <hash>', 'SHA-256 of one envelope')
      .option('--sender <account>', 'who sent it, where that is not the signer')
      .option('--within <blocks>', 'blocks until a holder that has not confirmed is late', '1000'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  concordat envelope erase --submission 1 --network net --key-file enterprise.key',
    )
    .action(erase)
  return envelope
}

async function list(submission: string | undefined, flags: ListFlags): Promise<void> {
  if ((submission === undefined) === (flags.request === undefined)) {
    throw new UsageError('name whose envelopes: the number of a submission, or --request ID')
  }
  const rows = await reading(flags, async (client) => {
    const { sender, hashes } = await envelopesOf(client, submission, flags.request)
    return Promise.all(hashes.map((hash) => rowOf(client, sender, hash)))
  })
  const out = createOutput(flags.json ?? false)
  const [first] = rows
  if (first === undefined) out.line('its envelopes stand in the transaction: everyone keeps them for ever')
  else {
    out.line(`sent by ${first.sender}; --json prints whole hashes`)
    out.table(
      ['envelope', 'bytes', 'kept until block', 'recipient', 'carrier', 'erasure'],
      rows.map((row) => [short(row.hash), row.bytes, row.expiresAt, row.recipient, row.carrier, row.erasure]),
    )
  }
  out.result(rows)
}

/** The first call is for its refusal: there is no such submission or request. */
async function envelopesOf(client: RpcClient, submission: string | undefined, request: string | undefined) {
  if (request !== undefined) {
    const subject = positive(request, '--request')
    await view(client, dataSharing, 'requestOf', { requestId: subject })
    return view(client, delivery, 'envelopesOf', { kind: ENVELOPE_KIND.question, subject })
  }
  const subject = positive(submission ?? '', 'the submission')
  await view(client, dataSharing, 'submissionOf', { submissionId: subject })
  return view(client, delivery, 'envelopesOf', { kind: ENVELOPE_KIND.part, subject })
}

async function rowOf(client: RpcClient, sender: Address, hash: Hash) {
  const directory = createDirectory(client)
  const nameOf = async (account: Address) => {
    const member = await directory.member(account)
    return member === null ? account : idText(member.id)
  }
  const envelope = await view(client, delivery, 'envelopeOf', { sender, hash })
  const erasure = await view(client, delivery, 'erasureOf', { sender, hash })
  const height = BigInt(await client.call('eth_blockNumber'))
  const [recipient, carrier] = await Promise.all([nameOf(envelope.recipient), nameOf(envelope.carrier)])
  const missing = [
    ...(erasure.recipientAt === 0n ? [recipient] : []),
    ...(erasure.carrierAt === 0n && carrier !== recipient ? [carrier] : []),
  ]
  return {
    sender,
    hash,
    bytes: envelope.lengthBytes,
    expiresAt: Number(envelope.expiresAt),
    recipient,
    carrier,
    erasure: erasureText(erasure, missing, height),
  }
}

function erasureText(
  { askedAt, deadline, complete }: { askedAt: bigint; deadline: bigint; complete: boolean },
  missing: readonly string[],
  height: bigint,
): string {
  if (askedAt === 0n) return 'not asked for'
  if (complete) return 'confirmed by all'
  return `${height > deadline ? 'late' : `due by block ${deadline}`}: ${missing.join(', ')}`
}

async function status(flags: StatusFlags): Promise<void> {
  const out = createOutput(flags.json ?? false)
  if (flags.hash === undefined) {
    const { stored, bytes, waiting, owed } = await reading(flags, (client) => client.call('concordat_deliveryTotals'))
    const totals = { stored: Number(stored), bytes: Number(bytes), waiting: Number(waiting), owed: Number(owed) }
    out.line(`envelopes: ${totals.stored}, on disk: ${totals.bytes} bytes, deliveries that wait: ${totals.waiting}`)
    if (totals.owed > 0) out.line(`erasures not confirmed on chain yet: ${totals.owed}`)
    return out.result(totals)
  }
  if (flags.sender === undefined) throw new UsageError('name who sent the envelope: --sender ACCOUNT')
  const sender = readSender(flags.sender)
  const hash = readHash(flags.hash)
  const found = await reading(flags, (client) => client.call('concordat_envelopeStatus', sender, hash))
  out.line(`${short(hash)} is ${found.state} at this node`)
  for (const { address, delivered } of found.recipients)
    out.line(`  ${address}: ${delivered ? 'delivered' : 'waiting'}`)
  out.result(found)
}

async function erase(flags: EraseFlags): Promise<void> {
  if ((flags.submission === undefined) === (flags.hash === undefined)) {
    throw new UsageError('name what to erase: --submission ID, or --hash HASH')
  }
  if (flags.keyFile === undefined) throw new UsageError('name the key of the sender or the enterprise: --key-file FILE')
  const within = positive(flags.within, '--within')
  await signedIn(flags, 'enterprise', async (connection) => {
    const { client, sender } = connection
    // Of the next block, which is the first that can hold the request.
    const deadline = BigInt(await client.call('eth_blockNumber')) + 1n + within
    const { transaction, block } =
      flags.hash === undefined
        ? await transact(connection, delivery, 'requestErasureOf', {
            submissionId: positive(flags.submission ?? '', '--submission'),
            deadline,
          })
        : await transact(connection, delivery, 'requestErasure', {
            sender: flags.sender === undefined ? sender.address : readSender(flags.sender),
            hash: readHash(flags.hash),
            deadline,
          })
    const out = createOutput(flags.json ?? false)
    out.line(`asked in block ${block}: holders confirm until block ${deadline}, see concordat envelope list`)
    out.result({ transaction, block, deadline: Number(deadline) })
  })
}

const readSender = (text: string): Address => addressArgument(text, '--sender')
const readHash = (text: string): Hash => hashArgument(text, '--hash')

function positive(text: string, what: string): bigint {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError(`${what} must be a whole number from 1, got '${text}'`)
  return BigInt(text)
}
