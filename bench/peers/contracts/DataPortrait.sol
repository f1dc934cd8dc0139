// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Members} from "./Members.sol";

struct Schema { uint8 valueType; uint8 checksum; uint8 caseRule; uint8 scale; uint16 lengthMax; int256 min; int256 max; }
struct Rule { uint8 quorum; uint32 askerRoles; uint8 basis; uint8 delivery; uint64 validityBlocks; uint64 deadlineBlocks; uint16 digestBudget; }

/// The data portrait library (paper 3.2 (5), 4.1), with the ABI and the storage of src/contracts/dataPortrait.ts. Its entries come
/// with the genesis block: SetDataProfile, and the checks of what it would take, are left out.
contract DataPortrait {
    struct DataProfile { bytes32 attribute; uint32 schemaVersion; Schema schema; address[] supervisors; bytes32 encryptionKey; uint64 keyEpoch; Rule rule; }
    struct Entry { address lead; uint32 schemaVersion; uint16 supervisorCount; Rule rule; Schema schema; address[] furtherSupervisors; }

    error UnknownAttribute(bytes32 attribute);

    uint8 private constant ROLE_DEPARTMENT = 2;
    Members private constant MEMBERS = Members(0x0000000000000000000000000000000000C0De01);

    mapping(bytes32 => Entry) private profiles;
    bytes32[] private attributes;

    function GetDataProfile() external view returns (DataProfile[] memory entries) {
        entries = new DataProfile[](attributes.length);
        for (uint256 i = 0; i < entries.length; i++) entries[i] = _read(attributes[i]);
    }

    function dataProfileOf(bytes32 attribute) external view returns (DataProfile memory entry) {
        return _read(attribute);
    }

    function attributeCount() external view returns (uint256 count) {
        return attributes.length;
    }

    struct CodeList { bytes32 attribute; bytes32[] codes; }

    /// No entry changes, and none is bound to a list of codes.
    function nextChangeAt() external view returns (uint64 height) {
        return 0;
    }

    function codeLists() external view returns (CodeList[] memory lists) {
        return new CodeList[](0);
    }

    /// For dataSharing: all attributes in order of registration.
    function attributeList() external view returns (bytes32[] memory) {
        return attributes;
    }

    /// For dataSharing: whether the attribute is known, and whether `account` is one of its supervisors.
    function supervises(bytes32 attribute, address account) external view returns (bool known, bool yes) {
        Entry storage entry = profiles[attribute];
        uint256 count = entry.supervisorCount;
        if (count == 0 || entry.lead == account) return (count != 0, count != 0);
        for (uint256 i = 0; i + 1 < count; i++) if (entry.furtherSupervisors[i] == account) return (true, true);
        return (true, false);
    }

    /// For dataSharing: supervisors, the leading one first, none for an unknown attribute; and the rule.
    function supervisionOf(bytes32 attribute) external view returns (address[] memory supervisors, Rule memory rule) {
        Entry storage entry = profiles[attribute];
        return (_supervisors(entry), entry.rule);
    }

    function _supervisors(Entry storage entry) private view returns (address[] memory supervisors) {
        supervisors = new address[](entry.supervisorCount);
        if (supervisors.length > 0) supervisors[0] = entry.lead;
        for (uint256 i = 1; i < supervisors.length; i++) supervisors[i] = entry.furtherSupervisors[i - 1];
    }

    function _read(bytes32 attribute) private view returns (DataProfile memory profile) {
        Entry storage entry = profiles[attribute];
        if (entry.supervisorCount == 0) revert UnknownAttribute(attribute);
        profile.attribute = attribute;
        profile.schemaVersion = entry.schemaVersion;
        profile.schema = entry.schema;
        profile.supervisors = _supervisors(entry);
        profile.rule = entry.rule;
        if (profile.supervisors.length != 1) return profile;
        (bool active, uint8 role,, bytes32 key, uint64 keyEpoch) = MEMBERS.IdentityAuth(entry.lead);
        if (active && role == ROLE_DEPARTMENT && key != 0) (profile.encryptionKey, profile.keyEpoch) = (key, keyEpoch);
    }
}
