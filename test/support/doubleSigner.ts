/** A peer that speaks with a sealer's key, beside its node or instead of it, and signs whatever a test likes. */
import { encodeMessage } from '../../src/consensus/codec.js'
import type { VoteKind } from '../../src/consensus/types.js'
import { asEpoch, asView, type Hash } from '../../src/core/bytes.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { voteSigner } from '../../src/node/votes.js'
import { createLibp2pNetwork } from '../../src/p2p/libp2pNetwork.js'
import { CHANNEL } from '../../src/p2p/network.js'
import { eventually } from './localNetwork.js'

export interface DoubleSigner {
  /** Signs a vote for each of `blocks` in one view and sends them to the victim. */
  vote(kind: VoteKind, epoch: number, view: number, blocks: readonly Hash[]): void
  stop(): Promise<void>
}

/** Connects to the node at `multiaddr` and to nobody else. */
export async function createDoubleSigner(
  privateKey: Uint8Array,
  of: { readonly chainId: number; readonly genesisHash: Hash },
  multiaddr: string,
): Promise<DoubleSigner> {
  const network = await createLibp2pNetwork({
    privateKey,
    networkId: of.genesisHash,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: [{ multiaddr }],
    admission: () => 'peer',
  })
  await network.start()
  await eventually(() => network.peers().some((peer) => peer.connected), 'the double signer to be connected')
  const signer = privateKeyToAddress(privateKey)
  const sign = voteSigner(of, privateKey)
  return {
    vote(kind, epoch, view, blocks) {
      for (const block of blocks) {
        const vote = { kind, epoch: asEpoch(epoch), view: asView(view), block }
        const message = { type: 'vote', vote: { ...vote, signer, signature: sign(vote) } } as const
        network.broadcast(CHANNEL.consensus, encodeMessage(message))
      }
    },
    stop: () => network.stop(),
  }
}
