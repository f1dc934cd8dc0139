/** The token that a program shows to a node, from a file that may be replaced while the program runs. */
import { rpcTokenCharsMax } from '../core/limits.js'
import { readSecret } from '../crypto/keyFile.js'

const REREAD_MS = 5_000
/** Room for a line's end. */
const FILE_BYTES_MAX = rpcTokenCharsMax + 16

/**
 * For `RpcClientOptions.token`. Throws KeyFileError when the file cannot be read or others can read it; later, while it is
 * being replaced, the token of before goes on.
 */
export function tokenFromFile(file: string, now: () => number = () => performance.now()): () => string {
  let token = readToken(file)
  let readMs = now()
  return () => {
    if (now() - readMs < REREAD_MS) return token
    readMs = now()
    try {
      token = readToken(file)
    } catch {
      // The node refuses it if it is not good any more.
    }
    return token
  }
}

const readToken = (file: string): string => readSecret(file, FILE_BYTES_MAX).trim()
