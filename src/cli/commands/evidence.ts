import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { type EvidenceQuery, exportEvidence } from '../../agent/evidence/exportEvidence.js'
import { attributeId, textId } from '../../contracts/textId.js'
import { concatBytes, type Hash, toHex } from '../../core/bytes.js'
import { EVIDENCE_BYTES_MAX, type EvidenceFile, readEvidence, writeEvidence } from '../../evidence/format.js'
import { readHeader } from '../../evidence/header.js'
import { readToken, timeStampRequest, tokenOf } from '../../evidence/token.js'
import { verifyEvidence } from '../../evidence/verify.js'
import { genesisHash } from '../../node/genesis.js'
import { loadGenesis } from '../../node/genesisFile.js'
import { networkOf, reading } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { hashArgument } from '../hexArgument.js'
import { createOutput } from '../output.js'

/** `concordat evidence`: answers that hold for years, without a node. */
export function evidenceCommand(): Command {
  const evidence = new Command('evidence').addHelpText(
    'after',
    '\nExample:\n  concordat evidence export 17 --network net --out question-17.json\n  concordat evidence verify question-17.json --genesis net/genesis.json\n\nWhat is proved and what is not: docs/evidence.md',
  )
  addExport(evidence)
  addVerify(evidence)
  addTimestamp(evidence)
  return evidence
}

interface ExportFlags {
  readonly network?: string
  readonly rpc?: string
  readonly out?: string
}

function addExport(evidence: Command): void {
  evidence
    .command('export <id> [attribute]')
    .description("a transaction's hash, a question's number, or an enterprise and an attribute of its portrait")
    .option('--network <dir>', 'a local network made by `concordat network create`')
    .option('--rpc <url>', 'JSON-RPC endpoint of a node (default: the first node of --network)')
    .option('--out <file>', 'where to write (default: standard output)')
    .addHelpText(
      'after',
      '\nExample:\n  concordat evidence export 91440300708461136T registeredCapital --rpc http://10.0.0.1:8545 > capital.json',
    )
    .action(async (id: string, attribute: string | undefined, flags: ExportFlags) => {
      const query = queryOf(id, attribute)
      const { text } = await reading(flags, (client) => exportEvidence(client, query))
      if (flags.out === undefined) process.stdout.write(text)
      else writeFileSync(flags.out, text)
    })
}

function queryOf(id: string, attribute: string | undefined): EvidenceQuery {
  if (attribute !== undefined) {
    return {
      kind: 'portrait',
      enterprise: named(() => textId(id, 'enterprise')),
      attribute: named(() => attributeId(attribute)),
    }
  }
  if (/^0x/.test(id)) return { kind: 'transaction', hash: hashArgument(id, 'transaction') }
  if (/^\d{1,18}$/.test(id)) return { kind: 'exchange', requestId: BigInt(id) }
  throw new UsageError(
    `'${id}' is neither a transaction's hash nor a question's number; for a portrait name enterprise and attribute`,
  )
}

