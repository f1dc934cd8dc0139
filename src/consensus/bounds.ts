/** R12: what the core keeps and sends at most. Memory is bounded by sealers x views, views by the window and by finality. */

/** Views above the current one whose votes are kept. */
export const viewWindow = 64
/** Certificates in one answer to a node that lags. */
export const helpCertificatesMax = 32
/** Final blocks kept to answer requests by hash; older ones travel by range sync. */
export const recentFinalBlocksMax = 8
/** Commits that may be on their way to the disk when the journal is rewritten. */
export const commitsOutstandingMax = 8
/** Height difference from which range sync is asked for at once; below it blocks are asked for by hash. */
export const lagBlocksMax = 4
/** Blocks asked for by hash at a time. */
export const blockRequestsMax = 8
/** Votes of the next epoch kept for each peer until that epoch starts here. */
export const nextEpochVotesMax = 6
/** Peers whose liveness and help times are remembered: sealers and observers. */
export const peersRememberedMax = 256
/** Requests for blocks or certificates answered for one peer in a resend period; honest peers send fewer. */
export const requestsServedMax = 24
