/** All system contracts. */
import type { ContractRegistry } from '../vm/contract.js'
import { audit } from './audit.js'
import { consents } from './consents.js'
import { credentials } from './credentials.js'
import { credit } from './credit.js'
import { dataPortrait } from './dataPortrait.js'
import { dataSharing } from './dataSharing.js'
import { delivery } from './delivery.js'
import { eligibility } from './eligibility.js'
import { evidence } from './evidence.js'
import { keyAgreement } from './keyAgreement.js'
import { members } from './members.js'
import { provenance } from './provenance.js'
import { sealers } from './sealers.js'

const CONTRACTS = [
  members,
  dataPortrait,
  dataSharing,
  keyAgreement,
  credit,
  sealers,
  consents,
  evidence,
  credentials,
  provenance,
  delivery,
  audit,
  eligibility,
]

export const systemContracts: ContractRegistry = new Map(CONTRACTS.map((contract) => [contract.address, contract]))
