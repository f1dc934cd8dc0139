// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {UserPortrait} from "./UserPortrait.sol";

/// StoreData and what follows it (paper 4.3, Fig. 6): as src/contracts/submissions.ts.
abstract contract Submissions is UserPortrait {
    function StoreData(bytes32 enterpriseId, bytes32 documentHash, uint32 portraitVersion, Part[] calldata parts)
        external
        returns (uint256 submissionId)
    {
        _requireEnterprise(enterpriseId);
        _requireCount("parts", parts.length, PARTS_MAX);
        _advancePortraitVersion(enterpriseId, portraitVersion);
        for (uint256 i = 0; i < parts.length; i++) _checkPart(parts, i);
        submissionId = ++submissions_;
        Submission storage submission = submissions[submissionId];
        submission.enterpriseId = enterpriseId;
        submission.documentHash = documentHash;
        submission.portraitVersion = portraitVersion;
        submission.height = uint64(block.number);
        submission.partCount = uint32(parts.length);
        for (uint256 i = 0; i < parts.length; i++) {
            Part calldata part = parts[i];
            submission.parts[i] = PartState(part.recipient, _attributeSetId(part.attributes), WAITING, 0);
            emit DataStored(submissionId, enterpriseId, part.recipient, uint32(i));
        }
    }

    function _checkPart(Part[] calldata parts, uint256 index) private view {
        Part calldata part = parts[index];
        for (uint256 i = 0; i < index; i++) {
            if (parts[i].recipient == part.recipient) revert DuplicateRecipient(part.recipient);
        }
        (uint64 keyEpoch, uint48 graceUntil) = _requireDepartment(part.recipient);
        _requireCurrentKey(keyEpoch, graceUntil, part.recipient, part.keyEpoch);
        _requireCount("attributes", part.attributes.length, PART_ATTRIBUTES_MAX);
        _requireCount("envelope bytes", part.envelope.length, ENVELOPE_BYTES_MAX);
        if (part.attributes.length != part.digests.length) {
            revert LengthMismatch(part.attributes.length, part.digests.length);
        }
        for (uint256 i = 0; i < part.attributes.length; i++) {
            bytes32 attribute = part.attributes[i];
            _requireSupervisor(part.recipient, attribute);
            if (part.digests[i] == 0) revert ZeroDigest(attribute);
            for (uint256 j = 0; j < i; j++) if (part.attributes[j] == attribute) revert DuplicateAttribute(attribute);
            for (uint256 k = 0; k < index; k++) _checkSameDigest(parts[k], attribute, part.digests[i]);
        }
    }

    /// Supervisors of the same attribute must be given the same value.
    function _checkSameDigest(Part calldata before, bytes32 attribute, bytes32 digest) private pure {
        for (uint256 i = 0; i < before.attributes.length; i++) {
            if (before.attributes[i] == attribute && before.digests[i] != digest) revert ConflictingDigest(attribute);
        }
    }

    function acknowledge(uint256 submissionId, uint32 part, bool accepted, uint16 code) external {
        _requireDepartment(msg.sender);
        Submission storage submission = _openSubmission(submissionId);
        PartState storage state = _openPart(submission, submissionId, part);
        if (state.recipient != msg.sender) revert NotRecipient(msg.sender, submissionId, part);
        if (state.state != WAITING) revert AlreadyAcknowledged(submissionId, part);
        state.state = accepted ? ACCEPTED : REJECTED;
        state.code = code;
        submission.ackedCount++;
        if (accepted) submission.acceptedCount++;
        emit DataAcknowledged(submissionId, msg.sender, part, accepted, code);
        if (!accepted) return;
        bytes32 enterpriseId = submission.enterpriseId;
        bytes32[] memory attributes = sets[state.attributeSet];
        for (uint256 i = 0; i < attributes.length; i++) _dropPortrait(enterpriseId, attributes[i]);
    }

    function submissionOf(uint256 submissionId)
        external
        view
        returns (
            bytes32 enterpriseId,
            bytes32 documentHash,
            uint32 portraitVersion,
            uint64 height,
            uint32 partCount,
            uint32 ackedCount,
            uint32 acceptedCount
        )
    {
        Submission storage s = _openSubmission(submissionId);
        return (s.enterpriseId, s.documentHash, s.portraitVersion, s.height, s.partCount, s.ackedCount, s.acceptedCount);
    }

    function partOf(uint256 submissionId, uint32 part)
        external
        view
        returns (address recipient, bytes32[] memory attributes, bool acknowledged, bool accepted, uint16 code)
    {
        PartState storage state = _openPart(_openSubmission(submissionId), submissionId, part);
        attributes = sets[state.attributeSet];
        return (state.recipient, attributes, state.state != WAITING, state.state == ACCEPTED, state.code);
    }

    function submissionCount() external view returns (uint256 count) {
        return submissions_;
    }

    function sharePortraitKey(bytes32 enterpriseId, uint32 portraitVersion, KeyShare[] calldata shares) external {
        _requireEnterprise(enterpriseId);
        _requireCount("shares", shares.length, KEY_SHARES_MAX);
        _advancePortraitVersion(enterpriseId, portraitVersion);
        for (uint256 i = 0; i < shares.length; i++) {
            KeyShare calldata share = shares[i];
            for (uint256 j = 0; j < i; j++) {
                if (shares[j].recipient == share.recipient) revert DuplicateRecipient(share.recipient);
            }
            (, uint64 keyEpoch, uint48 graceUntil) = _requireMember(share.recipient);
            _requireCurrentKey(keyEpoch, graceUntil, share.recipient, share.keyEpoch);
            _requireCount("envelope bytes", share.envelope.length, ENVELOPE_BYTES_MAX);
            keyShares[enterpriseId][share.recipient] = uint64(block.number);
            emit PortraitKeyShared(enterpriseId, share.recipient, portraitVersion);
        }
    }

    function portraitKeySharedAt(bytes32 enterpriseId, address recipient) external view returns (uint64 height) {
        return keyShares[enterpriseId][recipient];
    }

    function portraitVersionOf(bytes32 enterpriseId) external view returns (uint32 portraitVersion) {
        return versions[enterpriseId];
    }
}
