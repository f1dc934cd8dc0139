/** The program around all commands; parsing faults end with status 2. */
import { Command, type CommanderError } from 'commander'
import { VERSION } from '../node/version.js'
import { COMMANDS } from './commandList.js'
import { UsageError } from './errors.js'

/**
 * The program of a command line: commands named by one of its `words` are there as a whole, the others with what a list of
 * commands shows of them. Without `words` all are whole.
 */
export async function buildProgram(words?: readonly string[]): Promise<Command> {
  const usages = new Map(COMMANDS.map(({ name, usage }) => [name, usage]))
  const program = new Command('concordat')
    .description('A permissioned blockchain with which government departments answer each other about enterprises.')
    .version(VERSION)
    .configureHelp({ subcommandTerm: (command) => usages.get(command.name()) ?? `${command.name()} [command]` })
    .showHelpAfterError('(see --help for the options and an example)')
    .showSuggestionAfterError()
  for (const { name, description, load } of COMMANDS) {
    const command = (words?.includes(name) ?? true) ? await load() : new Command(name)
    program.addCommand(command.description(description))
  }
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
