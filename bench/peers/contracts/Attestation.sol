// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {UserPortrait} from "./UserPortrait.sol";

/// attest (paper 4.3 (d)-(e)): as src/contracts/attestation.ts.
abstract contract Attestation is UserPortrait {
    /// A request while one supervisor's answers to it are taken.
    struct Session { uint256 requestId; bytes32 enterpriseId; bytes32[] attributes; uint256 required; bool late; uint128 bits; uint8 openCount; uint8 openBefore; }

    /// Answers to the same request are taken together, requests in the order in which the answers first name them.
    function attest(Answer[] calldata answers) external {
        _requireDepartment(msg.sender);
        _requireCount("answers", answers.length, ANSWERS_MAX);
        uint256 taken = 0;
        for (uint256 i = 0; i < answers.length; i++) {
            if (taken & (1 << i) != 0) continue;
            Session memory session = _openSession(answers[i].requestId);
            for (uint256 j = i; j < answers.length; j++) {
                if (answers[j].requestId != session.requestId) continue;
                taken |= 1 << j;
                _take(session, answers[j]);
            }
            _closeSession(session);
        }
    }

    function _openSession(uint256 requestId) private view returns (Session memory session) {
        Request storage request = _openRequest(requestId);
        Answers memory answers = request.answers[msg.sender];
        if (!answers.named) revert NotNamed(msg.sender, requestId);
        session.requestId = requestId;
        session.enterpriseId = request.enterpriseId;
        session.attributes = sets[request.attributeSet];
        session.required = request.required;
        session.late = request.deadline != 0 && block.number > request.deadline;
        session.bits = answers.bits;
        session.openCount = session.openBefore = request.openCount;
    }

    function _take(Session memory session, Answer calldata answer) private {
        bytes32 attribute = answer.attribute;
        uint256 index = _itemIndex(session.requestId, session.attributes, attribute);
        (, bool own) = PORTRAIT.supervises(attribute, msg.sender);
        if (!own) revert NotSupervisor(msg.sender, attribute);
        _checkFinding(answer.existence, answer.confirmed);
        if ((session.bits >> (4 * index)) & 7 != 0) revert AlreadyAttested(session.requestId, attribute, msg.sender);
        if (session.late) {
            emit AnswerLate(session.requestId, attribute, msg.sender);
            return;
        }
        session.bits |= uint128(answer.existence | (answer.confirmed ? 8 : 0)) << uint128(4 * index);
        emit Attested(session.requestId, attribute, msg.sender, answer.existence, answer.confirmed);
        _count(session, index, answer.existence, answer.confirmed);
    }

    /// What several answers come to is the worst of them; a quorum of them completes the item.
    function _count(Session memory session, uint256 index, uint8 existence, bool confirmed) private {
        Item storage place = requests[session.requestId].items[index];
        Item memory item = place;
        if (item.answeredAt != 0) return;
        Portrait storage portrait = portraits[session.enterpriseId][session.attributes[index]];
        uint32 current = portrait.generation;
        if (item.answers == 0) {
            (item.existence, item.confirmed, item.generation) = (existence, confirmed, current);
        } else {
            if (_severity(existence) > _severity(item.existence)) item.existence = existence;
            item.confirmed = item.confirmed && confirmed;
        }
        item.answers++;
        bool complete = item.answers >= uint8(session.required >> (8 * index));
        if (complete) item.answeredAt = uint64(block.number);
        (place.existence, place.confirmed, place.answers) = (item.existence, item.confirmed, item.answers);
        (place.generation, place.answeredAt) = (item.generation, item.answeredAt);
        if (!complete) {
            if (!portrait.live) portrait.live = true;
            return;
        }
        session.openCount--;
        if (item.generation != current || item.existence == REFUSED) return;
        address[] memory attesters = _attesters(session, index, item.answers);
        _writePortrait(session.enterpriseId, session.attributes[index], item, attesters);
    }

    function _severity(uint8 existence) private pure returns (uint8) {
        if (existence == EXISTS) return 0;
        if (existence == VACANT) return 1;
        return existence == MISSING ? 2 : 3;
    }

    /// Supervisors that have answered the item, in the order of the data portrait.
    function _attesters(Session memory session, uint256 index, uint8 answers) private view returns (address[] memory found) {
        if (answers == 1) {
            found = new address[](1);
            found[0] = msg.sender;
            return found;
        }
        (found,) = PORTRAIT.supervisionOf(session.attributes[index]);
        Request storage request = requests[session.requestId];
        uint256 count = 0;
        for (uint256 i = 0; i < found.length; i++) {
            bool answered = found[i] == msg.sender || (request.answers[found[i]].bits >> (4 * index)) & 7 != 0;
            if (answered) found[count++] = found[i];
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
    }

    function _closeSession(Session memory session) private {
        if (session.late) return;
        Request storage request = requests[session.requestId];
        request.answers[msg.sender].bits = session.bits;
        if (session.openCount == session.openBefore) return;
        request.openCount = session.openCount;
        if (session.openCount == 0) emit VerificationCompleted(session.requestId);
    }
}
