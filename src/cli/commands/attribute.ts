import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { dataPortrait, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { BASIS, nameOf, QUORUM, ROLE, VALUE_TYPE } from '../../contracts/codes.js'
import type { DataProfile } from '../../contracts/genesisTypes.js'
import { idText, textId } from '../../contracts/textId.js'
import type { Address } from '../../core/bytes.js'
import { type AttributeEntry, attributeSchema, toAttribute } from '../../node/attributeFile.js'
import { type ConnectionFlags, reading, signedIn, withNode, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput, short } from '../output.js'

interface RegisterFlags extends ConnectionFlags {
  readonly as: string
}

/** `concordat attribute`: the data portrait library (which department supervises what, under which rule). */
export function attributeCommand(): Command {
  const attribute = new Command('attribute')
    .description('the data portrait: attributes, who supervises them, the rules for asking')
    .addHelpText('after', '\nExample:\n  concordat attribute list --network net')
  withNode(attribute.command('list').description('all attributes'))
    .addHelpText('after', '\nExample:\n  concordat attribute list --network net')
    .action(list)
  withNode(attribute.command('rule <attribute>').description('schema and sharing rule of one attribute'))
    .addHelpText('after', '\nExample:\n  concordat attribute rule registeredCapital --network net')
    .action(rule)
  withSigner(
    attribute
      .command('register <file>')
      .description('register or change attributes from a JSON file (an entry of genesis.json, or a list of them)')
      .requiredOption('--as <department>', 'a supervising department of the network, whose key signs'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  concordat attribute register attribute.json --network net --as market-regulation',
    )
    .action(register)
  return attribute
}

async function list(flags: ConnectionFlags): Promise<void> {
  const rows = await reading(flags, async (client) => {
    const directory = createDirectory(client)
    const nameOfDepartment = async (account: Address) => {
      const member = await directory.member(account)
      return member === null ? account : idText(member.id)
    }
    const profiles = [...(await directory.profiles()).values()]
    return Promise.all(
      profiles.map(async (profile) => ({
        ...describe(profile),
        departments: await Promise.all(profile.supervisors.map(nameOfDepartment)),
        keyEpoch: Number(profile.keyEpoch),
        encryptionKey: profile.encryptionKey,
      })),
    )
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['attribute', 'type', 'supervised by', 'who may ask', 'key epoch', 'key'],
    rows.map((row) => [
      row.attribute,
      row.type,
      row.departments.join(', '),
      row.askers.join(', '),
      row.keyEpoch,
      short(row.encryptionKey),
    ]),
  )
  out.result(rows)
}

async function rule(name: string, flags: ConnectionFlags): Promise<void> {
  const attribute = textId(name, 'attribute')
  const profile = await reading(flags, (client) => view(client, dataPortrait, 'dataProfileOf', { attribute }))
  const shown = describe(profile)
  const out = createOutput(flags.json ?? false)
  const fields = {
    ...profile.schema,
    ...profile.rule,
    type: shown.type,
    askerRoles: shown.askers.join(', '),
    basis: shown.basis,
    quorum: shown.quorum,
  }
  out.table(
    ['field', 'value'],
    Object.entries(fields).map(([field, value]) => [field, String(value)]),
  )
  out.result({ ...shown, schema: profile.schema, rule: profile.rule, supervisors: profile.supervisors })
}

async function register(file: string, flags: RegisterFlags): Promise<void> {
  const entries = readEntries(file)
  const out = createOutput(flags.json ?? false)
  const done = await signedIn(flags, flags.as, async ({ sender }) => {
    const done = []
    for (const entry of entries) {
      const dataProfile = toAttribute(entry, () => undefined)
      const hash = await sender.send(dataPortrait, 'SetDataProfile', { dataProfile })
      const receipt = await sender.final(hash)
      const attribute = idText(dataProfile.attribute)
      if (receipt.status !== '0x1') throw new CommandError(`${attribute} was refused on chain (transaction ${hash})`)
      out.line(`${attribute} is registered, final in block ${Number(receipt.blockNumber)}`)
      done.push({ attribute, block: Number(receipt.blockNumber) })
    }
    return done
  })
  out.result(done)
}

function readEntries(file: string): AttributeEntry[] {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`cannot read ${file} as JSON: ${(error as Error).message}`)
  }
  const parsed = z
    .array(attributeSchema)
    .min(1)
    .max(1_000)
    .safeParse(Array.isArray(json) ? json : [json])
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new UsageError(`${file}: '${issue.path.join('.')}': ${issue.message}`)
  }
  return parsed.data
}

function describe(profile: DataProfile) {
  return {
    attribute: idText(profile.attribute),
    type: nameOf(VALUE_TYPE, profile.schema.valueType) ?? String(profile.schema.valueType),
    askers: Object.entries(ROLE).flatMap(([name, role]) => ((profile.rule.askerRoles >> role) & 1 ? [name] : [])),
    basis: nameOf(BASIS, profile.rule.basis) ?? String(profile.rule.basis),
    quorum: quorumText(profile.rule.quorum),
  }
}

/** As an attribute file says it. */
function quorumText(quorum: number): string {
  if (quorum === QUORUM.creditWeighted) return 'credit-weighted'
  return nameOf(QUORUM, quorum) ?? String(quorum - 1)
}
