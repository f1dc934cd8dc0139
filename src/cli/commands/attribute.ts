import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { dataPortrait, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { BASIS, nameOf, ROLE, VALUE_TYPE } from '../../contracts/codes.js'
import type { DataProfile } from '../../contracts/genesisTypes.js'
import { idText, textId } from '../../contracts/textId.js'
import { genesisAttributeSchema, toDataProfile } from '../../node/genesisFile.js'
import { type ConnectionFlags, connect, senderOf, withConnection } from '../connection.js'
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
  withConnection(attribute.command('list').description('all attributes')).action(list)
  withConnection(attribute.command('rule <attribute>').description('schema and sharing rule of one attribute')).action(rule)
  withConnection(
    attribute
      .command('register <file>')
      .description('register or change attributes from a JSON file (an entry of genesis.json, or a list of them)')
      .requiredOption('--as <department>', 'a supervising department of the network, whose key signs'),
  )
    .addHelpText('after', '\nExample:\n  concordat attribute register attribute.json --network net --as market-regulation')
    .action(register)
  return attribute
}

async function list(flags: ConnectionFlags): Promise<void> {
  const connection = await connect(flags)
  try {
    const directory = createDirectory(connection.client)
    const profiles = [...(await directory.profiles()).values()]
    const rows = await Promise.all(
      profiles.map(async (profile) => {
        const departments = await Promise.all(
          profile.supervisors.map(async (account) => {
            const member = await directory.member(account)
            return member === null ? account : idText(member.id)
          }),
        )
        return { ...describe(profile), departments, keyEpoch: Number(profile.keyEpoch), encryptionKey: profile.encryptionKey }
      }),
    )
    const out = createOutput(flags.json ?? false)
    out.table(
      ['attribute', 'type', 'supervised by', 'who may ask', 'key epoch', 'key'],
      rows.map((row) => [row.attribute, row.type, row.departments.join(', '), row.askers.join(', '), row.keyEpoch, short(row.encryptionKey)]),
    )
    out.result(rows)
  } finally {
    connection.close()
  }
}

async function rule(name: string, flags: ConnectionFlags): Promise<void> {
  const connection = await connect(flags)
  try {
    const profile = await view(connection.client, dataPortrait, 'dataProfileOf', { attribute: textId(name, 'attribute') })
    const shown = { ...describe(profile), schema: profile.schema, rule: profile.rule, supervisors: profile.supervisors }
    const out = createOutput(flags.json ?? false)
    const fields = { ...profile.schema, ...profile.rule, type: shown.type, askerRoles: shown.askers.join(', '), basis: shown.basis }
    out.table(['field', 'value'], Object.entries(fields).map(([field, value]) => [field, String(value)]))
    out.result(shown)
  } finally {
    connection.close()
  }
}

async function register(file: string, flags: RegisterFlags): Promise<void> {
  const entries = readEntries(file)
  const connection = await connect(flags)
  try {
    const sender = await senderOf(flags, connection, flags.as)
    const out = createOutput(flags.json ?? false)
    const done = []
    for (const dataProfile of entries) {
      const hash = await sender.send(dataPortrait, 'SetDataProfile', { dataProfile })
      const receipt = await sender.final(hash)
      const attribute = idText(dataProfile.attribute)
      if (receipt.status !== '0x1') throw new CommandError(`${attribute} was refused on chain (transaction ${hash})`)
      out.line(`${attribute} is registered, final in block ${Number(receipt.blockNumber)}`)
      done.push({ attribute, block: Number(receipt.blockNumber) })
    }
    out.result(done)
  } finally {
    connection.close()
  }
}

function readEntries(file: string): DataProfile[] {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`cannot read ${file} as JSON: ${(error as Error).message}`)
  }
  const parsed = z.array(genesisAttributeSchema).min(1).max(1_000).safeParse(Array.isArray(json) ? json : [json])
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new UsageError(`${file}: '${issue.path.join('.')}': ${issue.message}`)
  }
  return parsed.data.map(toDataProfile)
}

function describe(profile: DataProfile) {
  return {
    attribute: idText(profile.attribute),
    type: nameOf(VALUE_TYPE, profile.schema.valueType) ?? String(profile.schema.valueType),
    askers: Object.entries(ROLE).flatMap(([name, role]) => ((profile.rule.askerRoles >> role) & 1 ? [name] : [])),
    basis: nameOf(BASIS, profile.rule.basis) ?? String(profile.rule.basis),
  }
}