function named(read: () => Hash): Hash {
  try {
    return read()
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

interface TrustFlags {
  readonly genesisHash?: string
  readonly genesis?: string
  readonly network?: string
  readonly tsaCa?: string
  readonly json?: boolean
}

function addVerify(evidence: Command): void {
  evidence
    .command('verify <file>')
    .description('says what a file proves and by whom; trusts nothing but the genesis hash that you give')
    .option('--genesis-hash <hash>', 'hash of block 0 of the chain that you trust')
    .option('--genesis <file>', 'its genesis file, in place of the hash')
    .option('--network <dir>', 'a local network, in place of its genesis file')
    .option('--tsa-ca <file>', 'certificates (PEM) of the time-stamp authorities that you trust')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat evidence verify capital.json --genesis-hash 0x2751…63bb')
    .action(async (path: string, flags: TrustFlags) => {
      const authorities = readCertificates(flags.tsaCa)
      const report = await verifyEvidence(readBounded(path), { genesisHash: trustedHash(flags), authorities })
      const out = createOutput(flags.json ?? false)
      out.line('Everything in the file holds.')
      for (const sentence of report.words) out.line(`- ${sentence}`)
      out.result(report)
    })
}

interface StampFlags {
  readonly tsaCa?: string
  readonly tsa?: string
}

function addTimestamp(evidence: Command): void {
  const timestamp = evidence
    .command('timestamp')
    .description('time stamps of an authority (RFC 3161) over the last block of a file')
    .addHelpText(
      'after',
      '\nExample:\n  concordat evidence timestamp request question-17.json > request.tsq\n  concordat evidence timestamp attach question-17.json response.tsr --tsa-ca tsa-ca.pem\n  concordat evidence timestamp fetch question-17.json --tsa https://tsa.example/tsr',
    )
  timestamp
    .command('request <file>')
    .description('writes a request for the authority to standard output')
    .addHelpText('after', '\nExample:\n  concordat evidence timestamp request question-17.json > request.tsq')
    .action((path: string) => void process.stdout.write(requestFor(path)))
  timestamp
    .command('attach <file> <response>')
    .description("puts the authority's response into the file")
    .option('--tsa-ca <file>', "certificates (PEM) that complete the authority's chain")
    .addHelpText('after', '\nExample:\n  concordat evidence timestamp attach question-17.json response.tsr')
    .action((path: string, response: string, flags: StampFlags) => attach(path, readBounded(response), flags))
  timestamp
    .command('fetch <file>')
    .description('asks an authority over the network and puts its response into the file')
    .requiredOption('--tsa <url>', 'the time-stamp authority')
    .option('--tsa-ca <file>', "certificates (PEM) that complete the authority's chain")
    .addHelpText(
      'after',
      '\nExample:\n  concordat evidence timestamp fetch question-17.json --tsa https://tsa.example/tsr',
    )
    .action(async (path: string, flags: StampFlags) =>
      attach(path, await askAuthority(flags.tsa!, requestFor(path)), flags),
    )
}

const requestFor = (path: string): Uint8Array => timeStampRequest(lastHash(readEvidence(readBounded(path))))

const lastHash = ({ blocks }: EvidenceFile) => {
  const header = blocks.at(-1)?.headers.at(-1)
  if (header === undefined) throw new CommandError('the file holds no block')
  return readHeader(header).hash
}

async function attach(path: string, response: Uint8Array, flags: StampFlags): Promise<void> {
  const file = readEvidence(readBounded(path))
  const others = readCertificates(flags.tsaCa)
  const token = await tokenOf(response, others)
  const { time, authority } = await readToken(token, lastHash(file), others)
  writeFileSync(path, writeEvidence({ ...file, token: toHex(token) }))
  process.stdout.write(`${authority} attests ${time}; ${path} holds its token now\n`)
}

/** Time that an authority may take, in ms. */
const ANSWER_MS_MAX = 30_000
/** A token with a chain of certificates has a few KiB. */
const ANSWER_BYTES_MAX = 256 * 1024

async function askAuthority(url: string, request: Uint8Array): Promise<Uint8Array> {
  const headers = { 'content-type': 'application/timestamp-query' }
  const signal = AbortSignal.timeout(ANSWER_MS_MAX)
  const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(request), signal }).catch((error) => {
    throw new CommandError(`${url} does not answer: ${(error as Error).message}`)
  })
  if (!answer.ok) throw new CommandError(`${url} answers with status ${answer.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new CommandError(`${url} answers with more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return concatBytes(...chunks)
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Certificates of a PEM file in DER; none without a file. */
function readCertificates(path: string | undefined): readonly Uint8Array[] {
  if (path === undefined) return []
  const found = new TextDecoder().decode(readBounded(path)).match(PEM) ?? []
  if (found.length === 0) throw new CommandError(`${path} holds no certificate in PEM`)
  return found.map((pem) => new Uint8Array(new X509Certificate(pem).raw))
}

function trustedHash(flags: TrustFlags): Hash {
  if (flags.genesisHash !== undefined) return hashArgument(flags.genesisHash, '--genesis-hash')
  if (flags.genesis !== undefined) return genesisHash(loadGenesis(flags.genesis))
  const network = networkOf(flags)
  if (network === undefined || flags.network === undefined)
    throw new UsageError('name what is trusted: --genesis-hash HASH, or --genesis FILE')
  return genesisHash(loadGenesis(join(flags.network, 'genesis.json')))
}

/** Throws CommandError when the file cannot be read, or is far larger than evidence is. */
function readBounded(path: string): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size <= EVIDENCE_BYTES_MAX) return readFileSync(path)
    throw new CommandError(`${path} has ${size} bytes, evidence has at most ${EVIDENCE_BYTES_MAX}`)
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`cannot read ${path}: ${(error as Error).message}`)
  }
}
