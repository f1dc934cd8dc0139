/** The house rules as a test: import directions, purity of the cores, one file for each outside library that needs care. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'

const ROOT = process.cwd()
const SRC = join(ROOT, 'src')

/** What each folder may import besides itself (docs/ARCHITECTURE.md draws the same table). */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  crypto: ['core'],
  consensus: ['core'],
  sim: ['core', 'consensus', 'contracts'],
  state: ['core', 'crypto'],
  vm: ['core', 'crypto', 'state'],
  contracts: ['core', 'crypto', 'consensus', 'state', 'vm'],
  p2p: ['core', 'crypto'],
  rpc: ['core'],
  audit: ['core', 'crypto', 'contracts', 'vm'],
  evidence: ['core'],
  agent: ['core', 'crypto', 'contracts', 'audit', 'evidence', 'rpc', 'state', 'vm'],
  client: ['core', 'crypto', 'consensus', 'contracts', 'audit', 'evidence', 'rpc', 'agent'],
  node: ['core', 'crypto', 'consensus', 'state', 'vm', 'contracts', 'audit', 'p2p', 'rpc'],
  cli: [
    'core',
    'crypto',
    'consensus',
    'state',
    'vm',
    'contracts',
    'audit',
    'evidence',
    'p2p',
    'rpc',
    'agent',
    'node',
    'sim',
  ],
}

/** Narrower doors: what of a folder others may use. */
const DOORS: readonly { from: string; to: string; only: RegExp; why: string }[] = [
  { from: 'agent', to: 'rpc', only: /^rpc\/(client|errors|wire)/, why: 'agents talk to a node as any client does' },
  {
    from: 'agent',
    to: 'state',
    only: /^state\/(store\/|errors)/,
    why: 'the embedded department database is a key-value store',
  },
  { from: 'agent', to: 'vm', only: /^vm\/abi/, why: "agents encode calls with the contracts' ABI" },
  {
    from: 'audit',
    to: 'vm',
    only: /^vm\/(abi|storage|words)/,
    why: 'trails decode what contracts said, they run none',
  },
  { from: 'contracts', to: 'state', only: /^state\/reader/, why: 'contracts read a state through the port alone' },
  {
    from: 'evidence',
    to: 'core',
    only: /^core\/codedError\.js$/,
    why: 'the verifier shares no code with what it verifies, and runs in a browser',
  },
  { from: 'sim', to: 'contracts', only: /^contracts\/creditRules/, why: 'the simulator executes no contract' },
  {
    from: 'client',
    to: 'agent',
    only: /^agent\/(agentError|auditClient|connection|consent|contractClient|declaration\/(declared|plainDocument)|delivery\/direct|enterpriseProxy|heads|objection|partReports|portraitKeys|questionRefused|requester|signedConnection|signer|transact)\.js$/,
    why: 'browsers have what members do, not databases, files and department agents',
  },
  { from: 'client', to: 'rpc', only: /^rpc\/(client|clientError|errors|wire)\.js$/, why: 'viem carries its requests' },
  {
    from: 'client',
    to: 'contracts',
    only: /^contracts\/(.*\.abi|addresses|codes|genesisTypes|textId)\.js$/,
    why: 'it calls contracts, it runs none',
  },
  { from: 'client', to: 'consensus', only: /^consensus\/(certificate|types|vote)\.js$/, why: 'it checks certificates' },
  { from: 'client', to: 'audit', only: /^audit\/(auditQuery|entry)\.js$/, why: 'nodes read the trails' },
  {
    from: 'contracts',
    to: 'crypto',
    only: /^crypto\/(keccak|groupKey|groupKeyCheck)\.js$/,
    why: 'contracts hash and check what members contribute to a key, they hold no keys',
  },
  {
    from: 'contracts',
    to: 'consensus',
    only: /^consensus\/(weightPolicy|extensions|quorum)/,
    why: 'arithmetic of weight, no rules of voting',
  },
]

const PURE = ['consensus', 'vm', 'contracts']
const IMPURE = [
  /\basync\b/,
  /\bawait\b/,
  /\bPromise\b/,
  /\bnew Date\(\)|\bDate\.(now|parse)/,
  /Math\.random/,
  /performance\./,
  /setTimeout/,
  /setInterval/,
  /setImmediate/,
  /queueMicrotask/,
  /\bprocess\./,
  /from 'node:/,
  /\bconsole\./,
  /\bglobalThis\b/,
  /crypto\.getRandomValues/,
]

