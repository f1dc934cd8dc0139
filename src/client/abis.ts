/** Interfaces of the contracts as viem and other Ethereum libraries take them; each one alone, so that what is unused is left out. */
import { parseAbi } from 'viem'
import { auditAbi as audit } from '../contracts/audit.abi.js'
import { consentsAbi as consents } from '../contracts/consents.abi.js'
import { credentialsAbi as credentials } from '../contracts/credentials.abi.js'
import { creditAbi as credit } from '../contracts/credit.abi.js'
import { dataPortraitAbi as dataPortrait } from '../contracts/dataPortrait.abi.js'
import { dataSharingAbi as dataSharing } from '../contracts/dataSharing.abi.js'
import { deliveryAbi as delivery } from '../contracts/delivery.abi.js'
import { eligibilityAbi as eligibility } from '../contracts/eligibility.abi.js'
import { evidenceAbi as evidence } from '../contracts/evidence.abi.js'
import { keyAgreementAbi as keyAgreement } from '../contracts/keyAgreement.abi.js'
import { membersAbi as members } from '../contracts/members.abi.js'
import { provenanceAbi as provenance } from '../contracts/provenance.abi.js'
import { sealersAbi as sealers } from '../contracts/sealers.abi.js'

/** Addresses of the contracts, the same on every chain. */
export { CONTRACT_ADDRESSES as contractAddresses, type ContractName } from '../contracts/addresses.js'

export const auditAbi = /*#__PURE__*/ parseAbi(audit)
export const consentsAbi = /*#__PURE__*/ parseAbi(consents)
export const credentialsAbi = /*#__PURE__*/ parseAbi(credentials)
export const creditAbi = /*#__PURE__*/ parseAbi(credit)
export const dataPortraitAbi = /*#__PURE__*/ parseAbi(dataPortrait)
export const dataSharingAbi = /*#__PURE__*/ parseAbi(dataSharing)
export const deliveryAbi = /*#__PURE__*/ parseAbi(delivery)
export const eligibilityAbi = /*#__PURE__*/ parseAbi(eligibility)
export const evidenceAbi = /*#__PURE__*/ parseAbi(evidence)
export const keyAgreementAbi = /*#__PURE__*/ parseAbi(keyAgreement)
export const membersAbi = /*#__PURE__*/ parseAbi(members)
export const provenanceAbi = /*#__PURE__*/ parseAbi(provenance)
export const sealersAbi = /*#__PURE__*/ parseAbi(sealers)
