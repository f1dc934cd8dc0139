/** Random calls of the contracts by several members, right and wrong ones. */
import type { Account } from '../../bench/testbed/transactions.js'
import { createRandom, type Random } from '../../src/agent/dataset/random.js'
import { BASIS, QUORUM_OF, ROLE, STATUS } from '../../src/contracts/codes.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { type Address, type Hash, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { genesisConfig, profile, type World, word } from '../contracts/world.js'

export type ContractName = 'members' | 'dataPortrait' | 'dataSharing'
export interface Call {
  readonly contract: ContractName
  readonly name: string
  readonly from: string
  readonly args: Record<string, unknown>
}

const accountOf = (name: string): Account => {
  const key = keccak256(utf8(name))
  return { key, address: privateKeyToAddress(key), nonce: 0n }
}
const NAMES = ['operator', 'market', 'finance', 'patents', 'auditor', 'first', 'second', 'stranger'] as const
export const ACCOUNTS = new Map<string, Account>(NAMES.map((name) => [name, accountOf(name)]))
export const at = (name: string): Address => ACCOUNTS.get(name)!.address
const DEPARTMENTS = ['market', 'finance', 'patents']
const SUPERVISORS: Record<string, readonly string[]> = {
  capital: ['market'],
  account: ['finance'],
  name: ['market', 'finance'],
  address: ['market', 'finance', 'patents'],
  representative: ['market', 'finance', 'patents'],
  rights: ['patents'],
  seal: ['market'],
}
const ATTRIBUTES = Object.keys(SUPERVISORS)
const RULES: Record<string, Parameters<typeof profile>[2]> = {
  capital: { digestBudget: 2 },
  account: { askerRoles: (1 << ROLE.department) | (1 << ROLE.auditor) },
  address: { quorum: 1 },
  representative: { quorum: QUORUM_OF(2) },
  seal: { basis: BASIS.required },
  rights: { deadlineBlocks: 6n, validityBlocks: 8n },
}
const ID = { first: textId('91440300708461136T'), second: textId('914403001922038216') }

/** Members, and attributes with rules of all kinds. */
export function genesis() {
  const department = (name: string) => {
    return { address: at(name), role: ROLE.department, name: `Department ${name}`, id: name, encryptionKey: word(name) }
  }
  const enterprise = (name: 'first' | 'second', id: string) => {
    return { address: at(name), role: ROLE.enterprise, name: `Company ${name} with a name of more than 31 bytes`, id }
  }
  return genesisConfig({
    sealers: [{ address: at('market'), weight: 1 }],
    members: [
      { address: at('operator'), role: ROLE.operator, name: 'Operations centre', id: 'operator' },
      ...DEPARTMENTS.map(department),
      { address: at('auditor'), role: ROLE.auditor, name: 'Audit office', id: 'audit' },
      enterprise('first', '91440300708461136T'),
      enterprise('second', '914403001922038216'),
    ],
    attributes: ATTRIBUTES.map((name) => profile(attributeId(name), SUPERVISORS[name]!.map(at), RULES[name])),
    alloc: [],
  })
}

/** Random calls; what they refer to (ids, epochs, versions) is right more often than not. */
export class Calls {
  submissions = 0n
  requests = 0n
  registered = 0
  readonly #random: Random

  constructor(
    private readonly world: World,
    seed: string,
  ) {
    this.#random = createRandom(seed)
  }

