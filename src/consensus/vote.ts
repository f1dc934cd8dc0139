/** Votes as the core sees them; their bytes are core's, because contracts check them too. */
export { conflicts, sameVote, type VoteContext, votePreimage } from '../core/vote.js'
