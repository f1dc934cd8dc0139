/** Contract `dataSharing`: submissions, verification requests, attestations, the user portrait (paper 4.2, 4.3). */
import { defineContract } from '../vm/contract.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { closeRequest } from './answerCredit.js'
import { attest } from './attestation.js'
import {
  countOf,
  dataSharingInterface,
  portraitVersionOf,
  REQUEST_COUNT_SLOT,
  SUBMISSION_COUNT_SLOT,
} from './dataSharingStorage.js'
import { digestBudgetLeft } from './digestBudget.js'
import { contest, decideObjection, objectionAgainst, objectionOf, objectionsFrom } from './objections.js'
import { objectionCount } from './objectionsStorage.js'
import { portraitHeld, usePortrait, usePortraitFor } from './portraitUse.js'
import {
  acknowledge,
  acknowledgedBy,
  partOf,
  portraitKeySharedAt,
  sharePortraitKey,
  storeData,
  submissionOf,
} from './submissions.js'
import {
  getConfirm,
  getExistence,
  getUserProfile,
  portraitEntries,
  reportChange,
  setUserProfile,
} from './userPortrait.js'
import { answerOf, consentOfRequest, requestOf, requestVerification } from './verification.js'

export { dataSharingInterface } from './dataSharingStorage.js'

export const dataSharing = defineContract({
  name: 'dataSharing',
  version: 1,
  address: CONTRACT_ADDRESSES.dataSharing,
  abi: dataSharingInterface,
  functions: {
    StoreData: storeData,
    acknowledge,
    submissionOf,
    partOf,
    acknowledgedBy,
    submissionCount: (host) => countOf(host, SUBMISSION_COUNT_SLOT),
    sharePortraitKey,
    portraitKeySharedAt,
    portraitVersionOf: (host, { enterpriseId }) => portraitVersionOf(host, enterpriseId),
    requestVerification,
    attest,
    closeRequest,
    requestOf,
    answerOf,
    consentOfRequest,
    requestCount: (host) => countOf(host, REQUEST_COUNT_SLOT),
    digestBudgetLeft,
    GetUserProfile: getUserProfile,
    portraitEntries,
    GetExistence: getExistence,
    GetConfirm: getConfirm,
    SetUserProfile: setUserProfile,
    reportChange,
    portraitHeld,
    usePortrait,
    usePortraitFor,
    contest,
    decideObjection,
    objectionOf,
    objectionsFrom,
    objectionAgainst,
    objectionCount: (host) => BigInt(objectionCount(host)),
  },
})
