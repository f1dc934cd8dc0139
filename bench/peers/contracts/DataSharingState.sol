// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {DataPortrait} from "./DataPortrait.sol";
import {Members} from "./Members.sol";

/// State, events and errors of `dataSharing`, and the guards that its parts share (src/contracts/dataSharingStorage.ts). Storage is the
/// same word by word, so that both chains can be compared after the same calls.
abstract contract DataSharingState {
    struct Part { address recipient; uint64 keyEpoch; bytes32[] attributes; bytes32[] digests; bytes envelope; }
    struct KeyShare { address recipient; uint64 keyEpoch; bytes envelope; }
    struct AskedItem { bytes32 attribute; bytes32 digest; }
    struct SealedFor { address supervisor; uint64 keyEpoch; bytes envelope; }
    struct Answer { uint256 requestId; bytes32 attribute; uint8 existence; bool confirmed; }
    struct RequestItem { bytes32 attribute; bytes32 digest; uint8 existence; bool confirmed; uint8 answers; uint64 answeredAt; }
    struct ProfileEntry { bytes32 attribute; bytes32 digest; uint8 existence; bool confirmed; uint64 height; uint64 validUntil; address[] attesters; }
    struct PortraitEntry { bool hit; uint8 existence; bool confirmed; uint64 height; address[] attesters; }

    event DataStored(uint256 indexed submissionId, bytes32 indexed enterpriseId, address indexed recipient, uint32 part);
    event DataAcknowledged(uint256 indexed submissionId, address indexed recipient, uint32 part, bool accepted, uint16 code);
    event PortraitKeyShared(bytes32 indexed enterpriseId, address indexed recipient, uint32 portraitVersion);
    event VerificationRequested(uint256 indexed requestId, bytes32 indexed enterpriseId, address indexed requester, bytes32 purpose);
    event VerificationRefused(bytes32 indexed enterpriseId, address indexed requester, bytes32 indexed attribute, bytes32 purpose, bytes32 basis, uint8 reason);
    event AnswerWanted(uint256 indexed requestId, address indexed supervisor, bytes32[] attributes);
    event Attested(uint256 indexed requestId, bytes32 indexed attribute, address indexed supervisor, uint8 existence, bool confirmed);
    event AnswerLate(uint256 indexed requestId, bytes32 indexed attribute, address indexed supervisor);
    event UserProfileSet(bytes32 indexed enterpriseId, bytes32 indexed attribute, bytes32 digest, uint8 existence, bool confirmed);
    event UserProfileDropped(bytes32 indexed enterpriseId, bytes32 indexed attribute, uint32 generation);
    event VerificationCompleted(uint256 indexed requestId);

    error NotActiveMember(address account);
    error NotActiveEnterprise(address account, bytes32 enterpriseId);
    error NotActiveDepartment(address account);
    error NotSupervisor(address account, bytes32 attribute);
    error NotSoleSupervisor(address account, bytes32 attribute);
    error NotRecipient(address account, uint256 submissionId, uint32 part);
    error NotNamed(address account, uint256 requestId);
    error UnknownAttribute(bytes32 attribute);
    error UnknownSubmission(uint256 submissionId);
    error UnknownPart(uint256 submissionId, uint32 part);
    error UnknownRequest(uint256 requestId);
    error NotAsked(uint256 requestId, bytes32 attribute);
    error AlreadyAcknowledged(uint256 submissionId, uint32 part);
    error AlreadyAttested(uint256 requestId, bytes32 attribute, address supervisor);
    error StaleKeyEpoch(address recipient, uint64 given, uint64 current);
    error PortraitVersionMismatch(bytes32 enterpriseId, uint32 given, uint32 current);
    error DuplicateAttribute(bytes32 attribute);
    error DuplicateRecipient(address recipient);
    error ConflictingDigest(bytes32 attribute);
    error LengthMismatch(uint256 attributes, uint256 digests);
    error CountOutOfRange(string what, uint256 given, uint256 min, uint256 max);
    error ZeroDigest(bytes32 attribute);
    error EnvelopeMissing(address supervisor, bytes32 attribute);
    error EnvelopeNotWanted(address supervisor);
    error NoActiveSupervisor(bytes32 attribute);
    error InvalidExistence(uint8 existence);
    error InvalidConfirmation(uint8 existence);

    uint8 internal constant ROLE_ENTERPRISE = 1;
    uint8 internal constant ROLE_DEPARTMENT = 2;
    uint8 internal constant EXISTS = 1;
    uint8 internal constant MISSING = 2;
    uint8 internal constant VACANT = 3;
    uint8 internal constant REFUSED = 4;
    uint8 internal constant REFUSAL_ROLE = 1;
    uint8 internal constant REFUSAL_BUDGET_SPENT = 4;
    uint8 internal constant REFUSAL_BASIS_MISSING = 5;
    uint8 internal constant REFUSAL_BASIS_UNKNOWN = 6;
    uint8 internal constant FREE = 0;
    uint8 internal constant COSTS = 1;
    uint8 internal constant SPENT = 2;
    uint8 internal constant WAITING = 0;
    uint8 internal constant ACCEPTED = 1;
    uint8 internal constant REJECTED = 2;
    uint256 internal constant PARTS_MAX = 32;
    uint256 internal constant PART_ATTRIBUTES_MAX = 64;
    uint256 internal constant KEY_SHARES_MAX = 64;
    uint256 internal constant ITEMS_MAX = 32;
    uint256 internal constant SUPERVISORS_MAX = 32;
    uint256 internal constant ANSWERS_MAX = 64;
    uint256 internal constant REPORT_ATTRIBUTES_MAX = 256;
    uint256 internal constant ENVELOPE_BYTES_MAX = 68_608;
    uint256 internal constant LISTED_MAX = 64;

    Members internal constant MEMBERS = Members(0x0000000000000000000000000000000000C0De01);
    DataPortrait internal constant PORTRAIT = DataPortrait(0x0000000000000000000000000000000000c0De02);

    struct PartState { address recipient; uint32 attributeSet; uint8 state; uint16 code; }
    struct Submission {
        bytes32 enterpriseId;
        bytes32 documentHash;
        uint32 portraitVersion;
        uint64 height;
        uint32 partCount;
        uint32 ackedCount;
        uint32 acceptedCount;
        PartState[32] parts;
    }
    /// Before `answeredAt` is set, existence and confirmed hold what the answers so far come to.
    struct Item { bytes32 digest; uint8 existence; bool confirmed; uint8 answers; uint32 generation; uint64 answeredAt; }
    /// 4 bits an item: existence, and 8 for confirmed; lowest item first.
    struct Answers { bool named; uint128 bits; }
    struct Request {
        bytes32 enterpriseId;
        address requester;
        uint32 attributeSet;
        uint8 itemCount;
        uint8 openCount;
        bytes32 purpose;
        uint64 height;
        uint64 deadline;
        uint32 portraitVersion;
        /// Answers that complete each item: a byte an item, lowest first.
        uint256 required;
        mapping(address => Answers) answers;
        Item[32] items;
    }
    struct Mark { uint32 portraitVersion; uint32 generation; bool asked; }
    struct Budget { uint32 portraitVersion; uint32 generation; uint16 spent; mapping(bytes32 => Mark) asked; }
    struct Finding { uint32 generation; uint8 existence; bool confirmed; uint16 attesterCount; uint64 height; uint64 validUntil; address lead; address[] furtherAttesters; }
    struct Portrait { uint32 generation; uint32 listed; bool live; mapping(bytes32 => Finding) findings; mapping(uint256 => bytes32) digests; }

    uint256 internal submissions_;
    uint256 internal requests_;
    uint256 internal sets_;
    mapping(uint256 => Submission) internal submissions;
    mapping(bytes32 => uint32) internal setIds;
    mapping(uint256 => bytes32[]) internal sets;
    mapping(bytes32 => uint32) internal versions;
    mapping(uint256 => Request) internal requests;
    mapping(address => mapping(bytes32 => mapping(bytes32 => Budget))) internal budgets;
    mapping(bytes32 => mapping(bytes32 => Portrait)) internal portraits;
    mapping(bytes32 => mapping(address => uint64)) internal keyShares;

    /// Id of a list of attributes, stored on its first use.
    function _attributeSetId(bytes32[] memory attributes) internal returns (uint32 id) {
        bytes32 hash = keccak256(abi.encodePacked(attributes));
        id = setIds[hash];
        if (id != 0) return id;
        id = uint32(++sets_);
        setIds[hash] = id;
        sets[id] = attributes;
    }

    /// Attributes of the items whose bit is set.
    function _masked(AskedItem[] calldata items, uint256 mask) internal pure returns (bytes32[] memory attributes) {
        attributes = new bytes32[](items.length);
        uint256 count = 0;
        for (uint256 i = 0; i < items.length; i++) if (mask & (1 << i) != 0) attributes[count++] = items[i].attribute;
        assembly ("memory-safe") {
            mstore(attributes, count)
        }
    }

    function _indexOf(address[] memory accounts, uint256 count, address account) internal pure returns (uint256 index) {
        while (index < count && accounts[index] != account) index++;
    }

    function _itemIndex(uint256 requestId, bytes32[] memory attributes, bytes32 attribute) internal pure returns (uint256 index) {
        while (index < attributes.length && attributes[index] != attribute) index++;
        if (index == attributes.length) revert NotAsked(requestId, attribute);
    }

    function _openSubmission(uint256 submissionId) internal view returns (Submission storage submission) {
        submission = submissions[submissionId];
        if (submission.partCount == 0) revert UnknownSubmission(submissionId);
    }

    function _openPart(Submission storage submission, uint256 submissionId, uint32 part)
        internal
        view
        returns (PartState storage)
    {
        if (part >= submission.partCount) revert UnknownPart(submissionId, part);
        return submission.parts[part];
    }

    function _openRequest(uint256 requestId) internal view returns (Request storage request) {
        request = requests[requestId];
        if (request.itemCount == 0) revert UnknownRequest(requestId);
    }

    /// The enterprise names its portrait version; it never goes back.
    function _advancePortraitVersion(bytes32 enterpriseId, uint32 given) internal {
        uint32 current = versions[enterpriseId];
        if (given < current || given == 0) revert PortraitVersionMismatch(enterpriseId, given, current);
        if (given != current) versions[enterpriseId] = given;
    }

    function _requireMember(address account) internal view returns (uint8 role, uint64 keyEpoch, uint48 graceUntil) {
        (role, keyEpoch, graceUntil) = MEMBERS.standingOf(account);
        if (role == 0) revert NotActiveMember(account);
    }

    function _requireDepartment(address account) internal view returns (uint64 keyEpoch, uint48 graceUntil) {
        uint8 role;
        (role, keyEpoch, graceUntil) = MEMBERS.standingOf(account);
        if (role != ROLE_DEPARTMENT) revert NotActiveDepartment(account);
    }

    /// The caller must be the active enterprise with this id.
    function _requireEnterprise(bytes32 enterpriseId) internal view {
        (bool active, uint8 role, bytes32 id,,) = MEMBERS.IdentityAuth(msg.sender);
        if (!active || role != ROLE_ENTERPRISE || id != enterpriseId) revert NotActiveEnterprise(msg.sender, enterpriseId);
    }

    function _requireSupervisor(address account, bytes32 attribute) internal view {
        (bool known, bool yes) = PORTRAIT.supervises(attribute, account);
        if (!known) revert UnknownAttribute(attribute);
        if (!yes) revert NotSupervisor(account, attribute);
    }

    /// The epoch that an envelope was sealed under must be the recipient's current one, or the one before it while its grace lasts.
    function _requireCurrentKey(uint64 current, uint48 graceUntil, address recipient, uint64 given) internal view {
        if (given != 0 && given == current) return;
        if (given != 0 && current != 0 && given == current - 1 && block.number <= graceUntil) return;
        revert StaleKeyEpoch(recipient, given, current);
    }

    function _requireCount(string memory what, uint256 given, uint256 max) internal pure {
        if (given < 1 || given > max) revert CountOutOfRange(what, given, 1, max);
    }
}
