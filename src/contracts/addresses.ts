import type { Address } from '../core/bytes.js'

/** Where the system contracts live: the same on every concordat chain. */
export const CONTRACT_ADDRESSES = {
  members: '0x0000000000000000000000000000000000c0de01' as Address,
  dataPortrait: '0x0000000000000000000000000000000000c0de02' as Address,
  dataSharing: '0x0000000000000000000000000000000000c0de03' as Address,
  keyAgreement: '0x0000000000000000000000000000000000c0de04' as Address,
  credit: '0x0000000000000000000000000000000000c0de05' as Address,
  sealers: '0x0000000000000000000000000000000000c0de06' as Address,
  eligibility: '0x0000000000000000000000000000000000c0de0a' as Address,
  evidence: '0x0000000000000000000000000000000000c0de0b' as Address,
  credentials: '0x0000000000000000000000000000000000c0de0c' as Address,
  provenance: '0x0000000000000000000000000000000000c0de0d' as Address,
  delivery: '0x0000000000000000000000000000000000c0de09' as Address,
  audit: '0x0000000000000000000000000000000000c0de08' as Address,
  consents: '0x0000000000000000000000000000000000c0de07' as Address,
} as const

export type ContractName = keyof typeof CONTRACT_ADDRESSES
