/** The options with which commands are told which node to ask, what to show to it, and which key signs. */
import type { Command } from 'commander'

/** What is shown to a node, and whom to trust that it is one (docs/access.md). */
export interface AccessFlags {
  readonly tokenFile?: string | undefined
  readonly caFile?: string | undefined
}

export interface ConnectionFlags extends AccessFlags {
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
    .option('--token-file <file>', 'token that the node wants (or CONCORDAT_RPC_TOKEN_FILE, CONCORDAT_RPC_TOKEN)')
    .option('--ca-file <file>', 'authority of a node with https:// (PEM; or CONCORDAT_RPC_CA_FILE)')
    .option('--json', 'print JSON')
}

/** Adds the options of commands that sign. */
export function withSigner(command: Command): Command {
  return withNode(command)
    .option('--key-file <file>', 'private key to sign with: hex of mode 0600, or keystore V3')
    .option('--password-file <file>', 'password of the keystore')
}
