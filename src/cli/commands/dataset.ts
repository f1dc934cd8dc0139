import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { DATASET_DEPARTMENTS } from '../../agent/dataset/departments.js'
import { type DatasetSamples, datasetCompanies, datasetSamples } from '../../agent/dataset/generate.js'
import { type ConnectionFlags, departmentNode } from '../connection.js'
import { declarationOf, tableOf } from '../demo/declarations.js'
import { loadDepartments } from '../demo/loadDepartments.js'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'

interface DatasetFlags extends ConnectionFlags {
  readonly records: number
  readonly seed: string
}

const KINDS: readonly (keyof DatasetSamples)[] = ['complete', 'missing', 'vacant', 'partial', 'absent']

/** `concordat dataset`: Table 2's made-up records (paper, section 5). */
export function datasetCommand(): Command {
  const dataset = new Command('dataset').addHelpText(
    'after',
    '\nExample:\n  concordat dataset load --network net --records 500',
  )
  dataset
    .command('load')
    .description("load the records into the departments' databases; run it while the agents are stopped")
    .requiredOption('--network <dir>', 'a local network made by `concordat network create`')
    .option('--records <n>', 'records of the largest department', records, 12_000)
    .option('--seed <text>', 'another seed gives other enterprises', 'concordat')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat dataset load --network net --records 500')
    .action(async (flags: DatasetFlags & { network: string }) => {
      const out = createOutput(flags.json ?? false)
      for (const { id } of DATASET_DEPARTMENTS) departmentNode(flags, id)
      const loaded = await loadDepartments(
        (id) => departmentNode(flags, id).dir,
        { records: flags.records, seed: flags.seed },
        out,
      )
      out.table(['department', 'records'], Object.entries(loaded))
      out.result(loaded)
    })
  dataset
    .command('declaration')
    .description('write the truthful declaration of an enterprise of the dataset')
    .requiredOption('--out <file>', 'file to write, .json or .csv')
    .option('--kind <kind>', `what the departments know of it: ${KINDS.join(', ')}`, 'complete')
    .option('--records <n>', 'as given to `dataset load`', records, 12_000)
    .option('--seed <text>', 'as given to `dataset load`', 'concordat')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  concordat dataset declaration --records 500 --kind vacant --out declaration.json',
    )
    .action((flags: DatasetFlags & { out: string; kind: string }) => {
      const kind = KINDS.find((one) => one === flags.kind)
      if (kind === undefined) throw new UsageError(`--kind must be one of ${KINDS.join(', ')}, got '${flags.kind}'`)
      const { truth } = datasetSamples({ records: flags.records, seed: flags.seed })[kind]
      writeFileSync(flags.out, declarationOf(truth, flags.out))
      const out = createOutput(flags.json ?? false)
      out.line(
        `${truth.companyName} (${truth.unifiedSocialCreditCode}) declares ${Object.keys(truth).length} attributes in ${flags.out}`,
      )
      out.result({ file: flags.out, company: truth.companyName, creditCode: truth.unifiedSocialCreditCode })
    })
  dataset
    .command('table')
    .description('write a table with the truthful declaration of one enterprise a row, for `submit --bulk`')
    .requiredOption('--out <file>', 'file to write, .csv')
    .option('--records <n>', 'as given to `dataset load`: so many enterprises', records, 12_000)
    .option('--seed <text>', 'as given to `dataset load`', 'concordat')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat dataset table --records 1000 --out dataset.csv')
    .action((flags: DatasetFlags & { out: string }) => {
      const rows = [...datasetCompanies({ records: flags.records, seed: flags.seed })].map(({ truth }) => truth)
      writeFileSync(flags.out, tableOf(rows))
      const out = createOutput(flags.json ?? false)
      out.line(`${flags.out} declares ${rows.length} enterprises`)
      out.result({ file: flags.out, enterprises: rows.length })
    })
  return dataset
}

function records(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 20 || value > 1_000_000)
    throw new InvalidArgumentError('must be a whole number from 20 to 1,000,000')
  return value
}
