/** `concordat keys rotate`: a member gets a new signing or encryption key. The new key's file is durable before the chain knows it. */
import { resolve } from 'node:path'
import type { Connection } from '../../agent/connection.js'
import { members, view } from '../../agent/contractClient.js'
import { signerProof } from '../../agent/signerProof.js'
import { transact } from '../../agent/transact.js'
import { toHash } from '../../core/bytes.js'
import { encryptionKeyFromPrivate } from '../../crypto/encryptionKey.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import type { ActorFlags } from '../transact.js'
import { acting } from './act.js'
import { keyIn } from './keyFiles.js'

export interface RotateFlags extends ActorFlags {
  readonly signing?: boolean
  readonly encryption?: boolean
  readonly newKeyFile: string
  readonly prepare?: boolean
  readonly revokeNow?: boolean
}

/** Throws UsageError, KeyFileError and as `acting` does. */
export async function rotate(flags: RotateFlags): Promise<void> {
  if ((flags.signing ?? false) === (flags.encryption ?? false))
    throw new UsageError('say which key: --signing or --encryption')
  if (flags.revokeNow && !flags.encryption)
    throw new UsageError('--revoke-now goes with --encryption; a former signing key acts no more at once anyway')
  const key = await keyIn(flags.newKeyFile)
  const done = flags.prepare ? prepared(key, flags) : await acting(flags, (on) => send(on, key, flags))
  const out = createOutput(flags.json ?? false)
  out.line(done.said)
  for (const line of toConfigure(flags)) out.line(line)
  out.result({ ...done, newKeyFile: resolve(flags.newKeyFile), configure: toConfigure(flags) })
}

const nameOfKey = (key: Uint8Array, { signing }: RotateFlags) =>
  signing ? privateKeyToAddress(key) : toHash(encryptionKeyFromPrivate(key).publicKey)

function prepared(key: Uint8Array, flags: RotateFlags) {
  const name = nameOfKey(key, flags)
  return { key: name, block: null, said: `${name} is in ${flags.newKeyFile}; the chain does not know it yet` }
}

async function send(connection: Connection, key: Uint8Array, flags: RotateFlags) {
  const account = await connection.account()
  const name = nameOfKey(key, flags)
  if (flags.signing) {
    const { signer: newSigner, proof } = signerProof(key, connection.chainId, account, 'account')
    const { block } = await transact(connection, members, 'rotateAccountKey', { newSigner, proof })
    return {
      account,
      key: name,
      block,
      said: `${newSigner} signs for ${account} after block ${block}; the former key acts no more`,
    }
  }
  const encryptionKey = toHash(encryptionKeyFromPrivate(key).publicKey)
  if ((await view(connection.client, members, 'getMember', { account })).encryptionKey === encryptionKey)
    throw new CommandError(`the key in ${flags.newKeyFile} is the member's encryption key already; name another file`)
  const { block } = flags.revokeNow
    ? await transact(connection, members, 'replaceEncryptionKey', { encryptionKey, graceBlocks: 0 })
    : await transact(connection, members, 'rotateEncryptionKey', { encryptionKey })
  const until = Number(await view(connection.client, members, 'encryptionGraceUntil', { account }))
  const former =
    until === 0 ? 'none to the former key is taken' : `those to the former key are taken until block ${until}`
  const said = `values for ${account} are sealed to ${encryptionKey} after block ${block}; ${former}`
  return { account, key: name, block, formerUntil: until === 0 ? null : until, said }
}

function toConfigure({ signing, newKeyFile }: RotateFlags): string[] {
  const file = resolve(newKeyFile)
  if (signing) {
    return [
      `agent configuration: keyFile: ${file}, then restart the agent`,
      `commands: --key-file ${file} (the key in network.json is the former one)`,
      'the node itself keeps its key: it seals and connects under the account',
    ]
  }
  return [
    `agent configuration: encryptionKeyFile: ${file}, and the file that stood there under earlierEncryptionKeyFiles, then restart the agent`,
    'an agent without the new key cannot answer what is sealed to it: configure it first (--prepare), then rotate',
  ]
}
