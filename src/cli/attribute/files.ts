/** Attribute files of `concordat attribute`: read, checked, members that they name by id found on the chain. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Directory } from '../../agent/directory.js'
import type { GenesisAttribute } from '../../contracts/genesisTypes.js'
import { textId } from '../../contracts/textId.js'
import type { Address } from '../../core/bytes.js'
import { attributesMax } from '../../core/limits.js'
import {
  type AttributeEntry,
  attributeSchema,
  idsNamedBy,
  toAttribute,
  unknownMembers,
} from '../../node/attributeFile.js'
import { UsageError } from '../errors.js'

/** Entries of a file with one or a list of them. Throws UsageError naming the field. */
export function readEntries(file: string): AttributeEntry[] {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`cannot read ${file} as JSON: ${(error as Error).message}`)
  }
  const parsed = z
    .array(attributeSchema)
    .min(1)
    .max(attributesMax)
    .safeParse(Array.isArray(json) ? json : [json])
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new UsageError(`${file}: '${issue.path.join('.')}': ${issue.message}`)
}

/** The contract's form of an entry. Throws UsageError when it names a member that the chain does not know. */
export async function resolveEntry(directory: Directory, entry: AttributeEntry): Promise<Required<GenesisAttribute>> {
  const accounts = new Map<string, Address>()
  for (const id of idsNamedBy(entry)) {
    const found = await directory.memberById(textId(id, 'member id'))
    if (found !== null) accounts.set(id, found.account)
  }
  const lookup = (id: string) => accounts.get(id)
  const [unknown] = unknownMembers(entry, lookup)
  if (unknown === undefined) return toAttribute(entry, lookup)
  throw new UsageError(
    `${entry.attribute}: '${unknown.field}': no member has the id '${unknown.name}'; see concordat member`,
  )
}
