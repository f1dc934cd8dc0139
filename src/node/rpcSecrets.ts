/** Reads the files that say who is let in to RPC, and what the node shows: at the start and again on SIGHUP. */
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { rpcTokenFileBytesMax } from '../core/limits.js'
import { readSecret } from '../crypto/keyFile.js'
import type { RpcSecrets } from '../rpc/server.js'
import { tlsOptions } from '../rpc/tls.js'
import { parsePublicKeys, parseSecrets, type TokenKey } from '../rpc/tokenKeys.js'
import { ConfigError } from './configSchema.js'
import type { RpcConfig } from './rpcConfig.js'

/** Rejects with ConfigError, KeyFileError or TokenKeyError. */
export async function readRpcSecrets({ auth, tls }: RpcConfig): Promise<RpcSecrets> {
  const { secretFile, publicKeysFile, audience, skewSeconds, tokenDaysMax: ageDaysMax } = auth
  const keys: TokenKey[] = []
  if (secretFile !== undefined) keys.push(...parseSecrets(readSecret(secretFile, rpcTokenFileBytesMax), secretFile))
  if (publicKeysFile !== undefined) {
    keys.push(...(await parsePublicKeys(readPublic(publicKeysFile, 'rpc.auth.publicKeysFile'), publicKeysFile)))
  }
  const rules = { keys, skewSeconds, ageDaysMax, ...(audience !== undefined && { audience }) }
  return { tokens: keys.length === 0 ? undefined : rules, tls: tls && readTls(tls) }
}

function readTls({ certFile, keyFile }: NonNullable<RpcConfig['tls']>) {
  const files = { cert: readPublic(certFile, 'rpc.tls.certFile'), key: readSecret(keyFile, rpcTokenFileBytesMax) }
  try {
    createSecureContext(tlsOptions(files))
  } catch (cause) {
    const fault = (cause as Error).message
    const advice = 'both must be PEM, and the certificate that of the key'
    throw new ConfigError('INVALID', `rpc.tls: ${certFile} and ${keyFile} cannot be used (${fault}): ${advice}`, {
      cause,
    })
  }
  return files
}

function readPublic(file: string, key: string): string {
  try {
    if (statSync(file).size <= rpcTokenFileBytesMax) return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError('UNREADABLE', `${key}: cannot read ${file}: ${(cause as Error).message}`, { cause })
  }
  throw new ConfigError('TOO_LARGE', `${key}: ${file} has over ${rpcTokenFileBytesMax} bytes; is it the right file?`)
}
