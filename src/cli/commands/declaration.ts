import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { dataSharing, view } from '../../agent/contractClient.js'
import { ProofError, verifyFile } from '../../agent/declaration/documentTree.js'
import { initManifest } from '../../agent/declaration/initPackage.js'
import { parseJsonBytes } from '../../agent/declaration/manifest.js'
import { readBounded, readPackageFiles } from '../../agent/declaration/packageFiles.js'
import { plainPath } from '../../agent/declaration/plainDocument.js'
import { parseProof } from '../../agent/declaration/proofFile.js'
import { BUILT_IN_TEMPLATES, type PackageDeclaration, readPackage } from '../../agent/declaration/readPackage.js'
import { type Declaration, readDeclaration } from '../../agent/declaration.js'
import { createDirectory } from '../../agent/directory.js'
import { readPortraitKey } from '../../agent/portraitKeyFile.js'
import { recipientOf } from '../../agent/recipients.js'
import { DataSplit, DataValidation } from '../../contracts/dataFunctions.js'
import { idText } from '../../contracts/textId.js'
import type { Hash } from '../../core/bytes.js'
import { archiveUnpackedBytesMax, declarationManifestBytesMax } from '../../core/limits.js'
import { builtInTemplate, namedTemplate } from '../bulk/namedTemplate.js'
import { type ConnectionFlags, reading, withNode } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { hashArgument } from '../hexArgument.js'
import { createOutput, type Output } from '../output.js'

/** `concordat declaration`: what enterprises hand in, before and after it is submitted. */
export function declarationCommand(): Command {
  const declaration = new Command('declaration').addHelpText(
    'after',
    '\nExample:\n  concordat declaration check our-declaration --offline',
  )
  addInit(declaration)
  addCheck(declaration)
  addHash(declaration)
  addProve(declaration)
  addVerifyFile(declaration)
  addTemplate(declaration)
  return declaration
}

function addInit(declaration: Command): void {
  declaration
    .command('init')
    .argument('<folder>', 'folder with the filled-in forms and the documents')
    .description('write the manifest.json of a package, to be completed by hand')
    .requiredOption('--enterprise <code>', 'unified social credit code')
    .option('--title <text>', 'title of the declaration', 'Declaration')
    .option('--date <date>', 'day of the declaration, YYYY-MM-DD (default: today)')
    .option('--template <name>', 'built-in mapping template', 'table2')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat declaration init our-declaration --enterprise 915101040002025182')
    .action(init)
}

interface InitFlags {
  readonly enterprise: string
  readonly title: string
  readonly date?: string
  readonly template: string
  readonly json?: boolean
}

async function init(folder: string, flags: InitFlags): Promise<void> {
  const { enterprise, title } = flags
  const date = flags.date ?? new Date().toISOString().slice(0, 10)
  const files = await readPackageFiles(folder)
  const manifest = initManifest(files, folder, builtInTemplate(flags.template), { enterprise, title, date })
  // The manifest holds the salt, which keeps the package from being guessed.
  writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['file', 'as'],
    [
      ...manifest.forms.map(({ file, form }) => [file, `form ${form}`]),
      ...manifest.attachments.map(({ file, mediaType }) => [file, mediaType]),
    ],
  )
  out.line(`${path.join(folder, 'manifest.json')} is written; next: concordat declaration check ${folder} --offline`)
  out.result({ manifest: path.join(folder, 'manifest.json'), forms: manifest.forms, attachments: manifest.attachments })
}

interface CheckFlags extends ConnectionFlags {
  readonly offline?: boolean
  readonly template?: string
}

function addCheck(declaration: Command): void {
  withNode(declaration.command('check').argument('<declaration>', 'package (folder, .zip), .json or .csv'))
    .description("show each value and where it stands, held against the network's data portrait")
    .option('--offline', 'read only: ask no network')
    .option('--template <name>', 'another mapping template: a built-in one, or a file')
    .addHelpText('after', '\nExample:\n  concordat declaration check our-declaration.zip --offline')
    .action(check)
}

async function check(file: string, flags: CheckFlags): Promise<void> {
  const declared = await read(file, flags.template)
  const portrait = flags.offline ? undefined : await heldAgainst(declared, flags)
  const out = createOutput(flags.json ?? false)
  const rows = [...declared.values].map(([attribute, value]) => {
    const place = declared.places?.get(attribute) ?? `${declared.file}`
    return { attribute, value, place, ...portrait?.get(attribute) }
  })
  showHead(out, declared)
  out.table(
    ['attribute', 'value', 'where', ...(portrait ? ['goes to', 'fault'] : [])],
    rows.map(({ attribute, value, place, to = [], fault = '' }) => {
      return [attribute, value, place, ...(portrait ? [to.join(', '), fault] : [])]
    }),
  )
  const undeclared = undeclaredOf(declared)
  if (undeclared.length > 0) out.line(`without a value: ${undeclared.join(', ')}`)
  out.result({ ...head(declared), values: rows, undeclared })
  const faulty = rows.filter(({ fault }) => fault !== undefined && fault !== '')
  if (faulty.length > 0) {
    throw new CommandError(faulty.map(({ attribute, place, fault }) => `${attribute} (${place}): ${fault}`).join('\n'))
  }
}

