/** The JSON ABIs that abi/ publishes; `npm run abi` writes them. */
import type { Abi } from 'viem'
import { erc165Interface } from '../vm/interfaceId.js'
import { auditInterface } from './auditStorage.js'
import { consentsInterface } from './consentsStorage.js'
import { credentialsInterface } from './credentials.js'
import { creditInterface } from './creditStorage.js'
import { dataPortraitInterface } from './dataPortrait.js'
import { dataSharingInterface } from './dataSharing.js'
import { deliveryInterface } from './deliveryStorage.js'
import { eligibilityInterface } from './eligibility.js'
import { evidenceInterface } from './evidence.js'
import { keyAgreementInterface } from './keyAgreement.js'
import { membersInterface } from './members.js'
import { provenanceInterface } from './provenance.js'
import { sealersInterface } from './sealers.js'

/** The interface of each contract by its name. */
export function systemInterfaces() {
  return {
    members: membersInterface,
    dataPortrait: dataPortraitInterface,
    dataSharing: dataSharingInterface,
    keyAgreement: keyAgreementInterface,
    credit: creditInterface,
    sealers: sealersInterface,
    eligibility: eligibilityInterface,
    evidence: evidenceInterface,
    credentials: credentialsInterface,
    provenance: provenanceInterface,
    delivery: deliveryInterface,
    audit: auditInterface,
    consents: consentsInterface,
  }
}

/** File name in abi/ -> its text. What every contract answers (ERC-165) stands last. */
export function publishedAbis(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(systemInterfaces()).map(([name, { json }]) => [
      `${name}.json`,
      `${JSON.stringify([...json, ...erc165Interface.json].map(asSolidityWrites), null, 2)}\n`,
    ]),
  )
}

/** The ABI specification wants both flags of events said; web3.py reads no event without them. */
function asSolidityWrites(item: Abi[number]): Abi[number] {
  if (item.type !== 'event') return item
  const inputs = item.inputs.map((input) => ({ indexed: false, ...input }))
  return { ...item, anonymous: false, inputs }
}
