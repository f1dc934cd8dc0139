// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Rule} from "./DataPortrait.sol";
import {DataSharingState} from "./DataSharingState.sol";

/// requestVerification (paper 4.3 (b)-(d), Fig. 7): as src/contracts/verification.ts, askingRules.ts and digestBudget.ts. Here are
/// no consents and no terms of rules, so that no basis does where one is wanted.
abstract contract Verification is DataSharingState {
    /// What the items of a request ask for together.
    struct Wanted { address[] supervisors; uint256[] masks; uint256 count; uint256 required; uint64 deadline; Refusal refusal; uint256 spending; }
    /// reason 0: nothing is against the question. needing: the first attribute whose rule wants a basis.
    struct Refusal { bytes32 attribute; uint8 reason; bytes32 needing; }

    function requestVerification(
        bytes32 enterpriseId,
        uint32 portraitVersion,
        bytes32 purpose,
        bytes32 basis,
        AskedItem[] calldata items,
        SealedFor[] calldata sealedFor
    ) external returns (uint256 requestId) {
        (uint8 role,,) = _requireMember(msg.sender);
        _requireCount("items", items.length, ITEMS_MAX);
        uint32 current = versions[enterpriseId];
        if (current != 0 && portraitVersion != current) {
            revert PortraitVersionMismatch(enterpriseId, portraitVersion, current);
        }
        Wanted memory wanted = _checkItems(enterpriseId, current, role, items);
        _checkSealed(sealedFor, items, wanted);
        Refusal memory refusal = wanted.refusal;
        if (refusal.reason == 0 && refusal.needing != 0) {
            refusal = Refusal(refusal.needing, basis == 0 ? REFUSAL_BASIS_MISSING : REFUSAL_BASIS_UNKNOWN, 0);
        }
        if (refusal.reason != 0) {
            emit VerificationRefused(enterpriseId, msg.sender, refusal.attribute, purpose, basis, refusal.reason);
            return 0;
        }
        _spend(enterpriseId, current, items, wanted.spending);
        requestId = ++requests_;
        _writeRequest(requestId, enterpriseId, portraitVersion, purpose, items, wanted);
        emit VerificationRequested(requestId, enterpriseId, msg.sender, purpose);
        for (uint256 i = 0; i < wanted.count; i++) {
            emit AnswerWanted(requestId, wanted.supervisors[i], _masked(items, wanted.masks[i]));
        }
    }

    function _checkItems(
        bytes32 enterpriseId,
        uint32 portraitVersion,
        uint8 role,
        AskedItem[] calldata items
    ) private view returns (Wanted memory wanted) {
        address[][] memory asked = new address[][](items.length);
        uint256 places = 0;
        uint64 deadlineBlocks = 0;
        bool unlimited = false;
        for (uint256 i = 0; i < items.length; i++) {
            bytes32 attribute = items[i].attribute;
            for (uint256 j = 0; j < i; j++) if (items[j].attribute == attribute) revert DuplicateAttribute(attribute);
            if (items[i].digest == 0) revert ZeroDigest(attribute);
            Rule memory rule;
            (asked[i], rule) = _openRule(attribute);
            _checkRule(wanted, rule, role, _cost(enterpriseId, portraitVersion, items[i], rule.digestBudget), i, attribute);
            places += asked[i].length;
            wanted.required |= _requiredAnswers(rule.quorum, asked[i].length) << (8 * i);
            if (rule.deadlineBlocks == 0) unlimited = true;
            if (rule.deadlineBlocks > deadlineBlocks) deadlineBlocks = rule.deadlineBlocks;
        }
        if (!unlimited) wanted.deadline = uint64(block.number) + deadlineBlocks;
        _group(wanted, asked, places);
    }

    /// Items by supervisor, in the order in which the items first name them.
    function _group(Wanted memory wanted, address[][] memory asked, uint256 places) private pure {
        wanted.supervisors = new address[](places);
        wanted.masks = new uint256[](places);
        for (uint256 i = 0; i < asked.length; i++) {
            for (uint256 j = 0; j < asked[i].length; j++) {
                uint256 place = _indexOf(wanted.supervisors, wanted.count, asked[i][j]);
                if (place == wanted.count) wanted.supervisors[wanted.count++] = asked[i][j];
                wanted.masks[place] |= 1 << i;
            }
        }
    }

    /// Rule of an attribute, and the supervisors that are active now: the others are not asked and do not count.
    function _openRule(bytes32 attribute) private view returns (address[] memory supervisors, Rule memory rule) {
        (supervisors, rule) = PORTRAIT.supervisionOf(attribute);
        if (supervisors.length == 0) revert UnknownAttribute(attribute);
        uint256 active = 0;
        for (uint256 i = 0; i < supervisors.length; i++) {
            (uint8 role,,) = MEMBERS.standingOf(supervisors[i]);
            if (role == ROLE_DEPARTMENT) supervisors[active++] = supervisors[i];
        }
        if (active == 0) revert NoActiveSupervisor(attribute);
        assembly ("memory-safe") {
            mstore(supervisors, active)
        }
    }

    /// quorum: 0 all, 1 any, else quorum - 1 of them.
    function _requiredAnswers(uint8 quorum, uint256 supervisors) private pure returns (uint256) {
        if (quorum == 0) return supervisors;
        if (quorum == 1) return 1;
        return quorum - 1 < supervisors ? quorum - 1 : supervisors;
    }

    function _checkRule(Wanted memory wanted, Rule memory rule, uint8 role, uint8 cost, uint256 i, bytes32 attribute)
        private
        pure
    {
        uint8 reason = rule.askerRoles & (uint32(1) << role) == 0 ? REFUSAL_ROLE : cost == SPENT ? REFUSAL_BUDGET_SPENT : 0;
        Refusal memory refusal = wanted.refusal;
        if (reason != 0 && refusal.reason == 0) (refusal.attribute, refusal.reason) = (attribute, reason);
        if (rule.basis != 0 && refusal.needing == 0) refusal.needing = attribute;
        if (cost == COSTS) wanted.spending |= 1 << i;
    }

    /// Of a digest: nothing where it was asked before in this portrait version and generation, or `budget` is 0: no limit.
    function _cost(bytes32 enterpriseId, uint32 portraitVersion, AskedItem calldata item, uint16 budget)
        private
        view
        returns (uint8)
    {
        if (budget == 0) return FREE;
        uint32 generation = portraits[enterpriseId][item.attribute].generation;
        Budget storage head = budgets[msg.sender][enterpriseId][item.attribute];
        Mark memory mark = head.asked[item.digest];
        if (mark.asked && mark.portraitVersion == portraitVersion && mark.generation == generation) return FREE;
        return _spentIn(head, portraitVersion, generation) >= budget ? SPENT : COSTS;
    }

    /// Counts the digests of the items whose bit is set.
    function _spend(bytes32 enterpriseId, uint32 portraitVersion, AskedItem[] calldata items, uint256 mask) private {
        for (uint256 i = 0; i < items.length; i++) {
            if (mask & (1 << i) == 0) continue;
            uint32 generation = portraits[enterpriseId][items[i].attribute].generation;
            Budget storage head = budgets[msg.sender][enterpriseId][items[i].attribute];
            uint16 spent = _spentIn(head, portraitVersion, generation);
            head.asked[items[i].digest] = Mark(portraitVersion, generation, true);
            head.portraitVersion = portraitVersion;
            head.generation = generation;
            head.spent = spent + 1;
        }
    }

    function _spentIn(Budget storage head, uint32 portraitVersion, uint32 generation) private view returns (uint16) {
        return head.portraitVersion == portraitVersion && head.generation == generation ? head.spent : 0;
    }

    /// Exactly one envelope, under its current key, for each supervisor that has to answer.
    function _checkSealed(SealedFor[] calldata sealedFor, AskedItem[] calldata items, Wanted memory wanted) private view {
        _requireCount("sealed", sealedFor.length, SUPERVISORS_MAX);
        for (uint256 i = 0; i < sealedFor.length; i++) {
            address supervisor = sealedFor[i].supervisor;
            for (uint256 j = 0; j < i; j++) {
                if (sealedFor[j].supervisor == supervisor) revert DuplicateRecipient(supervisor);
            }
            if (_indexOf(wanted.supervisors, wanted.count, supervisor) == wanted.count) {
                revert EnvelopeNotWanted(supervisor);
            }
            (uint64 keyEpoch, uint48 graceUntil) = _requireDepartment(supervisor);
            _requireCurrentKey(keyEpoch, graceUntil, supervisor, sealedFor[i].keyEpoch);
            _requireCount("envelope bytes", sealedFor[i].envelope.length, ENVELOPE_BYTES_MAX);
        }
        if (sealedFor.length == wanted.count) return;
        for (uint256 i = 0; i < wanted.count; i++) {
            bool given = false;
            for (uint256 j = 0; j < sealedFor.length; j++) given = given || sealedFor[j].supervisor == wanted.supervisors[i];
            if (!given) revert EnvelopeMissing(wanted.supervisors[i], _masked(items, wanted.masks[i])[0]);
        }
    }

    function _writeRequest(
        uint256 requestId,
        bytes32 enterpriseId,
        uint32 portraitVersion,
        bytes32 purpose,
        AskedItem[] calldata items,
        Wanted memory wanted
    ) private {
        Request storage request = requests[requestId];
        request.enterpriseId = enterpriseId;
        request.requester = msg.sender;
        request.attributeSet = _attributeSetId(_masked(items, type(uint256).max));
        request.itemCount = uint8(items.length);
        request.openCount = uint8(items.length);
        request.purpose = purpose;
        request.height = uint64(block.number);
        request.deadline = wanted.deadline;
        request.portraitVersion = portraitVersion;
        request.required = wanted.required;
        for (uint256 i = 0; i < items.length; i++) request.items[i].digest = items[i].digest;
        for (uint256 i = 0; i < wanted.count; i++) request.answers[wanted.supervisors[i]].named = true;
    }

    function requestOf(uint256 requestId)
        external
        view
        returns (
            bytes32 enterpriseId,
            address requester,
            bytes32 purpose,
            uint64 height,
            uint64 deadline,
            bool completed,
            RequestItem[] memory items
        )
    {
        Request storage request = _openRequest(requestId);
        bytes32[] memory attributes = sets[request.attributeSet];
        items = new RequestItem[](attributes.length);
        for (uint256 i = 0; i < items.length; i++) {
            Item memory item = request.items[i];
            bool done = item.answeredAt != 0;
            items[i] = RequestItem(
                attributes[i], item.digest, done ? item.existence : 0, done && item.confirmed, item.answers, item.answeredAt
            );
        }
        enterpriseId = request.enterpriseId;
        requester = request.requester;
        purpose = request.purpose;
        height = request.height;
        deadline = request.deadline;
        completed = request.openCount == 0;
    }

    function answerOf(uint256 requestId, bytes32 attribute, address supervisor)
        external
        view
        returns (bool named, uint8 existence, bool confirmed)
    {
        Request storage request = _openRequest(requestId);
        uint256 index = _itemIndex(requestId, sets[request.attributeSet], attribute);
        Answers memory answers = request.answers[supervisor];
        uint256 bits = answers.bits >> (4 * index);
        return (answers.named, uint8(bits & 7), bits & 8 != 0);
    }

    function requestCount() external view returns (uint256 count) {
        return requests_;
    }

    function digestBudgetLeft(address requester, bytes32 enterpriseId, bytes32 attribute) external view returns (uint16 left) {
        (address[] memory supervisors, Rule memory rule) = PORTRAIT.supervisionOf(attribute);
        if (supervisors.length == 0) revert UnknownAttribute(attribute);
        if (rule.digestBudget == 0) return type(uint16).max;
        Budget storage head = budgets[requester][enterpriseId][attribute];
        uint16 spent = _spentIn(head, versions[enterpriseId], portraits[enterpriseId][attribute].generation);
        return spent < rule.digestBudget ? rule.digestBudget - spent : 0;
    }
}
