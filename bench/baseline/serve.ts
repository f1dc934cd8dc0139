import { readService } from './files.js'
import { startServer } from './server.js'

/** Serves one department until SIGINT or SIGTERM. Throws ConfigError, DatabaseError, RequestLogError. */
export async function serve(configFile: string): Promise<void> {
  const server = await startServer(readService(configFile))
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  // Tells a parent that started this process; without one there is no channel.
  process.send?.('ready')
  await Promise.race([stopped, server.failed])
  await server.stop()
}
