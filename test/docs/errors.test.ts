/** docs/errors.md lists exactly the error codes that the sources declare, under the name that declares them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

type Codes = Map<string, Set<string>>

const SRC = 'src'
const PAGE = 'docs/errors.md'

/** String literals in capitals: members of a closed union. */
const CODE = /'([A-Z][A-Z0-9_]*)'/g
/** `type XCode = 'A' | 'B'`, up to the next declaration. */
const UNION =
  /^(?:export )?type (\w+(?:Code|Fault|Refusal|Reason)) =([\s\S]*?)(?=\n(?:export|class|interface|type|const|function|\/\*\*)|\n\n|$(?![\s\S]))/gm
/** `class X extends CodedError<'A' | 'B'>` or `<XCode>`. */
const CODED_CLASS = /class (\w+)(?:<[^{]*>)? extends CodedError<([^>]+)>/g
/** `class X extends Error { ... readonly code: XCode`. */
const PLAIN_CLASS = /class (\w+) extends Error \{[\s\S]{0,200}?readonly code: (\w+Code),/g
/** `new CodedError('A', ...)`: a code of no class. */
const BARE = /new CodedError\(\s*'([A-Z][A-Z0-9_]*)'/g
/** A fault of a peer, as the node logs it: `SYNC_LINK: ...`. */
const PEER_FAULT = /[`']([A-Z]+(?:_[A-Z]+)*): /g
const ABI_ERROR = /'error (\w+)\(/g

function sources(): { readonly path: string; readonly text: string }[] {
  const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return names.sort().map((name) => ({ path: name, text: readFileSync(join(SRC, name), 'utf8') }))
}

const literals = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!)

function add(codes: Codes, name: string, found: readonly string[]): void {
  if (found.length > 0) codes.set(name, new Set([...(codes.get(name) ?? []), ...found]))
}

/** Codes of one file by the class that carries them, or by the union where no class does. */
function addDeclared(codes: Codes, text: string): void {
  const unions = new Map([...text.matchAll(UNION)].map((match) => [match[1]!, literals(match[2]!, CODE)]))
  const used = new Set<string>()
  for (const [, name, parameter] of [...text.matchAll(CODED_CLASS), ...text.matchAll(PLAIN_CLASS)]) {
    const own = literals(parameter!, CODE)
    used.add(parameter!)
    add(codes, name!, own.length > 0 ? own : (unions.get(parameter!) ?? []))
  }
  for (const [name, found] of unions) if (!used.has(name)) add(codes, name, found)
}

function declaredCodes(): Codes {
  const codes: Codes = new Map()
  for (const { path, text } of sources()) {
    addDeclared(codes, text)
    add(codes, 'CodedError', literals(text, BARE))
    if (path.startsWith('node/')) add(codes, 'penalize', literals(text, PEER_FAULT))
    const contract = /^contracts\/(\w+)\.abi\.ts$/.exec(path)?.[1]
    if (contract !== undefined) add(codes, `${contract}.abi`, literals(text, ABI_ERROR))
    if (path === 'rpc/errors.ts') add(codes, 'RPC_CODES', rpcCodes(text))
  }
  return codes
}

function rpcCodes(text: string): string[] {
  const table = /const RPC_CODES = \{([\s\S]*?)\}/.exec(text)?.[1] ?? ''
  return literals(table, /: (-?\d+),/g)
}

/** Sections are `### \`Name\``, rows begin with `| \`CODE\` |`. */
function listedCodes(page: string): { codes: Codes; doubled: string[] } {
  const codes: Codes = new Map()
  const doubled: string[] = []
  let section = ''
  for (const line of page.split('\n')) {
    section = /^### `([\w.]+)`/.exec(line)?.[1] ?? section
    const code = /^\| `([^`]+)` \|/.exec(line)?.[1]
    if (code === undefined) continue
    if (codes.get(section)?.has(code)) doubled.push(`${section} ${code}`)
    add(codes, section, [code])
  }
  return { codes, doubled }
}

const flat = (codes: Codes): string[] =>
  [...codes].flatMap(([name, found]) => [...found].map((code) => `${name} ${code}`))

t.test('docs/errors.md and the sources name the same codes', async (t) => {
  const declared = flat(declaredCodes())
  const { codes, doubled } = listedCodes(readFileSync(PAGE, 'utf8'))
  const listed = flat(codes)
  t.same(
    declared.filter((code) => !listed.includes(code)),
    [],
    'every code of the sources is on the page',
  )
  t.same(
    listed.filter((code) => !declared.includes(code)),
    [],
    'every code of the page is in the sources',
  )
  t.same(doubled, [], 'no code twice in a section')
})

t.test('every class with a code was found', async (t) => {
  const declared = declaredCodes()
  const classes = sources().flatMap(({ text }) => [
    ...literals(text, /class (\w+)(?:<[^{]*>)? extends CodedError\b/g),
    ...literals(text, /class (\w+) extends Error \{[\s\S]{0,200}?readonly code: \w+Code/g),
  ])
  t.ok(classes.length > 0)
  t.same(
    classes.filter((name) => !declared.has(name)),
    [],
    'each takes its codes from a union in its own file',
  )
})
