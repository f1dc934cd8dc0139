/** What a network that runs already has on disk, as far as its folders are on this machine. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROLE } from '../../src/contracts/codes.js'
import type { Hash } from '../../src/core/bytes.js'
import type { Run } from '../harness/experiment.js'
import { Testbed } from '../testbed/testbed.js'
import { recordParts } from './chainGrowth.js'
import { compactedUse, type DiskUse, openCopy, sumOf } from './disk.js'
import { measureNode, type NodeDisk, type PortraitShare } from './nodeDisk.js'

/** Measures copies of the folders; the network is not touched. */
export async function measureRunning(run: Run, dir: string): Promise<void> {
  run.note(
    'A running network was measured as it is: nothing was stored in it, and the systems beside it were left out.',
  )
  const testbed = await Testbed.open({ running: dir, nodes: 0, basePort: 0, agents: false })
  const scratch = mkdtempSync(join(tmpdir(), 'concordat-copy-'))
  try {
    const { nodes } = testbed.network
    const here = nodes.filter(({ dataDir }) => existsSync(join(dir, dataDir)))
    if (here.length < nodes.length) {
      run.note(
        `Folders of ${nodes.length - here.length} of ${nodes.length} nodes are not on this machine; they are not counted.`,
      )
    }
    if (here.length === 0) return
    const measured: (NodeDisk & { readonly name: string })[] = []
    const databases: DiskUse[] = []
    let portraits: PortraitShare = { enterprises: await enterprisesOf(testbed) }
    for (const [index, { name }] of here.entries()) {
      run.check()
      run.progress(index / here.length, name)
      const { disk, portraitShare } = await measureNode(join(dir, name), join(scratch, 'node'), undefined, portraits)
      measured.push({ ...disk, name })
      portraits = portraitShare
      databases.push(await databaseUse(join(dir, name, 'department'), join(scratch, 'department')))
    }
    recordParts(
      run,
      { departments: sumOf(databases), nodes: measured },
      { variant: 'running network', quantity: 'disk' },
    )
  } finally {
    await testbed.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function enterprisesOf(testbed: Testbed): Promise<readonly Hash[]> {
  const connection = await testbed.connectAs('operator')
  try {
    const members = await connection.directory.members()
    return members.filter(({ role }) => role === ROLE.enterprise).map(({ id }) => id)
  } finally {
    connection.close()
  }
}

async function databaseUse(folder: string, copy: string): Promise<DiskUse> {
  if (!existsSync(folder)) return { bytes: 0, allocatedBytes: 0 }
  try {
    return await openCopy(new Map([[folder, copy]]), () => compactedUse(copy))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
