import { Command } from 'commander'
import { eligibility } from '../../agent/contractClient.js'
import { publishPolicy, readPolicies, readPolicy } from '../../agent/eligibility.js'
import { policyFileSchema, toPolicy } from '../../agent/policyFile.js'
import { textId } from '../../contracts/textId.js'
import { readConfig } from '../../node/configFile.js'
import { type ConnectionFlags, reading, withNode, withSigner } from '../connection.js'
import { showPolicy } from '../eligibility/show.js'
import { createOutput } from '../output.js'
import { type ActorFlags, act, signedAs } from '../transact.js'

/** `concordat policy`: service rules, decided from what departments answer. */
export function policyCommand(): Command {
  const policy = new Command('policy').addHelpText('after', '\nExample:\n  concordat policy list --network net')
  withSigner(policy.command('define <file>').description('publish a service rule, or its next version'))
    .option('--as <department>', 'with --network: whose development key signs')
    .addHelpText(
      'after',
      '\nExample:\n  concordat policy define examples/eligibility/innovation-grant.yaml --network net --as government-service',
    )
    .action(define)
  withNode(policy.command('list').description('all service rules'))
    .addHelpText('after', '\nExample:\n  concordat policy list --network net')
    .action(list)
  withNode(policy.command('show <policy>').description('one service rule with its conditions'))
    .addHelpText('after', '\nExample:\n  concordat policy show innovation-grant --network net')
    .action(async (id: string, flags: ConnectionFlags) => {
      const found = await reading(flags, (client) => readPolicy(client, id))
      const out = createOutput(flags.json ?? false)
      showPolicy(out, found)
      out.result(found)
    })
  withSigner(policy.command('close <policy>').description('no more decisions; those that were made stand'))
    .option('--as <department>', 'with --network: whose development key signs')
    .addHelpText('after', '\nExample:\n  concordat policy close innovation-grant --network net --as government-service')
    .action(async (id: string, flags: ActorFlags) => {
      const done = await act(flags, eligibility, 'closePolicy', () => ({ policyId: textId(id, 'policy') }))
      const out = createOutput(flags.json ?? false)
      out.line(`${id} is closed, final in block ${done.block}`)
      out.result({ policy: id, ...done })
    })
  return policy
}

async function define(file: string, flags: ActorFlags): Promise<void> {
  const policy = toPolicy(readConfig(policyFileSchema, file, { env: {} }))
  const { version, block } = await signedAs(flags, (connection) => publishPolicy(connection, policy))
  const out = createOutput(flags.json ?? false)
  out.line(`${policy.id} version ${version} is published, final in block ${block}`)
  out.result({ policy: policy.id, version, block })
}

async function list(flags: ConnectionFlags): Promise<void> {
  const policies = await reading(flags, readPolicies)
  const out = createOutput(flags.json ?? false)
  if (policies.length === 0) out.line('no service rule is published')
  else
    out.table(
      ['policy', 'title', 'by', 'version', 'conditions', 'open'],
      policies.map(({ id, title, owner, version, conditions, open }) => [
        id,
        title,
        owner,
        version,
        conditions.length,
        open ? 'yes' : 'no',
      ]),
    )
  out.result(policies)
}
