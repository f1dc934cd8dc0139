/** R9, R9b: asking for blocks and certificates that are missing; answering those who ask. */
import { type Address, asView, type Hash, type View } from '../core/bytes.js'
import { blockRequestsMax, helpCertificatesMax, requestsServedMax } from './bounds.js'
import { type Core, finalView, send, type Wish } from './core.js'
import { fetchGraceMs } from './execution.js'
import { currentParent, mayExtend } from './parent.js'
import { findBlock, others } from './proposing.js'
import type { Certificate } from './types.js'

/** Sends what requests are due; each kind rotates over the peers with a counter of its own. */
export function repair(core: Core): void {
  for (const hash of core.missing.keys()) if (!core.needed.has(hash)) core.missing.delete(hash)
  let asked = 0
  for (const [hash, wish] of core.missing) {
    if (++asked > blockRequestsMax) break
    if (isDue(core, wish)) ask(core, 'block', { type: 'requestBlock', hash })
  }
  repairGap(core)
}

function repairGap(core: Core): void {
  const gap = gapOf(core)
  if (!gap) {
    core.gap = null
    return
  }
  core.gap ??= { askAt: core.now + fetchGraceMs(core), tries: 0 }
  if (isDue(core, core.gap)) ask(core, 'certificates', { type: 'requestCertificates', ...gap })
}

/** Views whose certificates R2 needs, for the own tip or for the proposal at hand. */
function gapOf(core: Core): { from: View; to: View } | null {
  const parent = currentParent(core)
  if (!parent.known) return { from: parent.from, to: parent.to }
  const proposal = core.views.get(core.cur)?.proposal
  if (!proposal || proposal.block.view < core.cur) return null
  if (mayExtend(core, core.cur, proposal.parentView, proposal.block.parent) !== 'missing') return null
  return { from: proposal.parentView, to: asView(core.cur - 1) }
}

function isDue(core: Core, wish: Wish): boolean {
  if (core.now < wish.askAt) return false
  wish.askAt = core.now + core.options.timers.resendMs
  wish.tries++
  return true
}

function ask(core: Core, kind: 'block' | 'certificates', message: Parameters<typeof send>[2]): void {
  const peers = others(core)
  const connected = peers.filter((address) => core.peers.get(address)?.connected ?? true)
  const choice = connected.length > 0 ? connected : peers
  const peer = choice[core.turn[kind]++ % Math.max(1, choice.length)]
  if (peer) send(core, peer, message)
}

/** R12: whether a peer's request is answered; a block may cost a thousand times what asking for it costs. */
export function mayServe(core: Core, address: Address): boolean {
  const peer = core.peers.get(address)
  if (!peer) return false
  if (core.now - peer.servedSince >= core.options.timers.resendMs) {
    peer.servedSince = core.now
    peer.served = 0
  }
  return peer.served++ < requestsServedMax
}

export function answerBlock(core: Core, to: Address, hash: Hash): void {
  const block = findBlock(core, hash)
  if (block) send(core, to, { type: 'block', block })
}

/** Certificates of the views asked for, at most `helpCertificatesMax`; below the base, the finalization stands for all. */
export function answerCertificates(core: Core, to: Address, from: View, until: View): void {
  const certificates = certificatesFrom(core, from, until)
  for (const certificate of certificates) send(core, to, { type: 'certificate', certificate })
}

export function certificatesFrom(core: Core, from: View, until: View): Certificate[] {
  const found: Certificate[] = []
  const base = core.pending ?? core.final.certificate
  if (from <= finalView(core) && base && base.epoch === core.council.set.epoch) found.push(base)
  const first = Math.max(from, finalView(core) + 1)
  for (let view = first; view <= Math.min(until, core.cur - 1); view++) {
    const certificates = core.views.get(asView(view))?.certificates
    for (const certificate of [certificates?.notarize, certificates?.nullify]) if (certificate) found.push(certificate)
    if (found.length >= helpCertificatesMax) break
  }
  return found
}
