/**
 * Who may talk to the endpoint, as far as a browser can be told: a page must reach a node neither by DNS rebinding (Host)
 * nor by cross-site requests (Origin; JSON content type, which forces a preflight).
 */
import { isIP } from 'node:net'

export interface AccessOptions {
  /** Host names (without port) that requests may name besides IP addresses and localhost. */
  readonly allowedHosts: readonly string[]
  /** Exact origins (`https://console.example`) of pages that may call; never `*`. */
  readonly corsOrigins: readonly string[]
}

export class Access {
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>

  /** Throws TypeError for a wildcard. */
  constructor({ allowedHosts, corsOrigins }: AccessOptions) {
    if ([...allowedHosts, ...corsOrigins].includes('*')) {
      throw new TypeError('allowedHosts and corsOrigins take no "*": name each host and origin')
    }
    this.#hosts = new Set(['localhost', ...allowedHosts].map((host) => host.toLowerCase()))
    this.#origins = new Set(corsOrigins)
  }

  /** An IP address cannot be rebound by DNS; a name has to be listed. */
  allowsHost(header: string | undefined): boolean {
    if (header === undefined) return false
    const name = hostName(header)
    return isIP(name) !== 0 || this.#hosts.has(name)
  }

  /** CORS: the origin may read answers. */
  allowsOrigin(origin: string): boolean {
    return this.#origins.has(origin)
  }

  /** WebSockets know no preflight: a page's origin has to be the node's own or listed. Programs send none. */
  allowsSocket(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.#origins.has(origin)) return true
    return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
  }
}

/** `[::1]:8545` -> `::1`, `Node1:8545` -> `node1`. */
function hostName(header: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(header)
  const name = bracketed ? bracketed[1]! : header.replace(/:\d+$/, '')
  return name.toLowerCase()
}
