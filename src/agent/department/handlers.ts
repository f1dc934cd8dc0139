/** What a department does with a submission, a question or a shared key. Faults of the other side become answers, never exceptions. */
import { ACK_CODE, EXISTENCE } from '../../contracts/codes.js'
import { DataValidation } from '../../contracts/dataFunctions.js'
import type { DataProfile } from '../../contracts/genesisTypes.js'
import { idText } from '../../contracts/textId.js'
import type { Address, Hash } from '../../core/bytes.js'
import { attributeDigest } from '../../crypto/digest.js'
import type {
  DepartmentDatabase,
  EnterpriseLocator,
  PortraitKeyEntry,
  RecordWrite,
} from '../database/departmentDatabase.js'
import type { Directory } from '../directory.js'
import { openValues, type SealedContext, type SealedValues } from '../sealedValues.js'
import type { Carried } from './carried.js'
import { GetConfirm, GetExistence, MeetsPredicate, type RecordSource } from './functions.js'
import type { Answer } from './outbox.js'

export interface HandlerNeeds {
  readonly database: DepartmentDatabase
  readonly directory: Pick<Directory, 'profiles' | 'memberById' | 'predicate'>
  /** X25519 private keys of the department, the current one first. */
  readonly encryptionKeys: readonly Uint8Array[]
  /** Left out where nothing is sealed to a group. */
  readonly joint?: JointNeeds
}

/** What opens envelopes that are for a group and not for the department alone. */
export interface JointNeeds {
  /** Account of the department. */
  readonly self: Address
  /** null when the department does not have it. */
  groupKey(group: Address, keyEpoch: bigint): Promise<Uint8Array | null>
}

export interface StoredOutcome {
  /** ACK_CODE; 0: accepted. */
  readonly code: number
  readonly write?: RecordWrite
  readonly portraitKey?: PortraitKeyEntry
}

/** Opens, checks and validates a part (store protocol, step e); what to write when it is accepted. */
export async function handleStored(carried: Carried, needs: HandlerNeeds): Promise<StoredOutcome> {
  const { context } = carried
  const sealed = await open(carried, needs)
  if (!sealed) return { code: ACK_CODE.cannotOpen }
  const names = context.attributes.map((attribute) => idText(attribute))
  if (names.length !== sealed.values.size || !names.every((name, i) => digestFits(context, i, name, sealed))) {
    return { code: ACK_CODE.digestMismatch }
  }
  const profiles = await needs.directory.profiles()
  if (!names.every((name) => profiles.get(name)?.supervisors.includes(needs.joint?.self ?? context.recipient))) {
    return { code: ACK_CODE.unknownAttribute }
  }
  const values = new Map([...sealed.values].map(([name, { value }]) => [name, value]))
  const validation = DataValidation(profiles, values)
  const canonical = [...values].every(([name, value]) => validation.values.get(name) === value)
  if (!validation.ok || !canonical) return { code: ACK_CODE.invalidValue }
  const locator = await locate(context.enterpriseId, needs.directory, values.get('companyName'))
  const { enterpriseId, portraitVersion } = context
  return {
    code: ACK_CODE.ok,
    write: { locator, values },
    portraitKey: { enterpriseId, portraitVersion, key: sealed.portraitKey },
  }
}

/**
 * Answers each attribute of a question (query protocol, step d). An attribute without a value in the envelope is asked by a
 * predicate, which its digest then names. A question that does not fit its digests is refused.
 * `others`: envelopes of the same request that may be the one in place of the first; at most one opens.
 */
