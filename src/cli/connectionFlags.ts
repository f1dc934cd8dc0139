/** The options with which commands are told which node to ask and which key signs. */
import type { Command } from 'commander'

export interface ConnectionFlags {
  readonly network?: string
  readonly rpc?: string
  readonly keyFile?: string
  readonly passwordFile?: string
  readonly json?: boolean
}

/** Adds the options of commands that read the chain. */
export function withNode(command: Command): Command {
  return command
    .option('--network <dir>', 'a local network made by `concordat network create`')
    .option('--rpc <url>', 'JSON-RPC endpoint of a node (default: the first node of --network)')
    .option('--json', 'print JSON')
}

/** Adds the options of commands that sign. */
export function withSigner(command: Command): Command {
  return withNode(command)
    .option('--key-file <file>', 'private key to sign with: hex of mode 0600, or keystore V3')
    .option('--password-file <file>', 'password of the keystore')
}
