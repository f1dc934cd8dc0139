/** R2: on which block a view builds. */
import { asView, type Hash, type View } from '../core/bytes.js'
import { justificationCertificatesMax } from '../core/limits.js'
import { type Core, finalView, sabotaged } from './core.js'
import type { Certificate } from './types.js'

/** A notarized or finalized view below which nothing may be skipped, or the views whose certificates are missing. */
export type Parent =
  | { readonly known: true; readonly view: View; readonly hash: Hash }
  | { readonly known: false; readonly from: View; readonly to: View }

/** The block of the highest certified view below `view` such that every view between is nullified. */
export function parentFor(core: Core, view: View): Parent {
  const base = finalView(core)
  for (let p = view - 1; p > base; p--) {
    const certificates = core.views.get(asView(p))?.certificates
    if (certificates?.notarize && sabotaged(core, 'drop-lock')) continue
    if (certificates?.notarize) return { known: true, view: asView(p), hash: certificates.notarize.block }
    if (!certificates?.nullify) return { known: false, from: gapStart(core, p), to: asView(p) }
  }
  return { known: true, view: base, hash: core.pending ? core.pending.block : core.final.hash }
}

/** R2 for the current view; remembered, since many nullified views may lie between. */
export function currentParent(core: Core): Parent {
  core.parent ??= parentFor(core, core.cur)
  return core.parent
}

/** Lowest view of the run without certificates that ends at `to`. */
function gapStart(core: Core, to: number): View {
  let from = to
  while (from - 1 > finalView(core)) {
    const certificates = core.views.get(asView(from - 1))?.certificates
    if (certificates?.notarize || certificates?.nullify) break
    from--
  }
  return asView(from)
}

/** Whether `view` may extend the block `hash` certified in `parentView`: yes, no, or certificates are missing here. */
export function mayExtend(core: Core, view: View, parentView: View, hash: Hash): 'yes' | 'no' | 'missing' {
  const base = finalView(core)
  if (parentView < base || parentView >= view) return 'no'
  if (parentView === base) {
    if (hash !== (core.pending ? core.pending.block : core.final.hash)) return 'no'
  } else {
    const notarization = core.views.get(parentView)?.certificates.notarize
    if (!notarization) return 'missing'
    if (notarization.block !== hash) return 'no'
  }
  if (sabotaged(core, 'no-skip-check')) return 'yes'
  for (let p = parentView + 1; p < view; p++) {
    const certificates = core.views.get(asView(p))?.certificates
    if (!certificates?.nullify && !(certificates?.notarize && sabotaged(core, 'drop-lock'))) return 'missing'
  }
  return 'yes'
}

/** R3: certificates that show `mayExtend` to others; the oldest nullifications are left out beyond the cap. */
export function justificationOf(core: Core, view: View, parentView: View): Certificate[] {
  const certificates: Certificate[] = []
  const parent = parentCertificate(core, parentView)
  if (parent) certificates.push(parent)
  const from = Math.max(parentView + 1, view - (justificationCertificatesMax - 1))
  for (let p = from; p < view; p++) {
    const nullification = core.views.get(asView(p))?.certificates.nullify
    if (nullification) certificates.push(nullification)
  }
  return certificates
}

/** Null for genesis and for the base of an epoch, whose certificate belongs to the epoch before. */
function parentCertificate(core: Core, view: View): Certificate | null {
  if (view > finalView(core)) return core.views.get(view)?.certificates.notarize ?? null
  const certificate = core.pending ?? core.final.certificate
  return certificate && certificate.epoch === core.council.set.epoch ? certificate : null
}
