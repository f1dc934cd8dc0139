/** ABI of `sealers`: who seals blocks, with which weight. */
export const sealersAbi = [
  'function sealers() view returns (address[] addresses, uint64[] weights, uint64 epoch)',
  'function isSealer(address account) view returns (bool seals)',
  'function weightPolicy() view returns (string name)',
] as const
