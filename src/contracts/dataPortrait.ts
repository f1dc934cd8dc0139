/** Contract `dataPortrait`: the data portrait library (paper 3.2 (5), 4.1). Departments publish what they supervise and how it may be asked. */
import { type Hash, ZERO_HASH } from '../core/bytes.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { arrayLength } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import {
  approveChange,
  changeOf,
  listAttribute,
  openChanges,
  propose,
  refuseChange,
  withdrawChange,
} from './dataPortraitChanges.js'
import { checkContent, checkKey } from './dataPortraitChecks.js'
import { type Content, codesAt, detailsAt, NO_DETAILS, schemaAt, storeContent } from './dataPortraitContent.js'
import {
  ATTRIBUTES_SLOT,
  dataPortraitInterface as abi,
  mainPlace,
  placeInForce,
  readAttributes,
  readEntryHead,
  readParameters,
  readRule,
  readSupervisors,
  scheduledFrom,
  storeParameters,
} from './dataPortraitStorage.js'
import { contentInForce, readVersion, readVersionAt, versionCount } from './dataPortraitVersions.js'
import { portraitConfigOf } from './genesisDefaults.js'
import type { DataProfile, Details, GenesisConfig, PortraitConfig } from './genesisTypes.js'
import { agreedKey } from './keyAgreement.js'
import { NO_TERMS, readTerms, type Terms } from './sharingTerms.js'

export { dataPortraitInterface } from './dataPortraitStorage.js'

export const dataPortrait = defineContract({
  name: 'dataPortrait',
  version: 2,
  address: CONTRACT_ADDRESSES.dataPortrait,
  abi,
  functions: {
    /** Terms and details stay as they are. */
    SetDataProfile(host, { dataProfile }) {
      const before = contentInForce(host, dataProfile.attribute)
      const { terms = NO_TERMS, details = NO_DETAILS } = before ?? {}
      proposeProfile(host, dataProfile, { terms, details, reason: '', effectiveAt: 0n })
      return undefined
    },
    proposeChange: (host, { dataProfile, ...rest }) => proposeProfile(host, dataProfile, rest),
    approveChange,
    refuseChange,
    withdrawChange,
    changeOf,
    openChanges,

    GetDataProfile: (host) => readAttributes(host).map((attribute) => readProfile(host, attribute)),
    dataProfileOf: (host, { attribute }) => readProfile(host, attribute),
    attributeCount: (host) => BigInt(arrayLength(host, ATTRIBUTES_SLOT)),
    termsOf(host, { attribute }) {
      requireKnown(host, attribute)
      return readTerms(host, attribute)
    },
    detailsOf(host, { attribute }) {
      requireKnown(host, attribute)
      return detailsAt(host, placeInForce(host, attribute).details)
    },
    codeLists: (host) =>
      readAttributes(host)
        .map((attribute) => ({ attribute, codes: codesAt(host, placeInForce(host, attribute).details) }))
        .filter(({ codes }) => codes.length > 0),

    versionCount: (host, { attribute }) => versionCount(host, attribute),
    versionOf: (host, { attribute, number }) => readVersion(host, attribute, number),
    profileAt: (host, { attribute, height }) => readVersionAt(host, attribute, height),
    nextChangeAt: (host) => BigInt(nextChangeAt(host)),
    parameters: readParameters,
  },
})

/** Publishes the attributes of block 0. */
export function initDataPortrait(host: ContractHost, genesis: GenesisConfig): void {
  const config = portraitConfigOf(genesis)
  const fault = configFault(config)
  if (fault !== undefined) throw revert(abi, 'InvalidParameter', { name: fault })
  const { noticeBlocks, changeBlocksMax, changeThreshold } = config
  const { numerator: thresholdNumerator, denominator: thresholdDenominator } = changeThreshold
  storeParameters(host, { noticeBlocks, changeBlocksMax, thresholdNumerator, thresholdDenominator })
  for (const { terms = NO_TERMS, details = NO_DETAILS, ...profile } of genesis.attributes) {
    const { attribute, schemaVersion } = profile
    const before = contentInForce(host, attribute)
    const content = contentOf(profile, terms, details)
    checkKey(host, attribute, content.supervisors, profile.encryptionKey)
    checkContent(host, attribute, content, before)
    storeContent(host, mainPlace(host, attribute), content)
    if (before === undefined) listAttribute(host, attribute)
    emit(host, abi, 'DataProfileSet', { attribute, schemaVersion, by: host.caller })
  }
}

/** Name of the parameter that is out of range. */
function configFault({ noticeBlocks, changeBlocksMax, changeThreshold }: PortraitConfig): string | undefined {
  const { numerator, denominator } = changeThreshold
  const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max
  if (!within(noticeBlocks, 0, 1_000_000)) return 'noticeBlocks'
  if (!within(changeBlocksMax, 1, 1_000_000_000)) return 'changeBlocksMax'
  if (!within(denominator, 1, 1_000_000) || !within(numerator, 1, denominator - 1)) return 'changeThreshold'
  return 2 * numerator < denominator ? 'changeThreshold' : undefined
}

function proposeProfile(
  host: ContractHost,
  profile: DataProfile,
  { terms, details, reason, effectiveAt }: { terms: Terms; details: Details; reason: string; effectiveAt: bigint },
): bigint {
  const { attribute, encryptionKey } = profile
  return propose(host, { attribute, content: contentOf(profile, terms, details), encryptionKey, reason, effectiveAt })
}

function contentOf({ schemaVersion, schema, supervisors, rule }: DataProfile, terms: Terms, details: Details): Content {
  return { schemaVersion, schema, supervisors, rule, terms, details }
}

function requireKnown(host: ContractHost, attribute: Hash) {
  const head = readEntryHead(host, attribute)
  if (head === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  return head
}

function readProfile(host: ContractHost, attribute: Hash): DataProfile {
  const head = requireKnown(host, attribute)
  const supervisors = readSupervisors(host, attribute, head)
  const key = agreedKey(host, supervisors)
  return {
    attribute,
    schemaVersion: head.schemaVersion,
    schema: schemaAt(host, head.entry),
    supervisors,
    encryptionKey: key?.publicKey ?? ZERO_HASH,
    keyEpoch: key?.keyEpoch ?? 0n,
    rule: readRule(host, attribute),
  }
}

/** First block in which a scheduled change will be in force; 0: none is. */
function nextChangeAt(host: ContractHost): number {
  let next = 0
  for (const attribute of readAttributes(host)) {
    host.charge(GAS_STEP)
    const from = scheduledFrom(host, attribute)
    if (from !== 0 && (next === 0 || from < next)) next = from
  }
  return next
}
