/** Evidence of each kind, from a chain with two sealer sets: what it says is what the contracts say, and what is put together wrongly fails. */
import { readFileSync } from 'node:fs'
import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import t from 'tap'
import { dataPortrait, dataSharing, view } from '../../src/agent/contractClient.js'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { NodePool } from '../../src/agent/evidence/nodePool.js'
import { EXISTENCE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { asEpoch, asView, fromHex, toHash, toHex, ZERO_HASH } from '../../src/core/bytes.js'
import { SECP256K1_N } from '../../src/core/transaction.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { recoverAddress } from '../../src/crypto/secp256k1.js'
import { EvidenceError } from '../../src/evidence/evidenceError.js'
import type { Exchange } from '../../src/evidence/exchange.js'
import {
  type CertifiedRun,
  EVIDENCE_BYTES_MAX,
  type EvidenceFile,
  readEvidence,
  writeEvidence,
} from '../../src/evidence/format.js'
import { text as textOf } from '../../src/evidence/layout.js'
import {
  type EvidenceReport,
  type Portrait,
  prove,
  type SingleTransaction,
  verifyEvidence,
} from '../../src/evidence/verify.js'
import { voteSigner } from '../../src/node/votes.js'
import { type Schema, schemaFault } from '../rpc/schema.js'
import {
  addressOf,
  CAPITAL,
  CHAIN_ID,
  digestOf,
  ENTERPRISE,
  EvidenceChain,
  KEYS,
  REPRESENTATIVE,
  SEALER_KEYS,
  type Told,
  tell,
} from './chain.js'

const SCHEMA = JSON.parse(readFileSync('schemas/evidence.schema.json', 'utf8')) as Schema
let told: Told
interface Refusal {
  readonly code?: string
  readonly message?: RegExp
}

t.before(async () => {
  told = await tell()
})

t.test('a transaction', async (t) => {
  const { chain, hashes } = told
  const client = await chain.serve(t)
  const { text, report } = await exportEvidence(client, { kind: 'transaction', hash: hashes.question })
  t.equal(schemaFault(SCHEMA, JSON.parse(text)), undefined)
  const { transaction } = report.content as SingleTransaction
  const { from, to, input } = (await client.call('eth_getTransactionByHash', hashes.question))!
  t.match(transaction, { hash: hashes.question, signer: from, to, input, block: 2, index: 0, succeeded: true })
  t.match(report.blocks, [
    { number: 2, epoch: 0, finality: { block: 3, weight: 13, weightTotal: 13, weightQuorum: 9 } },
  ])
  t.match(
    report.words[0],
    /signed transaction 0x[0-9a-f]+ to 0x[0-9a-f]+; carried out as number 0 on 2027-01-15T08:00:02.123Z \(block 2\)/,
  )
  const { report: refused } = await exportEvidence(client, { kind: 'transaction', hash: hashes.refused })
  t.match(refused.words[0], /it was refused and changed nothing/)
  const unknown = exportEvidence(client, { kind: 'transaction', hash: digestOf('none') })
  await t.rejects(unknown, { code: 'NOT_FOUND' })
})

t.test('a portrait entry', async (t) => {
  const { chain } = told
  const client = await chain.serve(t)
  const query = { kind: 'portrait', enterprise: ENTERPRISE, attribute: REPRESENTATIVE } as const
  const { text, report } = await exportEvidence(client, query)
  t.equal(schemaFault(SCHEMA, JSON.parse(text)), undefined)
  const { entries, rule } = report.content as Portrait
  const profile = await view(client, dataSharing, 'GetUserProfile', { enterpriseId: ENTERPRISE })
  const known = profile.filter(({ attribute }) => attribute === REPRESENTATIVE)
  t.same(
    entries.map(({ digest, height, validUntil, attesters }) => ({
      digest,
      height,
      validUntil,
      attesters: attesters.map((one) => one.account),
    })),
    known.map(({ digest, height, validUntil, attesters }) => ({
      digest,
      height: Number(height),
      validUntil: Number(validUntil),
      attesters,
    })),
  )
  t.match(entries, [
    {
      existence: 'vacant',
      confirmed: false,
      isValid: true,
      attesters: [{ id: 'market-regulation' }, { id: 'finance', role: 'department' }],
    },
  ])
  const { profile: inForce } = await view(client, dataPortrait, 'profileAt', { attribute: REPRESENTATIVE, height: 7n })
  t.same(
    rule.supervisors.map(({ account }) => account),
    inForce.supervisors,
  )
  t.match(rule, {
    quorum: 'all',
    deadlineBlocks: 100,
    schemaVersion: inForce.schemaVersion,
    askers: ['department'],
    basis: 'none',
  })
  const nothing = exportEvidence(client, { kind: 'portrait', enterprise: digestOf('nobody'), attribute: CAPITAL })
  await t.rejects(nothing, { code: 'CONTENT' })
})

t.test('an exchange, whose last answer came under another sealer set', async (t) => {
  const { chain, hashes } = told
  const client = await chain.serve(t)
  const { text, report } = await exportEvidence(client, { kind: 'exchange', requestId: 1n })
  t.equal(schemaFault(SCHEMA, JSON.parse(text)), undefined)
  t.equal(report.sets.length, 2)
  t.same(
    report.sets.map(({ sealers }) => sealers.length),
    [4, 3],
  )
  t.same(
    report.blocks.map(({ number, epoch }) => [number, epoch]),
    [
      [2, 0],
      [4, 0],
      [6, 1],
      [7, 1],
    ],
  )
  const exchange = report.content as Exchange
  const request = await view(client, dataSharing, 'requestOf', { requestId: 1n })
  const { enterpriseId, requester, purpose, height, deadline, completed } = request
  t.match(exchange, {
    enterprise: enterpriseId,
    requester: { account: requester, id: 'government-service' },
    purpose,
    height: Number(height),
    deadline: Number(deadline),
    isComplete: completed,
    question: { hash: hashes.question },
  })
  t.match(
    exchange.items,
    request.items.map(({ attribute, digest, answers, answeredAt }) => ({
      attribute,
      digest,
      answers,
      answeredAt: Number(answeredAt),
    })),
  )
  t.match(exchange.items[1]!.given, [
    { by: { id: 'market-regulation' }, existence: 'exists', confirmed: false, transaction: { hash: hashes.market } },
    { by: { id: 'finance' }, existence: 'vacant', transaction: { hash: hashes.finance } },
  ])
  t.not(exchange.items[1]!.given[1]!.transaction.signer, addressOf('finance'), 'another key of the department')
  const words = report.words.join('\n')
  t.match(
    words,
    /finance \(department, 0x\w+\) answered on 2027-01-15T08:00:06.123Z \(block 6\) that on legalRepresentative: the record is empty there/,
  )
  t.match(words, /3 sealers of epoch 1 with weight 3 of 3/)
  t.match(words, /through 2 sealer sets, each certified by the one before/)
})

t.test('late answers that contradict each other in one transaction', async (t) => {
  const late = await EvidenceChain.open()
  const items = [{ attribute: REPRESENTATIVE, digest: digestOf('representative') }]
  const sealed = [addressOf('market'), addressOf('finance')].map((supervisor) => {
    return { supervisor, keyEpoch: 1n, envelope: Uint8Array.of(1) }
  })
  const asked = { enterpriseId: ENTERPRISE, portraitVersion: 1, purpose: textId('tax-relief'), basis: ZERO_HASH, items }
  late.send(KEYS.asker, 'dataSharing', 'requestVerification', { ...asked, sealed })
  for (let i = 0; i < 102; i++) await late.block()
  const answer = { requestId: 1n, attribute: REPRESENTATIVE }
  const answers = [
    { ...answer, existence: EXISTENCE.exists, confirmed: true },
    { ...answer, existence: EXISTENCE.vacant, confirmed: false },
  ]
  late.send(KEYS.finance, 'dataSharing', 'attest', { answers })
  await late.block()
  const { report } = await exportEvidence(await late.serve(t), { kind: 'exchange', requestId: 1n })
  t.match((report.content as Exchange).items[0]!.given, [
    { standing: 'late', existence: 'exists', confirmed: true },
    { standing: 'late', existence: 'vacant', confirmed: false },
  ])
  t.match(report.words.join('\n'), /has not answered on legalRepresentative by block 103/)
})

t.test('what is put together wrongly', async (t) => {
  const { chain } = told
  const client = await chain.serve(t)
  const { genesisHash } = chain
  const { text } = await exportEvidence(client, { kind: 'exchange', requestId: 1n })
  const file = readEvidence(text)
  const refused = async (title: string, changes: Partial<EvidenceFile>, error: Refusal) => {
    const altered = writeEvidence({ ...file, ...changes })
    const said: unknown = await verifyEvidence(altered, { genesisHash }).catch((fault: unknown) => fault)
    t.match(said, error, title)
  }
  const run = file.blocks[0]!
  const [first, second, third, fourth] = run.votes as [`0x${string}`, `0x${string}`, `0x${string}`, `0x${string}`]
  const withVotes = (...votes: `0x${string}`[]) => ({ blocks: [{ ...run, votes }, ...file.blocks.slice(1)] })
  const order = { code: 'CERTIFICATE', message: /vote \d for block 3 is not by a sealer of epoch 0 in its order/ }
  await refused('a vote twice', withVotes(first, first, second, third), order)
  await refused('votes in another order', withVotes(second, first, third), order)
  await refused('the twin of a vote', withVotes(twin(first), second, third, fourth), order)
  await refused('too few', withVotes(first, second), { message: /weigh 6, a quorum is 9/ })
  await refused(
    'the votes of another block',
    { blocks: [{ ...run, votes: file.blocks[1]!.votes }, ...file.blocks.slice(1)] },
    order,
  )
  await refused('no set of the second epoch', { epochs: [] }, { code: 'UNUSED' })
  await refused('an epoch too many', { epochs: [...file.epochs, file.epochs[0]!] }, { code: 'SEALERS' })
  await refused(
    'an epoch that is not closed',
    { epochs: [{ ...run, headers: run.headers.slice(0, 1) }] },
    { code: 'SEALERS' },
  )
  await refused('a block that is missing', { blocks: file.blocks.toSpliced(1, 1) }, { code: 'CONTENT' })
  await refused('a block twice', { blocks: [run, ...file.blocks] }, { code: 'UNUSED' })
  await refused(
    'a gap between headers',
    { blocks: [{ ...run, headers: [run.headers[0]!, file.blocks[1]!.headers[0]!] }] },
    { code: 'HEADER' },
  )
  const left = { code: 'CONTENT', message: /the answer of 0x\w+ on legalRepresentative is not in the file/ }
  /** By a forger who puts in the nodes that the rest needs. */
  const refusedWithItsNodes = async (title: string, changes: Partial<EvidenceFile>, error: Refusal) => {
    const { take } = new NodePool(file.nodes)
    const said: unknown = await prove({ ...file, ...changes }, { genesisHash, take }).catch((fault: unknown) => fault)
    t.match(said, error, title)
  }
  await refusedWithItsNodes('an answer left out', { transactions: file.transactions.toSpliced(2, 1) }, left)
  await refusedWithItsNodes('the question left out', { transactions: file.transactions.slice(1) }, { code: 'CONTENT' })
  await refused('an answer twice', { transactions: [...file.transactions, file.transactions[2]!] }, { code: 'UNUSED' })
  await refused('a node too many', { nodes: [...file.nodes, '0xc0'] }, { code: 'UNUSED' })
  await refused(
    'nodes in another order',
    { nodes: file.nodes.toReversed() },
    { code: 'PROOF_MISSING', message: /: node 0 of the file is altered, or not the one that is needed there/ },
  )
  await refused(
    'the last node missing',
    { nodes: file.nodes.slice(0, -1) },
    { code: 'PROOF_MISSING', message: /node \d+ of the file is missing/ },
  )
  await refused('another chain id', { chainId: file.chainId + 1 }, { code: 'CERTIFICATE' })
  await refused('another question', { subject: [digestOf('2')] }, { code: 'PROOF_MISSING' })
  await t.rejects(verifyEvidence(text, { genesisHash: digestOf('other') }), { code: 'GENESIS' })
})

t.test('parts of a file exchanged, doubled and left out at random', async (t) => {
  const { chain } = told
  const { genesisHash } = chain
  const { text, report } = await exportEvidence(await chain.serve(t), { kind: 'exchange', requestId: 1n })
  const reasons = new Map<string, number>()
  /** All but who signed blocks: votes above a quorum may be left out. */
  const proved = ({ content, last, sets, state }: EvidenceReport) => ({ content, last, sets, state })
  const verified = async (file: string): Promise<string> => {
    try {
      const { blocks, ...rest } = await verifyEvidence(file, { genesisHash, recover: recoverAddress })
      t.same(proved({ blocks, ...rest }), proved(report))
      const fewer = blocks.some(({ finality }, i) => finality.weight < report.blocks[i]!.finality.weight)
      return fewer ? 'fewer votes' : 'taken'
    } catch (error) {
      if (error instanceof EvidenceError) return error.code
      throw error
    }
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(5), async (first, second, how) => {
      const copy = JSON.parse(text) as object
      const places = placesIn(copy)
      alter(places[first % places.length]!, places[second % places.length]!, how)
      const altered = `${JSON.stringify(copy)}\n`
      if (altered === text) return true
      const said = await verified(altered)
      reasons.set(said, (reasons.get(said) ?? 0) + 1)
      return said !== 'taken'
    }),
    { numRuns: 600 },
  )
  t.ok(reasons.size >= 5, `refused for reasons of all kinds: ${JSON.stringify([...reasons])}`)
})