/** What the departments would say to each value, and who gets it. */
async function heldAgainst(declared: Declaration, flags: CheckFlags) {
  if (flags.network === undefined && flags.rpc === undefined) {
    throw new UsageError('name a network with --network DIR or --rpc URL, or read only with --offline')
  }
  return reading(flags, async (client) => {
    const directory = createDirectory(client)
    const profiles = await directory.profiles()
    const { errors, values } = DataValidation(profiles, declared.values)
    const found = new Map<string, { to: string[]; fault?: string }>()
    for (const { attribute, message } of errors) {
      found.set(attribute, {
        to: [],
        fault: message.startsWith(attribute) ? message.slice(attribute.length + 1) : message,
      })
    }
    for (const { recipient, items } of DataSplit(profiles, values)) {
      const name = (await recipientOf(directory, recipient, items[0]!.profile))?.name ?? recipient
      for (const { attribute } of items) {
        const entry = found.get(attribute) ?? { to: [] }
        entry.to.push(name)
        found.set(attribute, entry)
      }
    }
    return found
  })
}

/** The portrait key that blinds a plain file's hash; a package has a salt of its own. */
interface KeyFlags {
  readonly portraitKeyFile?: string
  readonly portraitVersion?: number
}

function withPortraitKey(command: Command): Command {
  return command
    .option('--portrait-key-file <file>', "of a .json or .csv: the enterprise's portrait keys, KEY_FILE.portrait.json")
    .option('--portrait-version <n>', 'portrait version under which it was submitted (default: the newest)', version)
}

function version(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 0xffff_ffff) return value
  throw new InvalidArgumentError('must be a whole number from 1')
}

/** Of a package its own tree; of a plain file the one under the portrait key. */
async function documentOf(declared: Awaited<ReturnType<typeof readDeclaration>>, flags: KeyFlags) {
  if ('tree' in declared) return declared.tree
  const { portraitKeyFile, portraitVersion } = flags
  if (portraitKeyFile === undefined) {
    throw new UsageError(
      `the hash of ${declared.file} is blinded with the enterprise's portrait key: name it with --portrait-key-file FILE`,
    )
  }
  return declared.document((await readPortraitKey(portraitKeyFile, declared.enterpriseId, portraitVersion)).key)
}

function addHash(declaration: Command): void {
  withPortraitKey(declaration.command('hash').argument('<declaration>', 'package (folder, .zip), .json or .csv'))
    .description('the document hash that a submission carries')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat declaration hash our-declaration.zip')
    .action(async (file: string, flags: KeyFlags & { json?: boolean }) => {
      const declared = await readDeclaration(file)
      const { documentHash } = await documentOf(declared, flags)
      const out = createOutput(flags.json ?? false)
      out.line(documentHash)
      out.result({ ...head(declared), documentHash })
    })
}

interface ProveFlags extends KeyFlags {
  readonly file?: string
  readonly out?: string
  readonly json?: boolean
}

function addProve(declaration: Command): void {
  withPortraitKey(
    declaration
      .command('prove')
      .argument('<declaration>', 'package (folder, .zip), .json or .csv, unchanged since it was submitted'),
  )
    .description('prove that one file was submitted, without showing the others')
    .option('--file <path>', 'path in the package')
    .option('--out <file>', 'where to write the proof (default: NAME.proof.json)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat declaration prove our-declaration.zip --file audit/report.pdf')
    .action(async (source: string, flags: ProveFlags) => {
      const declared = await readDeclaration(source)
      const tree = await documentOf(declared, flags)
      const proof = tree.prove(provedFile(declared, flags))
      const target = flags.out ?? `${path.basename(flags.file ?? declared.file)}.proof.json`
      if (existsSync(target)) throw new CommandError(`${target} is there already: name another file with --out`)
      writeFileSync(target, `${JSON.stringify(proof, null, 2)}\n`)
      const out = createOutput(flags.json ?? false)
      out.line(`${target}: ${proof.file} belongs to the document ${proof.documentHash}; hand it over with the file`)
      if (proof.file === 'manifest.json') {
        out.line('the manifest holds the salt of the package: whoever has it can try out guesses of the other files')
      }
      out.result({ ...proof, proof: target })
    })
}

