/** `concordat member signer`: further keys of a member, for its nodes and services. */

import type { Command } from 'commander'
import { members } from '../../agent/contractClient.js'
import { signerProof } from '../../agent/signerProof.js'
import { transact } from '../../agent/transact.js'
import { SIGNER_KIND, type SignerKindName } from '../../contracts/codes.js'
import { toHex } from '../../core/bytes.js'
import { withNode } from '../connection.js'
import { UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'
import { createOutput } from '../output.js'
import { type ActorFlags, memberAddress } from '../transact.js'
import { acting, looking } from './act.js'
import { withActor } from './decisions.js'
import { keyIn, type NewSignerFlags, newSigner, requireNewSigner } from './keyFiles.js'

interface AddFlags extends ActorFlags, NewSignerFlags {
  readonly kind: string
}

interface ProveFlags extends ActorFlags {
  readonly member: string
  readonly newKeyFile: string
  readonly kind: string
}

export function addSigners(member: Command): void {
  const signer = member
    .command('signer')
    .description('further keys of a member: of a second node, of a service')
    .addHelpText(
      'after',
      '\nExample:\n  concordat member signer add --new-key-file service.key --network net --as finance',
    )
  withNewSigner(withActor(signer.command('add').description("the account's key lets another key act for its member")))
    .option('--kind <kind>', 'node: connects and sends; service: sends only', 'service')
    .addHelpText(
      'after',
      '\nExample:\n  concordat member signer add --new-key-file node2.key --kind node --network net --as finance',
    )
    .action(add)
  withActor(signer.command('remove <address>').description('the key acts no more, and never will again'))
    .addHelpText(
      'after',
      '\nExample:\n  concordat member signer remove 0x52908400098527886e0f7030069857d2e4169ee7 --network net --as finance',
    )
    .action(remove)
  withNode(signer.command('prove').description('where the new key is: sign that it will act for a member'))
    .requiredOption('--member <member>', 'for whom: account or id')
    .requiredOption('--new-key-file <file>', 'the new key; made when the file does not exist')
    .option('--kind <kind>', 'account (rotation, recovery), node or service', 'service')
    .addHelpText(
      'after',
      '\nExample:\n  concordat member signer prove --member finance --new-key-file service.key --rpc http://node2:8545',
    )
    .action(prove)
}

/** Options that name a key that is to act. */
export function withNewSigner(command: Command): Command {
  return command
    .option('--new-key-file <file>', 'the new key; made when the file does not exist')
    .option('--signer <address>', 'a new key that is elsewhere, with --proof')
    .option('--proof <hex>', 'what `concordat member signer prove` printed there')
}

async function add(flags: AddFlags): Promise<void> {
  const kind = kindOf(flags.kind)
  if (kind === 'account')
    throw new UsageError('--kind must be node or service; for the account itself: concordat keys rotate --signing')
  requireNewSigner(flags)
  const added = await acting(flags, async (connection) => {
    const account = await connection.account()
    const named = await newSigner(flags, connection.chainId, account, kind)
    const { block } = await transact(connection, members, 'addSigner', { ...named, kind: SIGNER_KIND[kind] })
    return { account, signer: named.signer, kind, block }
  })
  const out = createOutput(flags.json ?? false)
  out.line(`${added.signer} acts for ${added.account} as ${kind} from block ${added.block + 1} on`)
  out.result(added)
}

async function remove(text: string, flags: ActorFlags): Promise<void> {
  const signer = addressArgument(text)
  const { block } = await acting(flags, (connection) => transact(connection, members, 'removeSigner', { signer }))
  const out = createOutput(flags.json ?? false)
  out.line(`${signer} acts for nobody any more, final in block ${block}`)
  out.result({ signer, block })
}

async function prove(flags: ProveFlags): Promise<void> {
  const kind = kindOf(flags.kind)
  const { member, chainId } = await looking(flags, async (client) => ({
    member: await memberAddress(flags, client, flags.member),
    chainId: Number(await client.call('eth_chainId')),
  }))
  const { signer, proof } = signerProof(await keyIn(flags.newKeyFile), chainId, member, kind)
  const out = createOutput(flags.json ?? false)
  out.line(`--signer ${signer} --proof ${toHex(proof)}`)
  out.result({ signer, proof: toHex(proof), member, kind, chainId })
}

function kindOf(text: string): SignerKindName {
  if (text in SIGNER_KIND) return text as SignerKindName
  throw new UsageError(`--kind must be one of ${Object.keys(SIGNER_KIND).join(', ')}, got '${text}'`)
}