interface Place {
  readonly of: Record<string, unknown>
  readonly key: string
}

/** Every item and every value of an object, however deep. */
function placesIn(of: object): Place[] {
  return Object.entries(of).flatMap(([key, value]) => [
    { of: of as Place['of'], key },
    ...(typeof value === 'object' && value !== null ? placesIn(value) : []),
  ])
}

function alter(first: Place, second: Place, how: number): void {
  // Copies, lest something come to stand in itself.
  const [one, other] = structuredClone([first.of[first.key], second.of[second.key]])
  if (how <= 1) [first.of[first.key], second.of[second.key]] = [other, one]
  else if (how === 2) first.of[first.key] = other
  else if (typeof one === 'number') first.of[first.key] = one + (how === 3 ? 1 : -1)
  else if (!Array.isArray(first.of)) first.of[first.key] = null
  else if (how === 3) first.of.splice(Number(first.key), 1)
  else first.of.splice(Number(first.key), 0, one)
}

t.test('sealers of the past go on beside the chain', async (t) => {
  const { chain } = told
  const { genesisHash } = chain
  const { text } = await exportEvidence(await chain.serve(t), { kind: 'exchange', requestId: 1n })
  const file = readEvidence(text)
  const [run] = file.blocks
  const copy = RLP.decode(fromHex(run!.headers.at(-1)!)) as Uint8Array[]
  const forged = (number: number): CertifiedRun => {
    const header = RLP.encode(copy.with(8, Uint8Array.of(number)))
    const vote = {
      kind: 'finalize',
      epoch: asEpoch(0),
      view: asView(run!.view),
      block: toHash(keccak256(header)),
    } as const
    const votes = SEALER_KEYS.map((key) => toHex(voteSigner({ chainId: CHAIN_ID, genesisHash }, key)(vote)))
    return { headers: [toHex(header)], view: run!.view, votes }
  }
  const closes = file.epochs[0]!
  const end = Number(toHex((RLP.decode(fromHex(closes.headers[0]!)) as Uint8Array[])[8]!))
  const refused = async (title: string, changes: Partial<EvidenceFile>, message: RegExp) => {
    const said = verifyEvidence(writeEvidence({ ...file, ...changes }), { genesisHash })
    await t.rejects(said, { code: 'SEALERS', message }, title)
  }
  const beside = (number: number) => [...file.blocks, forged(number)].toSorted((a, b) => numberOf(a) - numberOf(b))
  await refused('after their epoch', { blocks: beside(9) }, /block 9 does not stand in epoch 0 as the file closes it/)
  await refused('in place of its last block', { blocks: beside(end) }, /block 5 does not stand in epoch 0/)
  await refused(
    'an epoch that ends before it began',
    { epochs: [forgedEnd()] },
    /block 0, which closes epoch 0, does not/,
  )

  /** Block 0 does not count as the end of an epoch, whoever signs it. */
  function forgedEnd(): CertifiedRun {
    const fields = RLP.decode(fromHex(closes.headers[0]!)) as Uint8Array[]
    return { ...closes, headers: [toHex(RLP.encode(fields.with(8, new Uint8Array(0))))] }
  }
})

