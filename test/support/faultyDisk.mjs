/** Loaded into a node process before anything else: syncing its journal fails once the file named by FAULTY_DISK exists. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { existsSync, fdatasyncSync } = fs

fs.fdatasyncSync = (fd) => {
  if (existsSync(process.env.FAULTY_DISK ?? '')) {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  }
  fdatasyncSync(fd)
}
syncBuiltinESMExports()
