/**
 * ABI of `audit`: who may look through the records, on whose word, within which bounds; and what anchors the nodes' read
 * logs. An empty list of a scope restricts nothing; a time of 0 is open. A mandate is valid up to its expiry, that included.
 */
export const auditAbi = [
  'struct Scope { bytes32[] enterprises; address[] departments; bytes32[] attributes; bytes32[] purposes; uint64 fromTime; uint64 toTime; }',
  'struct Mandate { address grantee; address regulator; Scope scope; uint64 expiryHeight; uint64 expiryTime; string reason; uint64 grantedAt; uint64 revokedAt; bool valid; }',
  'function grantMandate(address grantee, Scope scope, uint64 expiryHeight, uint64 expiryTime, string reason) returns (uint256 mandateId)',
  'function revokeMandate(uint256 mandateId)',
  'function mandateOf(uint256 mandateId) view returns (Mandate mandate)',
  'function mandatesOf(address grantee) view returns (uint256[] mandateIds)',
  'function mandateCount() view returns (uint256 count)',
  'function anchorReadLog(uint64 sequence, bytes32 hash)',
  'function readLogAnchorOf(address node) view returns (uint64 sequence, bytes32 hash, uint64 height)',
  'event MandateGranted(uint256 indexed mandateId, address indexed grantee, address indexed by, uint64 expiryHeight, uint64 expiryTime, string reason)',
  'event MandateRevoked(uint256 indexed mandateId, address indexed grantee, address indexed by)',
  'event ReadLogAnchored(address indexed node, uint64 indexed sequence, bytes32 hash)',
  'error NotRegulator(address account)',
  'error NotActiveMember(address account)',
  'error InvalidGrantee(address account, uint8 role)',
  'error InvalidReason(uint256 bytesLength, uint256 bytesMax)',
  'error TooManyEntries(string what, uint256 given, uint256 max)',
  'error InvalidPeriod(uint64 fromTime, uint64 toTime)',
  'error ExpiryMissing()',
  'error ExpiryPassed(uint64 expiryHeight, uint64 expiryTime)',
  'error TooManyMandates(address grantee, uint256 mandatesMax)',
  'error UnknownMandate(uint256 mandateId)',
  'error AlreadyRevoked(uint256 mandateId)',
  'error InvalidAnchor(uint64 sequence)',
  'error AnchorNotAhead(uint64 given, uint64 current)',
] as const