const numberOf = ({ headers }: CertifiedRun): number =>
  Number(toHex((RLP.decode(fromHex(headers[0]!)) as Uint8Array[])[8]!))

t.test('no one writes sentences of their own', async (t) => {
  const told = await EvidenceChain.open()
  const { genesisHash } = told
  const items = [{ attribute: CAPITAL, digest: digestOf('capital') }]
  const purpose = toHash(new Uint8Array(32).map((_, i) => '\u001b[2Jx\n- finance answered: yes'.charCodeAt(i) || 0))
  const sealed = [{ supervisor: addressOf('market'), keyEpoch: 1n, envelope: Uint8Array.of(1) }]
  const asked = { enterpriseId: ENTERPRISE, portraitVersion: 1, purpose, basis: ZERO_HASH, items, sealed }
  told.send(KEYS.asker, 'dataSharing', 'requestVerification', asked)
  await told.block()
  const { text } = await exportEvidence(await told.serve(t), { kind: 'exchange', requestId: 1n })
  const { words } = await verifyEvidence(text, { genesisHash })
  t.match(words[0], `for the purpose ${purpose}`, 'a purpose that is no name stands in hex')
  t.notMatch(words.join(''), /[^\x20-\x7e]/)
  t.equal(textOf(purpose), purpose)
  t.equal(textOf(ENTERPRISE), '91440300708461136T')
  for (const word of ['00', '6100620000', '20', '61200000', 'c3a9', '7f', '610a']) {
    const padded = `0x${word.padEnd(64, '0')}` as const
    t.equal(textOf(padded), padded, `${word} is no name`)
  }
})

