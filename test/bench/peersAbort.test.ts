/** Whoever interrupts `bench peers` has nothing of it left: no node, no agent, no wait that keeps the program alive. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findGeth } from '../../bench/peers/geth.js'

const geth = await findGeth()
const skip = 'problem' in geth ? `needs geth 1.13.x: ${geth.problem}` : false

t.test('an abort ends nodes, agents and waits', { skip, timeout: 280_000 }, async (t) => {
  const program = fileURLToPath(new URL('./peersAborted.js', import.meta.url))
  const child = spawn(process.execPath, ['--enable-source-maps', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGTERM'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  t.equal(code, 0, said)
  const seconds = [...said.matchAll(/: ([\d.]+) s$/gm)].map(([, value]) => Number(value))
  t.equal(seconds.length, 4)
  t.ok(Math.max(...seconds) < 30, said)
})
