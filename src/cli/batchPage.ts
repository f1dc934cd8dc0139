/** A batch's history as one page for the public: no script, nothing loaded from elsewhere. */
import type { BatchHistory } from '../agent/batchHistory.js'

export function batchPage(history: BatchHistory): string {
  const { batch, product, recalled, steps } = history
  const facts: readonly (readonly [string, string])[] = [
    ['Origin', history.origin],
    ['Now with', history.custodian],
    ['State', history.state + (history.reason === '' ? '' : `: ${history.reason}`)],
    ['Made from', history.inputs.length === 0 ? '-' : history.inputs.join(', ')],
    ['On record since block', String(history.openedInBlock)],
  ]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(product)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1b2733 }
  h1 { margin-bottom: 0 } .id { color: #5b6b7a; margin-top: 0; overflow-wrap: anywhere }
  .warning { background: #b3261e; color: #fff; padding: .75rem 1rem; border-radius: .5rem }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem } dt { color: #5b6b7a } dd { margin: 0 }
  ol { border-left: 3px solid #2f6f8f; list-style: none; padding-left: 1.25rem } li { margin-bottom: 1rem }
  li b { display: block } li small { color: #5b6b7a; overflow-wrap: anywhere }
</style>
<h1>${escapeHtml(product)}</h1>
<p class="id">Batch ${escapeHtml(batch)}</p>
${recalled === null ? '' : `<p class="warning">Recalled${recalled === batch ? '' : ` (batch ${escapeHtml(recalled)}, which it was made from)`}: do not use.</p>`}
<dl>${facts.map(([term, value]) => `<dt>${term}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
<h2>Its way</h2>
<ol>
${steps
  .map(({ by, kind, block, time, note, dataHash }) => {
    const remark = note === '' ? '' : `<div>${escapeHtml(note)}</div>`
    return `<li><b>${escapeHtml(kind)}</b>${escapeHtml(by)}${remark}<small>${time}, block ${block}, data ${dataHash}</small></li>`
  })
  .join('\n')}
</ol>
</html>
`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character]!)