t.test('hostile files', async (t) => {
  const { chain, hashes } = told
  const { genesisHash } = chain
  const { text } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash: hashes.market })
  const depth = 1_000_000
  const hostile = {
    'nested lists': '['.repeat(depth),
    'nested lists that end': `${'['.repeat(depth)}${']'.repeat(depth)}`,
    'nested lists in a place': text.replace('"nodes":[', `"nodes":[${'['.repeat(depth)}${']'.repeat(depth)},`),
    'a prototype': text.replace('{', '{"__proto__":{"token":null},'),
    'a prototype alone': `{"__proto__":${text.trim()}}\n`,
    'too many bytes': ' '.repeat(EVIDENCE_BYTES_MAX + 1),
    nothing: '',
    'a number': '1\n',
  }
  for (const [title, file] of Object.entries(hostile)) {
    await t.rejects(verifyEvidence(file, { genesisHash }), { code: 'NOT_CANONICAL' }, title)
  }
  const file = readEvidence(text)
  const lists = `0x${'c1'.repeat(1_000_000)}` as const
  const inPlace: Readonly<Record<string, readonly [Partial<EvidenceFile>, string]>> = {
    'nested RLP for block 0': [{ genesis: lists }, 'GENESIS'],
    'nested RLP for a header': [{ blocks: [{ ...file.blocks[0]!, headers: [lists] }] }, 'MALFORMED'],
    'nested RLP for a node': [{ nodes: [lists] }, 'PROOF_MISSING'],
    'an empty run': [{ blocks: [{ ...file.blocks[0]!, headers: [] }] }, 'CONTENT'],
    'no blocks': [{ blocks: [] }, 'CONTENT'],
  }
  for (const [title, [changes, code]] of Object.entries(inPlace)) {
    const said = verifyEvidence(writeEvidence({ ...file, ...changes }), { genesisHash })
    await t.rejects(said, { name: 'EvidenceError', code }, title)
  }
})

