/**
 * Compiles the Solidity contracts into contracts/artifact.json. The compiler is no dependency: install it anywhere
 * (npm install solc@0.8.24), then: node dist/bench/peers/compile.js FOLDER_WITH_NODE_MODULES
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { argv, stderr } from 'node:process'
import type { Abi } from 'viem'
import { type Artifact, CONTRACTS, contractsDir, SETTINGS, SOURCES, sourceHash, sources } from './artifact.js'

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Record<string, Record<string, Compiled>>
}

interface Compiled {
  readonly abi: Abi
  readonly evm: { readonly deployedBytecode: { readonly object: string } }
}

interface Solc {
  version(): string
  compile(input: string): string
}

const folder = argv[2]
if (folder === undefined) {
  stderr.write('name the folder in which the compiler was installed: npm install solc@0.8.24\n')
  process.exit(2)
}
const solc = createRequire(join(resolve(folder), 'compile.js'))('solc') as Solc
const input = {
  language: 'Solidity',
  sources: Object.fromEntries(SOURCES.map((name, i) => [name, { content: sources()[i] }])),
}
const wanted = { '*': { '*': ['abi', 'evm.deployedBytecode.object'] } }
const output = JSON.parse(
  solc.compile(JSON.stringify({ ...input, settings: { ...SETTINGS, outputSelection: wanted } })),
) as Output
for (const { formattedMessage } of output.errors ?? []) stderr.write(`${formattedMessage}\n`)
if (output.errors?.some(({ severity }) => severity === 'error')) process.exit(1)
const contracts = Object.fromEntries(
  Object.entries(CONTRACTS).map(([name, { source, contract }]) => {
    const { abi, evm } = output.contracts![source]![contract]!
    return [name, { abi, code: `0x${evm.deployedBytecode.object}` }]
  }),
)
const artifact = {
  compiler: solc.version(),
  settings: SETTINGS,
  sourceHash: sourceHash(),
  contracts,
} as unknown as Artifact
writeFileSync(join(contractsDir(), 'artifact.json'), `${JSON.stringify(artifact, null, 2)}\n`)
for (const [name, { code }] of Object.entries(artifact.contracts))
  stderr.write(`${name}: ${code.length / 2 - 1} bytes\n`)
