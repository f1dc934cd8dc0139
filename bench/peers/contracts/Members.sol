// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// The register of those who take part (paper 3.1, 3.2 (1), 4.3 (a)), with the checks, the ABI and the storage of src/contracts/members.ts.
contract Members {
    struct NewMember { address account; uint8 role; bytes32 id; string name; bytes32 encryptionKey; }
    struct Member { address account; uint8 role; uint8 status; bytes32 id; string name; bytes32 encryptionKey; uint64 keyEpoch; uint64 since; }
    /// keyUntil stays 0: a key of the register's own, never replaced here.
    struct Entry { uint8 role; uint8 status; uint64 keyEpoch; uint64 since; uint48 keyUntil; uint48 graceUntil; bytes32 id; bytes32 encryptionKey; string name; }
    struct StatusChange { uint8 status; uint48 height; address by; }

    event MemberRegistered(address indexed account, uint8 indexed role, bytes32 indexed id, string name);
    event MemberStatusChanged(address indexed account, uint8 status);
    event EncryptionKeyRotated(address indexed account, bytes32 encryptionKey, uint64 keyEpoch);

    error NotOperator(address caller);
    error NotActiveMember(address account);
    error UnknownMember(address account);
    error UnknownMemberId(bytes32 id);
    error UnknownIndex(uint256 index, uint256 count);
    error AccountRegistered(address account);
    error IdRegistered(bytes32 id);
    error InvalidAccount(address account);
    error InvalidRole(uint8 role);
    error InvalidId(bytes32 id);
    error InvalidName(uint256 bytesLength, uint256 bytesMax);
    error InvalidStatus(uint8 status);
    error MemberRevoked(address account);
    error LastOperator(address account);
    error InvalidEncryptionKey();

    uint8 private constant ROLE_ENTERPRISE = 1;
    uint8 private constant ROLE_DEPARTMENT = 2;
    uint8 private constant ROLE_OPERATOR = 4;
    uint8 private constant ROLE_REGULATOR = 6;
    uint8 private constant SIGNER_ACCOUNT = 1;
    uint8 private constant ACTIVE = 1;
    uint8 private constant REVOKED = 3;
    uint256 private constant NAME_BYTES_MAX = 128;

    mapping(address => Entry) private entries;
    mapping(bytes32 => address) private byId;
    address[] private accounts;
    mapping(address => mapping(uint64 => bytes32)) private keys;
    uint256 private operators;
    uint256 private departments;
    /// Further keys of members, which these contracts do not know.
    mapping(address => bytes32) private signers;
    uint32 private encryptionGraceBlocks;
    uint32 private recoveryDelayBlocks;
    uint32 private decisionBlocksMax;
    mapping(address => address[]) private signerLists;
    mapping(address => bytes32[]) private accountKeys;
    mapping(address => StatusChange[]) private statusLog;

    function IdentityAuth(address userID)
        external
        view
        returns (bool active, uint8 role, bytes32 id, bytes32 encryptionKey, uint64 keyEpoch)
    {
        Entry storage entry = entries[userID];
        return (_isActive(entry), entry.role, entry.id, entry.encryptionKey, entry.keyEpoch);
    }

    /// For the other contracts: one word of storage. `role` is 0 unless the member is active.
    function standingOf(address account) external view returns (uint8 role, uint64 keyEpoch, uint48 graceUntil) {
        Entry storage entry = entries[account];
        return (entry.status == ACTIVE ? entry.role : 0, entry.keyEpoch, entry.graceUntil);
    }

    function registerMember(NewMember calldata member) external {
        _requireOperator();
        _checkNewMember(member);
        Entry storage entry = entries[member.account];
        entry.role = member.role;
        entry.status = ACTIVE;
        entry.since = uint64(block.number);
        if (member.encryptionKey != 0) _storeKey(member.account, entry, 1, member.encryptionKey);
        entry.id = member.id;
        entry.name = member.name;
        byId[member.id] = member.account;
        accounts.push(member.account);
        if (member.role == ROLE_OPERATOR) operators++;
        if (member.role == ROLE_DEPARTMENT) departments++;
        emit MemberRegistered(member.account, member.role, member.id, member.name);
    }

    /// Revocation is final; one operator has to stay active.
    function setStatus(address account, uint8 status) external {
        _requireOperator();
        if (status < ACTIVE || status > REVOKED) revert InvalidStatus(status);
        Entry storage entry = entries[account];
        if (entry.role == 0) revert UnknownMember(account);
        if (entry.status == status) return;
        if (entry.status == REVOKED) revert MemberRevoked(account);
        if (entry.role == ROLE_OPERATOR) {
            if (status == ACTIVE) {
                operators++;
            } else if (entry.status == ACTIVE) {
                if (operators <= 1) revert LastOperator(account);
                operators--;
            }
        }
        if (entry.role == ROLE_DEPARTMENT) {
            if (status == ACTIVE) departments++;
            else if (entry.status == ACTIVE) departments--;
        }
        entry.status = status;
        statusLog[account].push(StatusChange(status, uint48(block.number), msg.sender));
        emit MemberStatusChanged(account, status);
    }

    function rotateEncryptionKey(bytes32 encryptionKey) external {
        Entry storage entry = entries[msg.sender];
        if (!_isActive(entry)) revert NotActiveMember(msg.sender);
        if (encryptionKey == 0) revert InvalidEncryptionKey();
        uint64 keyEpoch = entry.keyEpoch + 1;
        _storeKey(msg.sender, entry, keyEpoch, encryptionKey);
        entry.graceUntil = encryptionGraceBlocks == 0 ? 0 : uint48(block.number) + encryptionGraceBlocks;
        emit EncryptionKeyRotated(msg.sender, encryptionKey, keyEpoch);
    }

    function getMember(address account) external view returns (Member memory member) {
        return _read(account);
    }

    function memberById(bytes32 id) external view returns (Member memory member) {
        address account = byId[id];
        if (account == address(0)) revert UnknownMemberId(id);
        return _read(account);
    }

    function memberCount() external view returns (uint256 count) {
        return accounts.length;
    }

    function memberAt(uint256 index) external view returns (address account) {
        if (index >= accounts.length) revert UnknownIndex(index, accounts.length);
        return accounts[index];
    }

    function encryptionKeyAt(address account, uint64 keyEpoch) external view returns (bytes32 encryptionKey) {
        return keys[account][keyEpoch];
    }

    /// What departments' agents ask when they start: a member has no key here but its account's own.
    function signerOf(address signer) external view returns (address account, uint8 kind, uint64 from, uint64 until) {
        Entry storage entry = entries[signer];
        if (entry.role != 0) return (signer, SIGNER_ACCOUNT, entry.since, entry.keyUntil);
    }

    function _checkNewMember(NewMember calldata member) private view {
        if (member.account == address(0)) revert InvalidAccount(member.account);
        if (member.role < ROLE_ENTERPRISE || member.role > ROLE_REGULATOR) revert InvalidRole(member.role);
        if (!_isTextId(member.id)) revert InvalidId(member.id);
        uint256 length = bytes(member.name).length;
        if (length < 1 || length > NAME_BYTES_MAX) revert InvalidName(length, NAME_BYTES_MAX);
        if (entries[member.account].role != 0) revert AccountRegistered(member.account);
        if (byId[member.id] != address(0)) revert IdRegistered(member.id);
    }

    /// Printable ASCII without spaces, at least one character, padded with zeros.
    function _isTextId(bytes32 id) private pure returns (bool) {
        uint256 length = 0;
        while (length < 32 && id[length] >= 0x21 && id[length] <= 0x7e) length++;
        return length > 0 && (length == 32 || uint256(id) << (8 * length) == 0);
    }

    function _requireOperator() private view {
        Entry storage entry = entries[msg.sender];
        if (!_isActive(entry) || entry.role != ROLE_OPERATOR) revert NotOperator(msg.sender);
    }

    function _isActive(Entry storage entry) private view returns (bool) {
        return entry.status == ACTIVE && entry.role != 0;
    }

    function _storeKey(address account, Entry storage entry, uint64 keyEpoch, bytes32 encryptionKey) private {
        entry.keyEpoch = keyEpoch;
        entry.encryptionKey = encryptionKey;
        keys[account][keyEpoch] = encryptionKey;
    }

    function _read(address account) private view returns (Member memory) {
        Entry storage entry = entries[account];
        if (entry.role == 0) revert UnknownMember(account);
        return Member(
            account, entry.role, entry.status, entry.id, entry.name, entry.encryptionKey, entry.keyEpoch, entry.since
        );
    }
}
