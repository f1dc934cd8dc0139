/** ABI of `evidence`: which member vouched for a document, and when. The chain holds the document's hash alone. */
export const evidenceAbi = [
  'struct Anchor { address signer; uint64 height; uint64 time; bytes32 kind; string note; bool withdrawn; uint64 withdrawnAt; bytes32 supersededBy; }',
  'function anchor(bytes32 documentHash, bytes32 kind, string note)',
  'function withdraw(bytes32 documentHash, bytes32 supersededBy)',
  'function anchorOf(bytes32 documentHash, address signer) view returns (Anchor record)',
  'function anchorsOf(bytes32 documentHash) view returns (Anchor[] records)',
  'function isAnchored(bytes32 documentHash) view returns (bool anchored)',
  'event Anchored(bytes32 indexed documentHash, address indexed signer, bytes32 indexed kind, string note)',
  'event AnchorWithdrawn(bytes32 indexed documentHash, address indexed signer, bytes32 supersededBy)',
  'error NotActiveMember(address account)',
  'error ZeroHash()',
  'error InvalidKind(bytes32 kind)',
  'error NoteTooLong(uint256 bytesLength, uint256 bytesMax)',
  'error AlreadyAnchored(bytes32 documentHash, address signer)',
  'error NotAnchored(bytes32 documentHash, address signer)',
  'error AlreadyWithdrawn(bytes32 documentHash, address signer)',
  'error TooManySigners(bytes32 documentHash, uint256 signersMax)',
] as const