/** Libraries that exactly one file (or folder) imports. */
const SINGLE_HOMES: readonly { library: RegExp; home: RegExp }[] = [
  { library: /^classic-level$/, home: /^state\/store\/level\.ts$/ },
  { library: /^(libp2p|@libp2p\/|@chainsafe\/libp2p-noise|@multiformats\/)/, home: /^p2p\// },
  { library: /^secp256k1$/, home: /^crypto\/secp256k1\.ts$/ },
  { library: /^pg$/, home: /^agent\/database\/postgres\// },
  { library: /^fastify$/, home: /^rpc\// },
  { library: /^@ethereumjs\//, home: /^(agent\/)?evidence\// },
  { library: /^jose$/, home: /^rpc\/token/ },
  { library: /^(pkijs|asn1js)$/, home: /^evidence\/token(\.ts$|\/)/ },
  { library: /^commander$/, home: /^cli\// },
]

function filesUnder(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    return statSync(path).isDirectory() ? filesUnder(path) : path.endsWith('.ts') ? [path] : []
  })
}

const files = filesUnder(SRC).map((path) => {
  const text = readFileSync(path, 'utf8')
  const name = relative(SRC, path)
  const imports = [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)[^'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3])!)
  return { name, room: name.split('/')[0]!, path, text, imports }
})

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')

t.test('imports point down the layers', async (t) => {
  const faults: string[] = []
  for (const file of files) {
    for (const specifier of file.imports.filter((s) => s.startsWith('.'))) {
      const target = relative(SRC, resolve(dirname(file.path), specifier))
      if (target.startsWith('..')) {
        // What stands beside the product: its experiments and pictures, which two commands load.
        if (!/^cli\/commands\/(bench|sim)\.ts$/.test(file.name)) faults.push(`${file.name} imports ${target}`)
        continue
      }
      const room = target.split('/')[0]!
      if (room === file.room || file.name === 'index.ts') continue
      if (!MAY_IMPORT[file.room]?.includes(room)) faults.push(`${file.name} imports ${target}`)
      for (const door of DOORS) {
        if (door.from === file.room && door.to === room && !door.only.test(target))
          faults.push(`${file.name} imports ${target}: ${door.why}`)
      }
    }
  }
  t.same(faults, [])
})

t.test('consensus, vm and contracts are free of I/O, clocks, randomness and async', async (t) => {
  const faults: string[] = []
  for (const file of files.filter((f) => PURE.includes(f.room))) {
    const code = withoutComments(file.text)
    for (const pattern of IMPURE) if (pattern.test(code)) faults.push(`${file.name}: ${pattern}`)
  }
  t.same(faults, [])
})

t.test('what verifies evidence runs in a browser', async (t) => {
  const outside = /from 'node:|\bBuffer\b|\bprocess\.|\brequire\(/
  t.same(
    files.filter((f) => f.room === 'evidence' && outside.test(withoutComments(f.text))).map((f) => f.name),
    [],
  )
})

t.test('libraries that need care have one home', async (t) => {
  const faults: string[] = []
  for (const file of files) {
    for (const specifier of file.imports) {
      for (const { library, home } of SINGLE_HOMES)
        if (library.test(specifier) && !home.test(file.name)) faults.push(`${file.name} imports ${specifier}`)
    }
  }
  t.same(faults, [])
})

t.test('every source file is used, and none has grown past 450 lines', async (t) => {
  // The network in one process serves tests and experiments; nothing of the product composes it.
  const entries = /^(index|client\/index|cli\/main|sim\/main|sim\/worker|p2p\/memoryNetwork)\.ts$/
  const used = new Set<string>()
  const outside = [...filesUnder(join(ROOT, 'test')), ...filesUnder(join(ROOT, 'bench'))]
  const mark = (path: string, specifiers: readonly string[]) => {
    for (const s of specifiers)
      if (s.startsWith('.') || s.startsWith('/')) used.add(resolve(dirname(path), s).replace(/\.js$/, '.ts'))
  }
  for (const file of files) mark(file.path, file.imports)
  for (const path of outside.filter((p) => p.includes('/bench/'))) {
    mark(
      path,
      [...readFileSync(path, 'utf8').matchAll(/from\s+'([^']+)'/g)].map((m) => m[1]!),
    )
  }
  t.same(
    files.filter((f) => !entries.test(f.name) && !used.has(f.path)).map((f) => f.name),
    [],
    'no dead files',
  )
  t.same(
    files.filter((f) => f.text.split('\n').length > 450).map((f) => f.name),
    [],
    'no giant files',
  )
})

t.test('loose ends', async (t) => {
  const loose = /\bas any\b|@ts-ignore|@ts-nocheck|TODO|FIXME|not implemented/
  t.same(
    files.filter((f) => loose.test(f.text)).map((f) => f.name),
    [],
  )
})

const git = (...args: string[]) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' })
const noCheckout = git('rev-parse', '--is-inside-work-tree').status !== 0 && 'needs git and a checkout'

t.test('no file that is kept is one that git ignores', { skip: noCheckout }, async (t) => {
  const { status, stdout } = git('ls-files', '--cached', '--ignored', '--exclude-standard')
  t.equal(status, 0)
  t.same(stdout.split('\n').filter(Boolean), [])
})