t.test('what is not the fault of the file is not said of it', async (t) => {
  const { chain, hashes } = told
  const { genesisHash } = chain
  const { text } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash: hashes.market })
  for (const wrong of [undefined, '0x12', `${genesisHash}00`]) {
    const options = { genesisHash: wrong as `0x${string}` }
    await t.rejects(verifyEvidence(text, options), { name: 'TypeError', message: /genesisHash must be/ })
  }
  const recover = () => {
    throw new RangeError('out of memory')
  }
  await t.rejects(verifyEvidence(text, { genesisHash, recover }), { name: 'RangeError', message: 'out of memory' })
  const capitals = `0x${genesisHash.slice(2).toUpperCase()}` as const
  t.equal((await verifyEvidence(text, { genesisHash: capitals })).genesisHash, genesisHash)
})

t.test('one spelling', async (t) => {
  const { chain, hashes } = told
  const { genesisHash } = chain
  const { text } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash: hashes.market })
  const others = {
    'no line end': text.trimEnd(),
    'two line ends': `${text}\n`,
    'a space': text.replace(',', ', '),
    'an upper-case digit': text.replace(/[a-f]/, (digit) => digit.toUpperCase()),
    'an escaped character': text.replace('format', '\\u0066ormat'),
    'an unknown key': text.replace('{', '{"note":"x",'),
    'a key twice': text.replace('{', '{"format":"x",'),
    'another order': text.replace(/("chainId":\d+),("kind":"\w+")/, '$2,$1'),
    'a number with a point': text.replace(/"chainId":(\d+)/, '"chainId":$1.0'),
    'a mark in front': `\ufeff${text}`,
    'no JSON': 'evidence',
  }
  for (const [title, other] of Object.entries(others)) {
    await t.rejects(verifyEvidence(other, { genesisHash }), { code: 'NOT_CANONICAL' }, title)
  }
})

/** The other signature that the same key could have made of one: n - s, and the other parity. */
function twin(vote: `0x${string}`): `0x${string}` {
  const s = SECP256K1_N - BigInt(`0x${vote.slice(66, 130)}`)
  return `${vote.slice(0, 66)}${s.toString(16).padStart(64, '0')}0${1 - Number(vote.slice(131))}` as `0x${string}`
}
