/** Keeps every frame that it hears: what a member's node on the network can see. */
import type { Address } from '../../src/core/bytes.js'
import type { Channel } from '../../src/p2p/network.js'
import { ListeningPeer } from './listeningPeer.js'

export class FrameRecorder extends ListeningPeer {
  readonly frames: Uint8Array[] = []

  protected hear(_from: Address, _channel: Channel, frame: Uint8Array): void {
    this.frames.push(frame.slice())
  }
}
