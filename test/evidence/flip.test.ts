/** No byte of a file is free: each one, altered, makes the file fail with a reason. All bits of all files: `npm run flips`. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type KINDS, skipWithoutOpenssl } from './authority.js'
import { type FlipFile, flip, kindFiles, once, range, stampedFile, tinyFile } from './flips.js'

async function refused(t: Test, file: FlipFile, places: Iterable<number>): Promise<void> {
  const { count, faults, reasons } = await flip(file, places, once)
  t.same(faults, [], `${file.name}, ${file.bytes.length} bytes, ${count} altered: ${JSON.stringify([...reasons])}`)
}

t.test('each byte of a whole file, on the smallest chain', async (t) => {
  const file = await tinyFile(t)
  await refused(t, file, range(0, file.bytes.length))
})

t.test('bytes of each kind, through another sealer set and a block without votes of its own', async (t) => {
  const steps = [29, 47, 101]
  for (const [i, file] of (await kindFiles(t)).entries()) await refused(t, file, range(0, file.bytes.length, steps[i]))
})

t.test('each byte of a token, and others of its file', { skip: skipWithoutOpenssl }, async (t) => {
  const plain = await tinyFile(t)
  const dir = t.testdir()
  const stamped = async (kind: keyof typeof KINDS, withRoot: boolean, step: number) => {
    const file = await stampedFile(plain, join(dir, `${kind}-${withRoot}`), kind, withRoot)
    const begin = plain.bytes.length - 'null}\n'.length
    await refused(t, file, range(begin, file.bytes.length, step))
    await refused(t, file, range(0, begin, 101))
  }
  await stamped('ecdsa', false, 1)
  await stamped('ecdsa', true, 7)
  await stamped('rsa', true, 13)
})
