/** Public test vectors that lie beside the project; tests over them skip visibly where the folder is missing. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const vectorsDir = resolve(process.cwd(), '../shared/vectors')

/** Option for `t.test`: false where the vectors are there, the reason to skip where they are not. */
export const skipWithoutVectors: string | false = existsSync(vectorsDir) ? false : `no test vectors in ${vectorsDir}`

export function readVectorBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(vectorsDir, path)))
}

export function readVector<T>(path: string): T {
  return JSON.parse(readFileSync(join(vectorsDir, path), 'utf8')) as T
}

/** JSON files under a folder of the vectors, as paths for readVector. */
export function vectorFiles(folder: string): string[] {
  return readdirSync(join(vectorsDir, folder)).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(join(vectorsDir, path)).isDirectory()) return vectorFiles(path)
    return name.endsWith('.json') ? [path] : []
  })
}
