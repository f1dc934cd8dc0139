/**
 * ABI of `dataPortrait`: attribute -> schema, supervising departments, their key, sharing rule (paper 3.2 (5), 4.1).
 * What the numbers mean stands in schema.ts.
 */
export const dataPortraitAbi = [
  'struct Schema { uint8 valueType; uint8 checksum; uint8 caseRule; uint8 scale; uint16 lengthMax; int256 min; int256 max; }',
  'struct Rule { uint8 quorum; uint32 askerRoles; uint8 basis; uint8 delivery; uint64 validityBlocks; uint64 deadlineBlocks; uint16 digestBudget; }',
  'struct DataProfile { bytes32 attribute; uint32 schemaVersion; Schema schema; address[] supervisors; bytes32 encryptionKey; uint64 keyEpoch; Rule rule; }',
  'function SetDataProfile(DataProfile dataProfile)',
  'function GetDataProfile() view returns (DataProfile[] entries)',
  'function dataProfileOf(bytes32 attribute) view returns (DataProfile entry)',
  'function attributeCount() view returns (uint256 count)',
  'event DataProfileSet(bytes32 indexed attribute, uint32 schemaVersion, address indexed by)',
  'error NotSupervisor(address caller, bytes32 attribute)',
  'error NotActiveDepartment(address account)',
  'error JointEntry(bytes32 attribute)',
  'error UnknownAttribute(bytes32 attribute)',
  'error InvalidAttribute(bytes32 attribute)',
  'error InvalidSchema(bytes32 attribute, string reason)',
  'error InvalidRule(bytes32 attribute, string reason)',
  'error InvalidSupervisors(bytes32 attribute, string reason)',
  'error SchemaVersionTooLow(bytes32 attribute, uint32 given, uint32 current)',
  'error EncryptionKeyMissing(address department)',
  'error EncryptionKeyMismatch(bytes32 attribute)',
  'error TooManyAttributes(uint256 attributesMax)',
] as const
