import type { StateOverlay } from '../../src/state/overlay.js'
import { address, word } from './chain.js'

/** What block `height` writes: new slots, changed slots, cleared slots, accounts. */
export function editBlock(overlay: StateOverlay, height: number): void {
  overlay.setNonce(address(1), BigInt(height + 1))
  for (let i = 0; i < 40; i++) {
    overlay.setStorage(address(1), word(i), word(height * 100 + i + 1))
    overlay.setStorage(address(1), word(1000 + height * 40 + i), word(height + 1))
    overlay.setStorage(address(1), word(1000 + (height - 2) * 40 + i + 40_000), word(0))
    overlay.setBalance(address(10 + ((height * 7 + i) % 500)), BigInt(height * 50 + i))
  }
  if (height >= 2)
    for (let i = 0; i < 20; i++) overlay.setStorage(address(1), word(1000 + (height - 2) * 40 + i), word(0))
}
