/** Enterprises of the dataset as members of a measured network, with keys that follow from the seed. */
import { dataSharing, members } from '../../src/agent/contractClient.js'
import type { DatasetCompany } from '../../src/agent/dataset/generate.js'
import { readFee } from '../../src/agent/fee.js'
import { sealValues } from '../../src/agent/sealedValues.js'
import { ROLE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { asAddress, fromHex, type Hash, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import type { Testbed } from './testbed.js'
import { type Account, sendAll, signedCall } from './transactions.js'

export interface Enterprise extends Account {
  readonly company: DatasetCompany
  readonly id: Hash
  /** 32 bytes. */
  readonly portraitKey: Uint8Array
}

/** The portrait version of an enterprise that has shared its key once. */
export const PORTRAIT_VERSION = 1

export function enterpriseOf(company: DatasetCompany, seed: string): Enterprise {
  const secret = (use: string) => keccak256(utf8(`${seed}/${use}/${company.index}`))
  const key = secret('enterprise')
  const id = textId(company.truth.unifiedSocialCreditCode)
  return { company, key, address: privateKeyToAddress(key), id, portraitKey: secret('portrait'), nonce: 0n }
}

type OnProgress = (done: number) => void

/** The operator registers all; resolves when that is final. From then on the enterprises know what the chain wants for gas. */
export async function registerEnterprises(
  testbed: Testbed,
  enterprises: readonly Enterprise[],
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const client = testbed.clients[0]!
  const { address, privateKey } = testbed.network.accounts.operator!
  const nonce = BigInt(await client.call('eth_getTransactionCount', address, 'pending'))
  const fee = await readFee(client)
  const operator: Account = { key: fromHex(privateKey), address, nonce, fee }
  for (const enterprise of enterprises) enterprise.fee = fee
  const make = (index: number) => {
    const { address: account, id, company } = enterprises[index]!
    const member = { account, role: ROLE.enterprise, id, name: company.truth.companyName, encryptionKey: ZERO_HASH }
    return signedCall(
      testbed.network.chainId,
      operator,
      members.address,
      members.abi.encodeCall('registerMember', { member }),
    )
  }
  await sendAll(client, enterprises.length, make, onProgress, signal, testbed.replaceable)
}

/** Each enterprise gives its portrait key to these departments (names as in network.json, or accounts); resolves when that is final. */
export async function sharePortraitKeys(
  testbed: Testbed,
  enterprises: readonly Enterprise[],
  departments: readonly string[],
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const connection = await testbed.connectAs('operator')
  try {
    const recipients = await Promise.all(
      departments.map(async (department) => {
        const account = testbed.network.accounts[department]?.address ?? asAddress(department)
        return (await connection.directory.member(account))!
      }),
    )
    const { chainId } = connection
    const make = (index: number) => {
      const enterprise = enterprises[index]!
      const { id: enterpriseId, portraitKey } = enterprise
      const shares = recipients.map(({ account: recipient, keyEpoch, encryptionKey }) => {
        const context = {
          kind: 'portraitKey',
          chainId,
          contract: dataSharing.address,
          sender: enterprise.address,
          enterpriseId,
          portraitVersion: PORTRAIT_VERSION,
          recipient,
          keyEpoch,
          attributes: [],
          digests: [],
        } as const
        return {
          recipient,
          keyEpoch,
          envelope: sealValues({ portraitKey, values: new Map() }, encryptionKey!, context),
        }
      })
      const share = { enterpriseId, portraitVersion: PORTRAIT_VERSION, shares }
      return signedCall(chainId, enterprise, dataSharing.address, dataSharing.abi.encodeCall('sharePortraitKey', share))
    }
    await sendAll(testbed.clients[0]!, enterprises.length, make, onProgress, signal, testbed.replaceable)
  } finally {
    connection.close()
  }
}