function provedFile(declared: Declaration, { file }: ProveFlags): string {
  if ('tree' in declared) {
    if (file !== undefined) return file
    throw new UsageError('name the file of the package: --file PATH')
  }
  if (file === undefined) return plainPath(declared.file)
  throw new UsageError('--file is for packages: a .json or .csv is one file')
}

interface VerifyFlags extends ConnectionFlags {
  readonly proof: string
  readonly submission?: string
  readonly documentHash?: string
}

function addVerifyFile(declaration: Command): void {
  withNode(declaration.command('verify-file').argument('<file>', 'the document that was handed over'))
    .description('check that a file belongs to a submitted declaration')
    .requiredOption('--proof <file>', 'proof made by `declaration prove`')
    .option('--submission <id>', 'submission whose document hash on chain is meant')
    .option('--document-hash <hex>', 'document hash known from elsewhere, instead of --submission')
    .addHelpText(
      'after',
      '\nExample:\n  concordat declaration verify-file report.pdf --proof report.pdf.proof.json --submission 12 --network net',
    )
    .action(verify)
}

async function verify(file: string, flags: VerifyFlags): Promise<void> {
  const bytes = await readBounded(file, archiveUnpackedBytesMax, file)
  const proofBytes = await readBounded(flags.proof, declarationManifestBytesMax, flags.proof)
  const proof = parseProof(parseJsonBytes(proofBytes, flags.proof))
  const submission = flags.submission === undefined ? undefined : await submissionOf(flags.submission, flags)
  const documentHash = submission?.documentHash ?? documentHashOf(flags)
  try {
    verifyFile(bytes, proof, documentHash)
  } catch (error) {
    throw error instanceof ProofError ? new ProofError(error.code, `${file} ${error.message}`) : error
  }
  const out = createOutput(flags.json ?? false)
  out.line(`${file} is ${proof.file} of the document ${documentHash}`)
  if (submission) {
    const { enterprise, height } = submission
    out.line(`submission ${flags.submission} of ${enterprise}, in block ${height}`)
  }
  out.result({ belongs: true, file: proof.file, documentHash, ...submission })
}

function documentHashOf({ documentHash }: VerifyFlags): Hash {
  if (documentHash !== undefined) return hashArgument(documentHash, '--document-hash')
  throw new UsageError(
    'a proof alone proves nothing: give --submission ID with --network or --rpc, or --document-hash HASH',
  )
}

async function submissionOf(text: string, flags: ConnectionFlags) {
  if (!/^[1-9]\d{0,18}$/.test(text)) throw new UsageError(`--submission must be a number, got '${text}'`)
  return reading(flags, async (client) => {
    const found = await view(client, dataSharing, 'submissionOf', { submissionId: BigInt(text) })
    return { documentHash: found.documentHash, enterprise: idText(found.enterpriseId), height: Number(found.height) }
  })
}

function addTemplate(declaration: Command): void {
  declaration
    .command('template')
    .argument('[name]', 'built-in mapping template; without it: a list')
    .description('print a built-in mapping template, to be used or to begin with')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat declaration template table2 > my-template.json')
    .action((name: string | undefined, flags: { json?: boolean }) => {
      if (name !== undefined) {
        process.stdout.write(`${JSON.stringify(builtInTemplate(name), null, 2)}\n`)
        return
      }
      const templates = Object.values(BUILT_IN_TEMPLATES)
      const out = createOutput(flags.json ?? false)
      out.table(
        ['name', 'title', 'forms', 'attributes'],
        templates.map(({ name, title = '', forms, attributes }) => {
          return [name, title, Object.keys(forms).join(', '), Object.keys(attributes).length]
        }),
      )
      out.result(templates.map(({ name, title }) => ({ name, title })))
    })
}

async function read(file: string, template: string | undefined): Promise<Declaration> {
  if (template === undefined) return readDeclaration(file)
  const used = await namedTemplate(template)
  return readPackage(await readPackageFiles(file), path.basename(path.resolve(file)), used)
}

/** Of a package: what its template knows and its forms leave out, for a clerk to see slips of labels. */
function undeclaredOf(declared: Declaration | PackageDeclaration): readonly string[] {
  return 'undeclared' in declared ? declared.undeclared : []
}

/** Without the hash of a plain file, for which the portrait key is wanted. */
function head({ file, creditCode, documentHash }: Declaration) {
  return { file, enterprise: creditCode, ...(typeof documentHash === 'string' && { documentHash }) }
}

function showHead(out: Output, declared: Declaration): void {
  const { file, enterprise, documentHash } = head(declared)
  const document = documentHash === undefined ? '' : `, document ${documentHash}`
  out.line(`${file} of ${enterprise}: ${declared.values.size} values${document}`)
}
