import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { type EvidenceQuery, exportEvidence } from '../../agent/evidence/exportEvidence.js'
import { attributeId, textId } from '../../contracts/textId.js'
import type { Hash } from '../../core/bytes.js'
import { verifyEvidence } from '../../evidence/verify.js'
import { genesisHash } from '../../node/genesis.js'
import { loadGenesis } from '../../node/genesisFile.js'
import { networkOf, reading } from '../connection.js'
import { UsageError } from '../errors.js'
import { readBounded, readCertificates } from '../evidence/files.js'
import { addTimestamp } from '../evidence/timestamp.js'
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
      else {
        writeFileSync(flags.out, text)
        process.stdout.write(
          `written to ${flags.out}; who has the hash of block 0 checks it with: concordat evidence verify\n`,
        )
      }
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

function trustedHash(flags: TrustFlags): Hash {
  if (flags.genesisHash !== undefined) return hashArgument(flags.genesisHash, '--genesis-hash')
  if (flags.genesis !== undefined) return genesisHash(loadGenesis(flags.genesis))
  const network = networkOf(flags)
  if (network === undefined || flags.network === undefined)
    throw new UsageError('name what is trusted: --genesis-hash HASH, or --genesis FILE')
  return genesisHash(loadGenesis(join(flags.network, 'genesis.json')))
}
