import { join } from 'node:path'
import { Command } from 'commander'
import { decideService, evaluate, readDecision, readPolicy } from '../../agent/eligibility.js'
import { Requester } from '../../agent/requester.js'
import { textId } from '../../contracts/textId.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { type ConnectionFlags, departmentNode, reading, signedIn, withNode, withSigner } from '../connection.js'
import { showDecision } from '../eligibility/show.js'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { wordOf } from '../transact.js'

interface CheckFlags extends ConnectionFlags {
  readonly enterprise: string
  readonly as: string
  readonly encryptionKeyFile?: string
  readonly basis?: string
}

/** `concordat eligibility`: decides whether an enterprise gets a service, from attested answers alone. */
export function eligibilityCommand(): Command {
  const eligibility = new Command('eligibility').addHelpText(
    'after',
    '\nExample:\n  concordat eligibility check innovation-grant --enterprise 91440300708461136T --network net --as government-service',
  )
  withSigner(eligibility.command('check <policy>').description('ask the departments for what is open, and decide'))
    .requiredOption('--enterprise <id>', 'unified social credit code')
    .requiredOption('--as <department>', 'the asking department')
    .option('--encryption-key-file <file>', "the asking department's X25519 key (default: that of the local network)")
    .option('--basis <id>', 'consent (0x...) or statute code, where a rule wants one')
    .addHelpText(
      'after',
      '\nExample:\n  concordat eligibility check innovation-grant --enterprise 91440300708461136T --network net --as government-service',
    )
    .action(check)
  withNode(
    eligibility.command('look <policy>').description('what the chain knows already; asks nobody, records nothing'),
  )
    .requiredOption('--enterprise <id>', 'unified social credit code')
    .addHelpText(
      'after',
      '\nExample:\n  concordat eligibility look innovation-grant --enterprise 91440300708461136T --network net',
    )
    .action(async (policy: string, flags: ConnectionFlags & { readonly enterprise: string }) => {
      const enterpriseId = textId(flags.enterprise, '--enterprise')
      const found = await reading(flags, async (client) => {
        return evaluate(client, await readPolicy(client, policy), enterpriseId)
      })
      const out = createOutput(flags.json ?? false)
      showDecision(out, found)
      out.result(found)
    })
  withNode(eligibility.command('decision <number>').description('a decision with its reasons'))
    .addHelpText('after', '\nExample:\n  concordat eligibility decision 1 --network net')
    .action(async (number: string, flags: ConnectionFlags) => {
      if (!/^\d{1,18}$/.test(number)) throw new UsageError(`'${number}' is no number of a decision`)
      const found = await reading(flags, (client) => readDecision(client, BigInt(number)))
      const out = createOutput(flags.json ?? false)
      showDecision(out, found)
      out.result(found)
    })
  return eligibility
}

async function check(policy: string, flags: CheckFlags): Promise<void> {
  const enterpriseId = textId(flags.enterprise, '--enterprise')
  const keyFile = flags.encryptionKeyFile ?? join(departmentNode(flags, flags.as).dir, 'encryption.key')
  const encryptionKeys = [await readKeyFile(keyFile)]
  const decision = await signedIn(flags, flags.as, async (connection) => {
    const requester = new Requester({ encryptionKeys }, connection)
    await requester.authenticate()
    const basis = flags.basis === undefined ? {} : { basis: wordOf(flags.basis, '--basis') }
    return decideService(connection, requester, { policy, enterpriseId, ...basis })
  })
  const out = createOutput(flags.json ?? false)
  showDecision(out, decision)
  if (decision.decisionId === null)
    out.line('Some answers are missing: the departments concerned have not answered yet.')
  out.result(decision)
  if (decision.decisionId === null) process.exitCode = 1
}