export async function handleQuestion(
  requestId: bigint,
  carried: Carried,
  needs: HandlerNeeds,
  others: readonly Carried[] = [],
): Promise<Answer[]> {
  const { sealed, context } = await openFirst([carried, ...others], needs)
  const profiles = await needs.directory.profiles()
  const enterprise = await locate(context.enterpriseId, needs.directory)
  const names = context.attributes.map((attribute) => idText(attribute))
  const record = await needs.database.find(enterprise, names)
  // All answers speak of one reading of the record.
  const read: RecordSource = { find: async () => record }
  const answers: Answer[] = []
  for (const [index, attribute] of context.attributes.entries()) {
    const name = idText(attribute)
    const profile = profiles.get(name)
    const declared = sealed?.values.get(name)?.value
    let answer: Finding = REFUSED
    if (sealed && profile && declared === undefined) {
      answer = await askPredicate(read, needs.directory, enterprise, profile, context.digests[index]!)
    } else if (sealed && profile && declared !== undefined && digestFits(context, index, name, sealed)) {
      answer = await ask(read, enterprise, name, profile, declared)
    }
    answers.push({ kind: 'answer', requestId, attribute, ...answer })
  }
  return answers
}

/** The key in a share; null when it does not open. */
export function handleKeyShare(carried: Carried, encryptionKeys: readonly Uint8Array[]): PortraitKeyEntry | null {
  const { enterpriseId, portraitVersion } = carried.context
  const sealed = openValues(carried.envelope, encryptionKeys, carried.context)
  return sealed && { enterpriseId, portraitVersion, key: sealed.portraitKey }
}

type Finding = Pick<Answer, 'existence' | 'confirmed'>

const REFUSED: Finding = { existence: EXISTENCE.refused, confirmed: false }

/** Confirmed: the predicate holds. Refused where nobody declared it so for this schema, or the held value cannot be compared. */
async function askPredicate(
  database: RecordSource,
  directory: HandlerNeeds['directory'],
  enterprise: EnterpriseLocator,
  { attribute, schema, schemaVersion }: DataProfile,
  id: Hash,
): Promise<Finding> {
  const predicate = await directory.predicate(id)
  if (predicate?.attribute !== attribute || predicate.schemaVersion !== schemaVersion) return REFUSED
  const name = idText(attribute)
  const existence = await GetExistence(database, enterprise, name)
  if (existence !== EXISTENCE.exists) return { existence, confirmed: false }
  const confirmed = await MeetsPredicate(database, enterprise, name, schema, predicate)
  return confirmed === undefined ? REFUSED : { existence, confirmed }
}

async function open({ envelope, context }: Carried, needs: HandlerNeeds): Promise<SealedValues | null> {
  const { joint, encryptionKeys } = needs
  if (joint === undefined || context.recipient === joint.self) return openValues(envelope, encryptionKeys, context)
  const key = await joint.groupKey(context.recipient, context.keyEpoch)
  return key && openValues(envelope, [key], context)
}

async function openFirst(candidates: readonly [Carried, ...Carried[]], needs: HandlerNeeds) {
  for (const carried of candidates) {
    const sealed = await open(carried, needs)
    if (sealed) return { sealed, context: carried.context }
  }
  return { sealed: null, context: candidates[0].context }
}

async function ask(
  database: RecordSource,
  enterprise: EnterpriseLocator,
  name: string,
  profile: DataProfile,
  declared: string,
): Promise<Finding> {
  const existence = await GetExistence(database, enterprise, name)
  const confirmed =
    existence === EXISTENCE.exists && (await GetConfirm(database, enterprise, name, profile.schema, declared))
  return { existence, confirmed }
}

function digestFits(context: SealedContext, index: number, name: string, sealed: SealedValues): boolean {
  const declared = sealed.values.get(name)
  const attribute = context.attributes[index]
  if (!declared || !attribute) return false
  const { chainId, enterpriseId } = context
  const { schemaVersion, value } = declared
  const digest = attributeDigest({
    portraitKey: sealed.portraitKey,
    chainId,
    enterpriseId,
    attribute,
    schemaVersion,
    value,
  })
  return digest === context.digests[index]
}

/** By credit code and by the name under which the enterprise is registered: a department may keep either. */
async function locate(
  enterpriseId: Hash,
  directory: HandlerNeeds['directory'],
  declaredName?: string,
): Promise<EnterpriseLocator> {
  const member = await directory.memberById(enterpriseId)
  return { companyName: declaredName ?? member?.name ?? '', creditCode: idText(enterpriseId) }
}
