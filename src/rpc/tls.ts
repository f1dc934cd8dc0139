/** TLS of a node's endpoint: what it shows, and what it does not speak any more. */
import type { SecureContextOptions } from 'node:tls'

export interface TlsFiles {
  /** PEM: the certificate, then those between it and the root. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

export const tlsOptions = ({ cert, key }: TlsFiles): SecureContextOptions => ({ cert, key, minVersion: 'TLSv1.2' })
