import { Command } from 'commander'
import { isNodeUrl, urlText } from '../../rpc/urlText.js'
import { type Diagnosis, diagnoseConfig, diagnoseNetwork, diagnoseUrls, printDiagnosis } from '../doctor/doctor.js'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'

interface DoctorFlags {
  readonly config?: string
  readonly rpc: readonly string[]
  readonly json?: boolean
}

const EXAMPLES = `
Example:
  concordat doctor net                                    every node of a network folder
  concordat doctor --config net/node1/config.yaml         one node and its machine
  concordat doctor --rpc http://10.0.0.1:8545 --rpc http://10.0.0.2:8545`

/** `concordat doctor`: what is wrong, and what to do. Status 0 when nothing is, 1 otherwise. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .argument('[dir]', 'folder of a network made by `concordat network create`')
    .option('--config <file>', "a node's configuration: checks its machine, files and ports as well")
    .option('--rpc <url>', 'JSON-RPC endpoint of a node; repeat it for several', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (dir: string | undefined, flags: DoctorFlags) => {
      const diagnosis = await diagnosisOf(dir, flags)
      printDiagnosis(createOutput(flags.json ?? false), diagnosis)
      if (!diagnosis.fine) process.exitCode = 1
    })
}

function diagnosisOf(dir: string | undefined, { config, rpc }: DoctorFlags): Promise<Diagnosis> {
  const ways = [dir !== undefined, config !== undefined, rpc.length > 0].filter(Boolean).length
  if (ways !== 1) throw new UsageError('say what to examine, one of: DIR, --config FILE, --rpc URL (several times)')
  if (dir !== undefined) return diagnoseNetwork(dir, true)
  return config !== undefined ? diagnoseConfig(config) : diagnoseUrls(rpc)
}

function collect(url: string, previous: readonly string[]): readonly string[] {
  if (!isNodeUrl(url)) throw new UsageError(`--rpc needs a URL such as http://10.0.0.1:8545, got ${urlText(url)}`)
  if (previous.length >= 64) throw new UsageError('at most 64 endpoints')
  return [...previous, url]
}