  next(): Call {
    const kinds = [
      'store',
      'store',
      'acknowledge',
      'share',
      'request',
      'request',
      'request',
      'attest',
      'attest',
      'attest',
      'profile',
      'change',
      'member',
    ]
    return this[this.#random.pick(kinds) as 'store']()
  }

  view(): Call {
    const id = this.#id(this.requests)
    const enterpriseId = ID[this.#enterprise()]
    const attribute = this.#attribute()
    const digest = this.#digest(attribute)
    const part = this.#random.below(3)
    const account = at(this.#random.pick(NAMES))
    const views: [ContractName, string, Record<string, unknown>][] = [
      ['dataSharing', 'requestOf', { requestId: id }],
      ['dataSharing', 'answerOf', { requestId: id, attribute, supervisor: account }],
      ['dataSharing', 'submissionOf', { submissionId: this.#id(this.submissions) }],
      ['dataSharing', 'partOf', { submissionId: this.#id(this.submissions), part }],
      ['dataSharing', 'portraitEntries', { enterpriseId, items: this.#items() }],
      ['dataSharing', 'GetUserProfile', { enterpriseId }],
      ['dataSharing', 'GetExistence', { userID: enterpriseId, dataParam: attribute }],
      ['dataSharing', 'GetConfirm', { userID: enterpriseId, dataParam: attribute, digest }],
      ['dataSharing', 'digestBudgetLeft', { requester: account, enterpriseId, attribute }],
      ['dataSharing', 'portraitKeySharedAt', { enterpriseId, recipient: account }],
      ['members', 'IdentityAuth', { userID: account }],
      ['members', 'getMember', { account }],
      ['members', 'signerOf', { signer: account }],
      ['members', 'memberAt', { index: BigInt(this.#random.below(14)) }],
      ['members', 'memberById', { id: this.#random.pick([enterpriseId, textId('market'), textId('nobody')]) }],
      ['dataPortrait', 'GetDataProfile', {}],
      ['dataPortrait', 'dataProfileOf', { attribute }],
    ]
    const [contract, name, args] = this.#random.pick(views)
    return { contract, name, args, from: 'stranger' }
  }

  store(): Call {
    const enterprise = this.#enterprise()
    const recipients = this.#some(DEPARTMENTS)
    const parts = recipients.map((recipient) => {
      const own = this.#some(ATTRIBUTES.filter((name) => SUPERVISORS[name]!.includes(recipient)))
      const attributes = (this.#rarely() ? this.#some(ATTRIBUTES) : own).map(attributeId)
      const digests = attributes.map((attribute) =>
        this.#rarely() ? ZERO_HASH : this.#rarely() ? this.#digest(attribute) : word(`${attribute} 1`),
      )
      return {
        recipient: at(recipient),
        keyEpoch: this.#epoch(recipient),
        attributes,
        digests: this.#rarely() ? digests.slice(1) : digests,
        envelope: this.#envelope(),
      }
    })
    const all = this.#rarely() ? [...parts, ...parts] : parts
    const args = {
      enterpriseId: ID[enterprise],
      documentHash: word('document'),
      portraitVersion: this.#version(enterprise),
      parts: all,
    }
    return { contract: 'dataSharing', name: 'StoreData', from: this.#mostly(enterprise), args }
  }

  acknowledge(): Call {
    const args = {
      submissionId: this.#id(this.submissions),
      part: this.#random.below(3),
      accepted: !this.#sometimes(),
      code: this.#random.below(5),
    }
    return { contract: 'dataSharing', name: 'acknowledge', from: this.#random.pick(DEPARTMENTS), args }
  }

  share(): Call {
    const enterprise = this.#enterprise()
    const recipients = this.#some([...DEPARTMENTS, ...(this.#rarely() ? ['auditor', 'market'] : [])])
    const shares = recipients.map((name) => ({
      recipient: at(name),
      keyEpoch: this.#epoch(name),
      envelope: this.#envelope(),
    }))
    const args = { enterpriseId: ID[enterprise], portraitVersion: this.#version(enterprise), shares }
    return { contract: 'dataSharing', name: 'sharePortraitKey', from: this.#mostly(enterprise), args }
  }

  request(): Call {
    const items = this.#items().filter(({ attribute }) => attribute !== attributeId('seal') || this.#sometimes())
    const named = ATTRIBUTES.filter((name) => items.some(({ attribute }) => attribute === attributeId(name)))
    const wanted = [...new Set(named.flatMap((name) => SUPERVISORS[name]!))].filter(
      (name) => this.#member(name).status === STATUS.active,
    )
    const sealed = (this.#rarely() ? this.#some(DEPARTMENTS) : wanted).map((name) => {
      return { supervisor: at(name), keyEpoch: this.#epoch(name), envelope: this.#envelope() }
    })
    const enterprise = this.#enterprise()
    const basis = this.#sometimes() ? ZERO_HASH : word('statute')
    const args = {
      enterpriseId: ID[enterprise],
      portraitVersion: this.#version(enterprise),
      purpose: word('purpose'),
      basis,
      items,
      sealed,
    }
    return {
      contract: 'dataSharing',
      name: 'requestVerification',
      from: this.#random.pick([...DEPARTMENTS, 'auditor']),
      args,
    }
  }

  attest(): Call {
    const requests = this.#rarely() ? [this.#id(this.requests), this.#id(this.requests)] : [this.#id(this.requests)]
    const from = this.#random.pick(DEPARTMENTS)
    const own = this.#rarely() ? ATTRIBUTES : ATTRIBUTES.filter((name) => SUPERVISORS[name]!.includes(from))
    const pairs = this.#some(own.slice(0, 2)).flatMap((name) =>
      requests.map((requestId) => ({ requestId, attribute: attributeId(name) })),
    )
    const answers = pairs.map((pair) => {
      const existence = this.#rarely() ? this.#random.below(6) : this.#random.pick([1, 1, 1, 2, 3, 4])
      return { ...pair, existence, confirmed: existence === 1 ? !this.#sometimes() : this.#rarely() }
    })
    return { contract: 'dataSharing', name: 'attest', from, args: { answers } }
  }

  profile(): Call {
    const name = this.#random.pick(['capital', 'account', 'rights', 'address', 'seal'])
    const attribute = attributeId(name)
    const existence = this.#random.below(6)
    const args = {
      enterpriseId: ID[this.#enterprise()],
      attribute,
      digest: this.#digest(attribute),
      existence,
      confirmed: existence === 1,
    }
    return {
      contract: 'dataSharing',
      name: 'SetUserProfile',
      from: this.#rarely() ? 'first' : SUPERVISORS[name]![0]!,
      args,
    }
  }

  change(): Call {
    const from = this.#random.pick(DEPARTMENTS)
    const own = ATTRIBUTES.filter((name) => SUPERVISORS[name]!.includes(from))
    const attributes = (this.#rarely() ? [this.#attribute()] : this.#some(own).map(attributeId)) as Hash[]
    return {
      contract: 'dataSharing',
      name: 'reportChange',
      from,
      args: { enterpriseId: ID[this.#enterprise()], attributes },
    }
  }

  member(): Call {
    const operator = this.#rarely() ? 'market' : 'operator'
    const kind = this.#random.below(4)
    if (kind === 0)
      return {
        contract: 'members',
        name: 'rotateEncryptionKey',
        from: 'finance',
        args: { encryptionKey: this.#rarely() ? ZERO_HASH : word('finance') },
      }
    if (kind === 1) {
      const args = {
        account: at(this.#random.pick(['patents', 'auditor', 'operator', 'stranger'])),
        status: this.#random.pick([0, 1, 1, 1, 2, 2, 4]),
      }
      return { contract: 'members', name: 'setStatus', from: operator, args }
    }
    const fresh = this.#rarely() ? 'first' : `new ${this.registered++}`
    const id = this.#rarely() ? word('no text') : textId(fresh.replace(' ', '-'))
    const encryptionKey = this.#sometimes() ? word(fresh) : ZERO_HASH
    const name = this.#rarely() ? '' : this.#sometimes() ? '深圳市腾讯计算机系统有限公司' : fresh
    const member = {
      account: accountOf(fresh).address,
      role: this.#rarely() ? 6 : 1 + this.#random.below(3),
      id,
      name,
      encryptionKey,
    }
    return { contract: 'members', name: 'registerMember', from: operator, args: { member } }
  }

  #items() {
    const items = this.#some(ATTRIBUTES).map((name) => ({
      attribute: attributeId(name),
      digest: this.#digest(attributeId(name)),
    }))
    return this.#rarely() ? [...items, items[0]!] : items
  }

  #digest(attribute: Hash): Hash {
    return this.#rarely() ? ZERO_HASH : word(`${attribute} ${this.#random.below(3)}`)
  }

  #attribute(): Hash {
    return attributeId(this.#rarely() ? 'unheardOf' : this.#random.pick(ATTRIBUTES))
  }

  /** One of the latest. */
  #id(count: bigint): bigint {
    const id = count - BigInt(this.#random.below(3))
    return this.#rarely() || id < 1n ? count + 1n : id
  }

  #enterprise = () => this.#random.pick(['first', 'second'] as const)
  #mostly = (enterprise: string) => (this.#rarely() ? this.#random.pick(NAMES) : enterprise)
  #envelope = () => new Uint8Array(this.#rarely() ? 0 : 70)
  #member = (name: string) => this.world.view('members', 'getMember', { account: at(name) })
  #epoch = (name: string) => (this.#rarely() ? 0n : this.#member(name).keyEpoch)
  #version = (enterprise: 'first' | 'second') => {
    const current = this.world.view('dataSharing', 'portraitVersionOf', { enterpriseId: ID[enterprise] })
    return this.#rarely() ? this.#random.below(4) : Math.max(current, 1)
  }
  #sometimes = () => this.#random.below(3) === 0
  #rarely = () => this.#random.below(40) === 0
  #some = <T>(items: readonly T[]): T[] => {
    const some = items.filter(() => this.#random.below(2) === 0)
    return some.length > 0 || this.#rarely() ? some : [this.#random.pick(items)]
  }
}
