/** The page's only style sheet: light, narrow screens and paper included. */
export const CSS = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 52rem; background: #fff; color: #222;
  font: 16px/1.55 "DejaVu Sans", Verdana, Geneva, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 2px solid #222; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
a { color: #005a8f; }
a.figure { font-size: .75em; white-space: nowrap; text-decoration: none; vertical-align: .15em; }
.value { white-space: nowrap; }
.interval { color: #555; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; }
th, td { border-bottom: 1px solid #ccc; padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1.5px solid #222; }
td.answer { font-weight: bold; white-space: nowrap; }
td.yes { color: #00694a; } td.no { color: #a33c00; } td.partly { color: #6b5500; }
td.ids { max-width: 20rem; font-size: .8em; color: #444; }
tr:target { background: #fff3c4; }
figure { margin: 1.5rem 0; break-inside: avoid; }
figure .wide { margin: 0; }
figure svg { display: block; width: 100%; min-width: 34rem; max-width: 46rem; height: auto; }
figcaption { font-size: .875rem; color: #444; margin-top: .4rem; }
li { margin: .35rem 0; }
nav ul { padding-left: 1.2rem; }
.notes { font-size: .9rem; color: #444; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  a { color: inherit; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  .wide { overflow: visible; }
  figure svg { min-width: 0; max-width: 16cm; }
}
`
