/** How `concordat member` and `keys rotate` act and look, with refusals in words. */
import type { Connection } from '../../agent/connection.js'
import { nameOf, ROLE } from '../../contracts/codes.js'
import type { RpcClient } from '../../rpc/client.js'
import { type ConnectionFlags, reading } from '../connection.js'
import { inWords, type Words } from '../inWords.js'
import { type ActorFlags, signedAs } from '../transact.js'

/** Signed in as the flags say. Throws UsageError, CommandError where the register refuses, and what `use` throws. */
export async function acting<T>(flags: ActorFlags, use: (connection: Connection) => Promise<T>): Promise<T> {
  return signedAs(flags, use).catch(refused)
}

/** With a node that answers. Throws as `acting` does. */
export async function looking<T>(flags: ConnectionFlags, use: (client: RpcClient) => Promise<T>): Promise<T> {
  return reading(flags, use).catch(refused)
}

const roleOf = ({ role }: Parameters<Words[string]>[0]) => nameOf(ROLE, Number(role)) ?? `role ${role}`

/** What the register's refusals mean for whoever sits at the command line. */
const WORDS: Words = {
  NotOperator: () => 'operators decide on these members; sign with the key of an active one',
  NotApprover: (args) => `the signer does not decide on members of role ${roleOf(args)}; see: concordat member show`,
  NotActiveMember: () => 'the signer is no active member',
  NotAccountKey: ({ signer }) => `${signer} is a delegate's key; sign with the account's own key`,
  UnknownMember: ({ account }) => `there is no member ${account}; see: concordat member list`,
  UnknownMemberId: () => 'there is no member with this id; see: concordat member list',
  AccountRegistered: ({ account }) => `${account} is a member already; another member needs a key of its own`,
  IdRegistered: () => 'a member with this id is registered already; see: concordat member list',
  MemberRevoked: ({ account }) =>
    `${account} was revoked, and that is final; register it anew under another key and id`,
  LastOperator: () => 'without it nobody could decide on members; register another operator first',
  LastApprover: (args) => `too few would be left to decide on members of role ${roleOf(args)}`,
  DecisionPending: () => 'this is proposed already; see: concordat member pending',
  NoDecision: () => 'nothing is open about this member; see: concordat member pending',
  AlreadyApproved: () => 'the signer has approved this already; other approvers have to',
  AlreadyDeclined: () => 'the signer has declined this already',
  NotApproved: () => 'the signer has not approved this',
  TooManyDecisions: ({ open, own }) => `${open} decisions are open, ${own} of them the signer's: decide some first`,
  SignerTaken: ({ signer }) => `${signer} is or was somebody's key; a key acts once and for one member: make another`,
  UnknownSigner: ({ signer }) => `${signer} is no delegate's key of this member; see: concordat member show`,
  InvalidProof: ({ signer }) => `${signer} has not signed for this member, kind and chain; make the proof anew`,
  TooManySigners: ({ signersMax }) => `a member has at most ${signersMax} such keys; remove one first`,
  GraceTooLong: ({ graceBlocksMax }) => `the grace is at most ${graceBlocksMax} blocks`,
  InvalidGuardian: ({ guardian }) => `${guardian} cannot be a guardian: name other active members, each once`,
  InvalidThreshold: ({ guardians }) => `--threshold must be from 1 to ${guardians}, the number of guardians`,
  TooManyGuardians: ({ guardiansMax }) => `a member has at most ${guardiansMax} guardians`,
  NotGuardian: () => 'the signer is no guardian of this member; see: concordat member show',
  NoRecovery: () => 'no recovery with this key is under way; see: concordat member show',
  RecoveryApprovedBefore: () => 'this guardian has approved the key already; other guardians have to',
  RecoveryTooEarly: ({ readyAt }) => `the new key may take over from block ${readyAt} on; run this again then`,
  TooFewGuardians: ({ given, needed }) => `${given} guardians stand by the new key, ${needed} are needed`,
}

const refused = inWords('members', WORDS)
