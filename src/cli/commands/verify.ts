import { join } from 'node:path'
import { Command } from 'commander'
import { timeText } from '../../agent/consent.js'
import { readDeclaration } from '../../agent/declaration.js'
import { Requester, type VerificationReport } from '../../agent/requester.js'
import { textId } from '../../contracts/textId.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import type { RpcClient } from '../../rpc/client.js'
import { type ConnectionFlags, departmentNode, signedIn, withSigner } from '../connection.js'
import { basisOf } from '../consent/arguments.js'
import { CommandError } from '../errors.js'
import { createOutput, formatMs, type Output } from '../output.js'

interface VerifyFlags extends ConnectionFlags {
  readonly as: string
  readonly encryptionKeyFile?: string
  readonly purpose?: string
  readonly consent?: string
  readonly statute?: string
  readonly attribute: string[]
}

/** `concordat verify`: a department asks whether the declared values are right. */
export function verifyCommand(): Command {
  return withSigner(new Command('verify').argument('<declaration>', 'declaration file, .json or .csv'))
    .requiredOption('--as <department>', 'the asking department')
    .option('--encryption-key-file <file>', "the asking department's X25519 key (default: that of the local network)")
    .option(
      '--attribute <name>',
      'ask about this attribute only; may be repeated',
      (name: string, all: string[]) => [...all, name],
      [],
    )
    .option('--purpose <text>', 'why it is asked; goes on record (1 to 32 ASCII characters)')
    .option(
      '--consent <file>',
      "the enterprise's signed consent, or the id of one on chain; put on chain where it is not yet",
    )
    .option('--statute <code>', 'the statute that lets the department ask, as the sharing rule lists it')
    .addHelpText('after', '\nExample:\n  concordat verify declaration.json --network net --as government-service')
    .action(async (file: string, flags: VerifyFlags) => {
      const { enterpriseId, values } = await readDeclaration(file)
      const asked =
        flags.attribute.length === 0 ? values : new Map([...values].filter(([name]) => flags.attribute.includes(name)))
      if (asked.size === 0) throw new CommandError(`${file} declares none of ${flags.attribute.join(', ')}`)
      const keyFile = flags.encryptionKeyFile ?? join(departmentNode(flags, flags.as).dir, 'encryption.key')
      const encryptionKeys = [await readKeyFile(keyFile)]
      const { report, times } = await signedIn(flags, flags.as, async (connection) => {
        const requester = new Requester({ encryptionKeys }, connection)
        await requester.authenticate()
        const basis = await basisOf(connection, flags)
        const report = await requester.verify({
          enterpriseId,
          values: asked,
          ...(flags.purpose === undefined ? {} : { purpose: textId(flags.purpose, '--purpose') }),
          ...(basis === undefined ? {} : { basis }),
        })
        return { report, times: await answerTimes(connection.client, report) }
      })
      const out = createOutput(flags.json ?? false)
      showVerification(out, report, times)
      const attributes = report.attributes.map((one) => ({ ...one, time: times.get(one.height ?? -1) ?? null }))
      out.result({ ...report, attributes })
    })
}

/** When the blocks were made from which the answers are: height -> time. */
async function answerTimes(
  client: RpcClient,
  { attributes }: VerificationReport,
): Promise<ReadonlyMap<number, string>> {
  const heights = [...new Set(attributes.flatMap(({ height }) => height ?? []))]
  const times = await Promise.all(
    heights.map(async (height) => {
      const block = await client.call('eth_getBlockByNumber', `0x${height.toString(16)}`, false)
      return block === null ? [] : [[height, timeText(BigInt(block.timestamp))] as const]
    }),
  )
  return new Map(times.flat())
}

/** One row an attribute: the interface of `concordat verify`. `times`: of the blocks of the answers, where they are known. */
export function showVerification(
  out: Output,
  report: VerificationReport,
  times: ReadonlyMap<number, string> = new Map(),
): void {
  out.table(
    ['attribute', 'exists', 'confirmed', 'answer', 'by whom', 'as of block', 'time', 'from portrait', 'ms'],
    report.attributes.map((one) => [
      one.attribute,
      one.exists ? 'yes' : 'no',
      one.confirmed ? 'yes' : 'no',
      answerOf(one),
      one.attesters.map((attester) => attester.name).join(', ') || '-',
      one.height ?? '-',
      times.get(one.height ?? -1) ?? '-',
      one.fromPortrait ? 'yes' : 'no',
      one.ms.toFixed(1),
    ]),
  )
  const from = report.requestId === null ? 'all from the user portrait' : `request ${report.requestId}`
  out.line(
    `${report.creditCode}: ${report.attributes.filter((one) => one.confirmed).length} of ${report.attributes.length} confirmed, ${from}, ${formatMs(report.ms)}`,
  )
}

function answerOf({ status, confirmed }: VerificationReport['attributes'][number]): string {
  if (status === 'exists') return confirmed ? 'right' : 'differs'
  return status
}
