/** Submissions of many enterprises: StoreData transactions made as an enterprise's proxy makes them (paper 4.3, Fig. 6). */
import { createHash } from 'node:crypto'
import type { Connection } from '../../src/agent/connection.js'
import { dataSharing } from '../../src/agent/contractClient.js'
import type { Member } from '../../src/agent/directory.js'
import { sealValues } from '../../src/agent/sealedValues.js'
import { DataDistribution, DataSplit, DataValidation, type Profiles } from '../../src/contracts/dataFunctions.js'
import { type Address, type Hex, toHash, utf8 } from '../../src/core/bytes.js'
import { attributeDigest } from '../../src/crypto/digest.js'
import { type Enterprise, PORTRAIT_VERSION } from '../testbed/population.js'
import type { Testbed } from '../testbed/testbed.js'
import { sendAll, signedCall } from '../testbed/transactions.js'

const GAS_LIMIT = 5_000_000n

/** Each enterprise submits what the departments' records of the dataset hold of it; resolves when all are final. */
export async function submitAll(
  testbed: Testbed,
  enterprises: readonly Enterprise[],
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const connection = await testbed.connectAs('operator')
  try {
    const profiles = await connection.directory.profiles()
    const departments = await supervisors(connection, profiles)
    const make = (index: number) => storeData(connection.chainId, enterprises[index]!, profiles, departments)
    await sendAll(testbed.clients[0]!, enterprises.length, make, onProgress, signal)
  } finally {
    connection.close()
  }
}

async function supervisors({ directory }: Connection, profiles: Profiles): Promise<ReadonlyMap<Address, Member>> {
  const accounts = new Set([...profiles.values()].flatMap((profile) => profile.supervisors))
  const members = await Promise.all([...accounts].map((account) => directory.member(account)))
  return new Map(members.flatMap((member) => (member === null ? [] : [[member.account, member] as const])))
}

function storeData(
  chainId: number,
  enterprise: Enterprise,
  profiles: Profiles,
  departments: ReadonlyMap<Address, Member>,
): Hex {
  const { id: enterpriseId, address: sender, portraitKey } = enterprise
  const { values } = DataValidation(profiles, submittedValues(enterprise))
  const parts = DataDistribution(DataSplit(profiles, values), {
    keyEpoch: (recipient) => departments.get(recipient)!.keyEpoch,
    digest: ({ profile: { attribute, schemaVersion }, value }) =>
      attributeDigest({ portraitKey, chainId, enterpriseId, attribute, schemaVersion, value }),
    seal({ recipient, items }, attributes, digests, keyEpoch) {
      const bound = {
        sender,
        enterpriseId,
        portraitVersion: PORTRAIT_VERSION,
        recipient,
        keyEpoch,
        attributes,
        digests,
      }
      const context = { kind: 'part', chainId, contract: dataSharing.address, ...bound } as const
      const sealed = items.map(
        ({ attribute, profile: { schemaVersion }, value }) => [attribute, { schemaVersion, value }] as const,
      )
      return sealValues({ portraitKey, values: new Map(sealed) }, departments.get(recipient)!.encryptionKey!, context)
    },
  })
  const declaration = utf8(JSON.stringify([...values]))
  const documentHash = toHash(new Uint8Array(createHash('sha256').update(declaration).digest()))
  const submission = { enterpriseId, documentHash, portraitVersion: PORTRAIT_VERSION, parts }
  const call = dataSharing.abi.encodeCall('StoreData', submission)
  return signedCall(chainId, enterprise, dataSharing.address, call, GAS_LIMIT)
}

/** Vacant fields cannot be declared. */
function submittedValues({ company }: Enterprise): ReadonlyMap<string, string> {
  return new Map(company.rows.flatMap(({ values }) => Object.entries(values).filter(([, value]) => value !== '')))
}
