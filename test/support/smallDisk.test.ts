/** The small disk of a test that was killed is gone when the next test begins. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SmallDisk, smallDisks, whyNoSmallDisk } from './smallDisk.js'

t.test('disks of killed tests', { skip: whyNoSmallDisk() }, async (t) => {
  const dir = t.testdir()
  const [lost, kept] = [join(dir, 'lost disk'), join(dir, 'kept')]
  mkdirSync(kept)
  const disk = SmallDisk.mount(kept, 65_536)
  const support = new URL('./smallDisk.js', import.meta.url)
  const mounts = `import { SmallDisk } from ${JSON.stringify(support)}
    SmallDisk.mount(${JSON.stringify(lost)}, 65_536)
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', mounts], { stdio: 'inherit' })
  const signal = await new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)))
  t.equal(signal, 'SIGKILL')
  const mounted = () =>
    smallDisks()
      .map(({ path }) => path)
      .filter((path) => path.startsWith(dir))
  t.same(mounted().sort(), [kept, lost].sort())
  t.equal(whyNoSmallDisk(), false)
  t.same(mounted(), [kept], 'what a running test has stays')
  disk.unmount()
})
