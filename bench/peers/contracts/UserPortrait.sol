// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Rule} from "./DataPortrait.sol";
import {DataSharingState} from "./DataSharingState.sol";

/// The user portrait library (paper 3.2 (5), 4.3 (c)): as src/contracts/userPortrait.ts.
abstract contract UserPortrait is DataSharingState {
    /// A supervisor that alone answers for an attribute reports or corrects a value without being asked.
    function SetUserProfile(bytes32 enterpriseId, bytes32 attribute, bytes32 digest, uint8 existence, bool confirmed) external {
        _requireDepartment(msg.sender);
        (address[] memory supervisors,) = PORTRAIT.supervisionOf(attribute);
        if (supervisors.length == 0) revert UnknownAttribute(attribute);
        if (supervisors.length != 1 || supervisors[0] != msg.sender) revert NotSoleSupervisor(msg.sender, attribute);
        if (digest == 0) revert ZeroDigest(attribute);
        _checkFinding(existence, confirmed);
        if (existence == REFUSED) revert InvalidExistence(existence);
        _writePortrait(enterpriseId, attribute, Item(digest, existence, confirmed, 1, 0, 0), supervisors);
    }

    function reportChange(bytes32 enterpriseId, bytes32[] calldata attributes) external {
        _requireDepartment(msg.sender);
        _requireCount("attributes", attributes.length, REPORT_ATTRIBUTES_MAX);
        for (uint256 i = 0; i < attributes.length; i++) {
            _requireSupervisor(msg.sender, attributes[i]);
            _dropPortrait(enterpriseId, attributes[i]);
        }
    }

    function portraitEntries(bytes32 enterpriseId, AskedItem[] calldata items)
        external
        view
        returns (PortraitEntry[] memory entries)
    {
        _requireCount("items", items.length, ITEMS_MAX);
        entries = new PortraitEntry[](items.length);
        for (uint256 i = 0; i < items.length; i++) {
            Portrait storage portrait = portraits[enterpriseId][items[i].attribute];
            Finding storage finding = portrait.findings[items[i].digest];
            if (!_isValid(portrait, finding) || _needsBasis(items[i].attribute)) continue;
            entries[i] =
                PortraitEntry(true, finding.existence, finding.confirmed, finding.height, _attestersOf(finding));
        }
    }

    function GetUserProfile(bytes32 enterpriseId) external view returns (ProfileEntry[] memory entries) {
        bytes32[] memory attributes = PORTRAIT.attributeList();
        uint256 most = 0;
        for (uint256 i = 0; i < attributes.length; i++) most += _listed(portraits[enterpriseId][attributes[i]]);
        entries = new ProfileEntry[](most);
        uint256 count = 0;
        for (uint256 i = 0; i < attributes.length; i++) {
            Portrait storage portrait = portraits[enterpriseId][attributes[i]];
            for (uint256 j = portrait.listed - _listed(portrait); j < portrait.listed; j++) {
                bytes32 digest = portrait.digests[j % LISTED_MAX];
                Finding storage f = portrait.findings[digest];
                if (!_isValid(portrait, f)) continue;
                entries[count++] = ProfileEntry(
                    attributes[i], digest, f.existence, f.confirmed, f.height, f.validUntil, _attestersOf(f)
                );
            }
        }
        assembly ("memory-safe") {
            mstore(entries, count)
        }
    }

    function GetExistence(bytes32 userID, bytes32 dataParam) external view returns (bool known, uint8 existence) {
        if (_needsBasis(dataParam)) return (false, 0);
        Portrait storage portrait = portraits[userID][dataParam];
        uint64 height = 0;
        for (uint256 i = portrait.listed - _listed(portrait); i < portrait.listed; i++) {
            Finding storage finding = portrait.findings[portrait.digests[i % LISTED_MAX]];
            if (!_isValid(portrait, finding) || finding.height < height) continue;
            (known, existence, height) = (true, finding.existence, finding.height);
        }
    }

    function GetConfirm(bytes32 userID, bytes32 dataParam, bytes32 digest) external view returns (bool known, bool confirmed) {
        Portrait storage portrait = portraits[userID][dataParam];
        Finding storage finding = portrait.findings[digest];
        known = _isValid(portrait, finding) && !_needsBasis(dataParam);
        confirmed = known && finding.confirmed;
    }

    function _writePortrait(bytes32 enterpriseId, bytes32 attribute, Item memory item, address[] memory attesters) internal {
        (, Rule memory rule) = PORTRAIT.supervisionOf(attribute);
        Portrait storage portrait = portraits[enterpriseId][attribute];
        Finding storage finding = portrait.findings[item.digest];
        uint32 generation = portrait.generation;
        bool known = finding.existence != 0 && finding.generation == generation;
        finding.generation = generation;
        finding.existence = item.existence;
        finding.confirmed = item.confirmed;
        finding.attesterCount = uint16(attesters.length);
        finding.height = uint64(block.number);
        finding.validUntil = rule.validityBlocks == 0 ? 0 : uint64(block.number) + rule.validityBlocks;
        finding.lead = attesters[0];
        address[] storage further = finding.furtherAttesters;
        for (uint256 i = 1; i < attesters.length; i++) {
            if (i <= further.length) further[i - 1] = attesters[i];
            else further.push(attesters[i]);
        }
        while (further.length >= attesters.length) further.pop();
        if (!known) {
            portrait.digests[portrait.listed % LISTED_MAX] = item.digest;
            portrait.listed++;
            portrait.live = true;
        }
        emit UserProfileSet(enterpriseId, attribute, item.digest, item.existence, item.confirmed);
    }

    /// Drops every entry of the attribute; costs nothing where there is none.
    function _dropPortrait(bytes32 enterpriseId, bytes32 attribute) internal {
        Portrait storage portrait = portraits[enterpriseId][attribute];
        if (!portrait.live) return;
        uint32 generation = portrait.generation + 1;
        portrait.generation = generation;
        portrait.listed = 0;
        portrait.live = false;
        emit UserProfileDropped(enterpriseId, attribute, generation);
    }

    function _needsBasis(bytes32 attribute) private view returns (bool) {
        (, Rule memory rule) = PORTRAIT.supervisionOf(attribute);
        return rule.basis != 0;
    }

    function _listed(Portrait storage portrait) private view returns (uint256) {
        return portrait.listed < LISTED_MAX ? portrait.listed : LISTED_MAX;
    }

    function _isValid(Portrait storage portrait, Finding storage finding) private view returns (bool) {
        if (!portrait.live || finding.existence == 0 || finding.generation != portrait.generation) return false;
        return finding.validUntil == 0 || block.number <= finding.validUntil;
    }

    function _attestersOf(Finding storage finding) private view returns (address[] memory attesters) {
        attesters = new address[](finding.attesterCount);
        attesters[0] = finding.lead;
        for (uint256 i = 1; i < attesters.length; i++) attesters[i] = finding.furtherAttesters[i - 1];
    }

    /// Only a value that exists can be confirmed.
    function _checkFinding(uint8 existence, bool confirmed) internal pure {
        if (existence < EXISTS || existence > REFUSED) revert InvalidExistence(existence);
        if (confirmed && existence != EXISTS) revert InvalidConfirmation(existence);
    }
}
