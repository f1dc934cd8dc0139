/** All commands. Each lives in a file of its own under commands/; parsing faults end with status 2. */
import { readFileSync } from 'node:fs'
import { Command, type CommanderError } from 'commander'
import { attributeCommand } from './commands/attribute.js'
import { auditCommand } from './commands/audit.js'
import { batchCommand } from './commands/batch.js'
import { benchCommand } from './commands/bench.js'
import { consentCommand } from './commands/consent.js'
import { credentialCommand } from './commands/credential.js'
import { datasetCommand } from './commands/dataset.js'
import { declarationCommand } from './commands/declaration.js'
import { demoCommand } from './commands/demo.js'
import { departmentCommand } from './commands/department.js'
import { doctorCommand } from './commands/doctor.js'
import { documentCommand } from './commands/document.js'
import { eligibilityCommand } from './commands/eligibility.js'
import { envelopeCommand } from './commands/envelope.js'
import { keyAgreementCommand } from './commands/keyAgreement.js'
import { keysCommand } from './commands/keys.js'
import { memberCommand } from './commands/member.js'
import { networkCommand } from './commands/network.js'
import { nodeCommand } from './commands/node.js'
import { objectCommand, objectionCommand } from './commands/objection.js'
import { policyCommand } from './commands/policy.js'
import { sealerCommand } from './commands/sealer.js'
import { simCommand } from './commands/sim.js'
import { submitCommand } from './commands/submit.js'
import { traceCommand } from './commands/trace.js'
import { verifyCommand } from './commands/verify.js'
import { UsageError } from './errors.js'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export function buildProgram(): Command {
  const program = new Command('concordat')
    .description('A permissioned blockchain with which government departments answer each other about enterprises.')
    .version(version)
    .showHelpAfterError('(see --help for the options and an example)')
    .showSuggestionAfterError()
  const commands = [
    demoCommand(),
    networkCommand(),
    nodeCommand(),
    doctorCommand(),
    keysCommand(),
    keyAgreementCommand(),
    memberCommand(),
    sealerCommand(),
    datasetCommand(),
    departmentCommand(),
    attributeCommand(),
    declarationCommand(),
    submitCommand(),
    envelopeCommand(),
    verifyCommand(),
    consentCommand(),
    objectCommand(),
    objectionCommand(),
    traceCommand(),
    auditCommand(),
    policyCommand(),
    eligibilityCommand(),
    documentCommand(),
    credentialCommand(),
    batchCommand(),
    simCommand(),
    benchCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  usageErrors(program)
  return program
}

/** Turns commander's own exits into UsageError (status 2); help and version end normally. */
function usageErrors(command: Command): void {
  command.exitOverride((error: CommanderError) => {
    if (error.exitCode === 0) process.exit(0)
    throw new UsageError(error.message.replace(/^error: /, ''))
  })
  command.configureOutput({ outputError: () => {} })
  for (const child of command.commands) usageErrors(child)
}
