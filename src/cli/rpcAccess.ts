/** What commands show to a node, and whom they trust to be one: --token-file and --ca-file, or their variables. */
import { readFileSync } from 'node:fs'
import { tokenFromFile } from '../agent/rpcToken.js'
import type { RpcClientOptions } from '../rpc/client.js'
import { isNodeUrl, urlText } from '../rpc/urlText.js'
import type { AccessFlags } from './connectionFlags.js'
import { UsageError } from './errors.js'

/** Variables that clients of a node read. */
interface AccessEnv {
  readonly CONCORDAT_RPC_TOKEN_FILE?: string
  readonly CONCORDAT_RPC_TOKEN?: string
  readonly CONCORDAT_RPC_CA_FILE?: string
}

/** `own`: a token that is known for this node, shown unless the flags or variables name another. Throws UsageError or KeyFileError. */
export function rpcOf(
  url: string,
  flags: AccessFlags = {},
  own?: string,
  env: AccessEnv = process.env,
): Pick<RpcClientOptions, 'url' | 'token' | 'ca'> {
  if (!isNodeUrl(url))
    throw new UsageError(`${urlText(url)} is no URL of a node: want http://host:port or https://host:port`)
  const tokenFile = flags.tokenFile ?? env.CONCORDAT_RPC_TOKEN_FILE
  const token = tokenFile === undefined ? (env.CONCORDAT_RPC_TOKEN ?? own) : tokenFromFile(tokenFile)
  const caFile = flags.caFile ?? env.CONCORDAT_RPC_CA_FILE
  return { url, ...(token !== undefined && { token }), ...(caFile !== undefined && { ca: readCa(caFile) }) }
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read the authority's certificate: ${(error as Error).message}`)
  }
}
