/** ABI of `keyAgreement`: the key under which values for one or several supervising departments are sealed (paper 3.2 (2)). */
export const keyAgreementAbi = [
  'function KeyAgreement(address[] departments) view returns (bytes32 publicKey, uint64 keyEpoch)',
  'error NoDepartments()',
  'error NotActiveDepartment(address account)',
  'error EncryptionKeyMissing(address department)',
  'error GroupKeyNotAgreed(address[] departments)',
] as const
