// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Attestation} from "./Attestation.sol";
import {Submissions} from "./Submissions.sol";
import {Verification} from "./Verification.sol";

/// Submissions, verification requests, attestations and the user portrait (paper 4.2, 4.3), with the checks, the ABI and the storage of
/// src/contracts/dataSharing.ts.
contract DataSharing is Submissions, Verification, Attestation {}
