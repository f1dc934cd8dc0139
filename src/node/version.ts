/** Version of this package, as `--version` and `web3_clientVersion` say it. */
import { createRequire } from 'node:module'

/** By the package's own name, so that it is found from sources and from what is built. */
const manifest = createRequire(import.meta.url)('concordat/package.json') as { readonly version: string }

export const VERSION = manifest.version
