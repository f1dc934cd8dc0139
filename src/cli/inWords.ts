/** Refusals of contracts as words for whoever sits at the command line. */
import { ContractRevert } from '../agent/contractClient.js'
import { CommandError } from './errors.js'

/** Error of the contract -> what it means here, and what to do. */
export type Words = Readonly<Record<string, (args: ContractRevert['args']) => string>>

/** For `catch`: throws what it is given; a refusal of this contract that has words as CommandError with them. */
export function inWords(contract: string, words: Words): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ContractRevert && error.contract === contract)) throw error
    const said = words[error.error]?.(error.args)
    throw said === undefined ? error : new CommandError(`${said} (${error.error})`, { cause: error })
  }
}
