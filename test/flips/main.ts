/**
 * `npm run flips`: every bit of every byte of evidence files of all kinds is turned, one at a time, and the verifier has to refuse the
 * file for a reason. Ten minutes; `--file exchange` takes the files whose names hold a word, `--part 2/4` every fourth byte of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { skipWithoutOpenssl } from '../evidence/authority.js'
import { eachBit, flip, kindFiles, range, stampedFile, tinyFile } from '../evidence/flips.js'

const { values } = parseArgs({
  options: { file: { type: 'string', default: '' }, part: { type: 'string', default: '1/1' } },
})
const [part, parts] = values.part.split('/').map(Number) as [number, number]
if (!(part >= 1 && part <= parts && Number.isInteger(part) && Number.isInteger(parts))) {
  process.stderr.write('--part is of the form 2/4: the second of four\n')
  process.exit(2)
}

const ends: (() => Promise<void>)[] = []
const serving = {
  fail: (problem: string) => {
    throw new Error(problem)
  },
  teardown: (end: () => Promise<void>) => ends.push(end),
} as unknown as Parameters<typeof tinyFile>[0]

const dir = mkdtempSync(join(tmpdir(), 'concordat-flips-'))
let faulty = 0
try {
  const plain = await tinyFile(serving)
  const files = [plain, ...(await kindFiles(serving))]
  const stamped = async (kind: 'ecdsa' | 'rsa', withRoot: boolean) =>
    files.push(await stampedFile(plain, join(dir, `${kind}-${withRoot}`), kind, withRoot))
  if (skipWithoutOpenssl === false) {
    await stamped('ecdsa', false)
    await stamped('ecdsa', true)
    await stamped('rsa', true)
  } else process.stdout.write('openssl is not here: no file with a token\n')
  for (const file of files.filter(({ name }) => name.includes(values.file))) await turn(file)
} finally {
  for (const end of ends) await end()
  rmSync(dir, { recursive: true })
}
process.exitCode = faulty === 0 ? 0 : 1

/** In slices, so that one sees how far it is. */
async function turn(file: Parameters<typeof flip>[0]): Promise<void> {
  const { length } = file.bytes
  const begin = process.cpuUsage().user
  const reasons = new Map<string, number>()
  let count = 0
  for (let from = 0, slice = 1; from < length; from = Math.ceil((length * slice++) / 10)) {
    const first = from + ((part - 1 - (from % parts) + parts) % parts)
    const places = range(first, Math.ceil((length * slice) / 10), parts)
    const flipped = await flip(file, places, eachBit)
    count += flipped.count
    faulty += flipped.faults.length
    for (const fault of flipped.faults) process.stdout.write(`NOT REFUSED: ${file.name}, ${fault}\n`)
    for (const [code, times] of flipped.reasons) reasons.set(code, (reasons.get(code) ?? 0) + times)
    process.stderr.write(`${file.name}: ${10 * slice} %\r`)
  }
  const seconds = Math.round((process.cpuUsage().user - begin) / 1e6)
  const codes = [...reasons].map(([code, times]) => `${code} ${times}`).join(', ')
  process.stdout.write(`${file.name}: ${length} bytes, ${count} bits turned in ${seconds} s of CPU time: ${codes}\n`)
}
