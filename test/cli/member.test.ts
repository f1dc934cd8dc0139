/** `concordat member` and `keys rotate` without a node: usage, help, and the new key's file. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import t from 'tap'
import { keysCommand } from '../../src/cli/commands/keys.js'
import { memberCommand } from '../../src/cli/commands/member.js'

const run = (command: Command, ...args: string[]) => command.parseAsync(args, { from: 'user' })
const member = (...args: string[]) => run(memberCommand(), ...args)

/** Commands that do something, with those of their groups. */
const leaves = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)

function helpOf(command: Command): string {
  const parts: string[] = []
  command.configureOutput({ writeOut: (part) => void parts.push(part) })
  command.outputHelp()
  return parts.join('')
}

t.test('every command has help with an example that it would understand', async (t) => {
  const commands = leaves(memberCommand())
  t.equal(commands.length, 19)
  for (const command of commands) {
    const help = helpOf(command)
    const example = /Example:\n {2}concordat member (.+)/.exec(help)?.[1]
    t.ok(example?.includes(command.name()), command.name())
    t.match(help, /--json/, command.name())
  }
})

t.test('wrong usage is said before a node is asked', async (t) => {
  const nowhere = ['--rpc', 'http://127.0.0.1:1']
  const usage = (message: RegExp) => ({ code: 'USAGE', message })
  await t.rejects(member('list'), usage(/--network DIR, or --rpc/))
  await t.rejects(member('suspend', 'finance', ...nowhere), usage(/say who signs/))
  await t.rejects(member('guardians', ...nowhere), usage(/name the guardians, or say --none/))
  await t.rejects(member('guardians', 'finance', ...nowhere), usage(/--threshold NUMBER/))
  await t.rejects(member('history', 'finance', '--at', 'now'), usage(/number of a block/))
  await t.rejects(member('signer', 'add', '--kind', 'account'), usage(/--kind must be node or service/))
  await t.rejects(member('signer', 'add', '--kind', 'clerk'), usage(/must be one of account, node, service/))
  await t.rejects(member('signer', 'add'), usage(/--new-key-file FILE, or --signer ADDRESS/))
  await t.rejects(member('recover', 'start', 'finance', '--signer', '0x1'), usage(/with --proof HEX/))
})

t.test('keys rotate: the new key is in a file of its owner alone, and stays when it is tried again', async (t) => {
  const file = join(t.testdir(), 'next.key')
  const rotate = (...more: string[]) => run(keysCommand(), 'rotate', '--new-key-file', file, '--json', ...more)
  await t.rejects(rotate(), { code: 'USAGE', message: /--signing or --encryption/ })
  await t.rejects(rotate('--signing', '--revoke-now'), { code: 'USAGE', message: /goes with --encryption/ })
  await t.rejects(rotate('--encryption'), { code: 'USAGE', message: /say who signs/ })
  t.equal(statSync(file).mode & 0o777, 0o600, 'the file comes first')
  const key = readFileSync(file, 'utf8')
  await t.rejects(rotate('--encryption'), { code: 'USAGE' })
  t.equal(readFileSync(file, 'utf8'), key)
})
