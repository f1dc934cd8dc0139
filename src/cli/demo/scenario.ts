/** The tour: the paper's two protocols (4.3) on the generated dataset, and a node that is killed. Every answer is checked. */

import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Connection, connect } from '../../agent/connection.js'
import { members } from '../../agent/contractClient.js'
import {
  type DatasetCompany,
  type DatasetOptions,
  type DatasetSamples,
  datasetSamples,
} from '../../agent/dataset/generate.js'
import { parseDeclaration } from '../../agent/declaration.js'
import { EnterpriseProxy } from '../../agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../agent/portraitKeyFile.js'
import { Requester, type VerificationReport } from '../../agent/requester.js'
import { ROLE } from '../../contracts/codes.js'
import { textId } from '../../contracts/textId.js'
import { fromHex, utf8, ZERO_HASH } from '../../core/bytes.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { showSubmission } from '../commands/submit.js'
import { showVerification } from '../commands/verify.js'
import { CommandError } from '../errors.js'
import type { NetworkFile } from '../network/file.js'
import { formatMs, type Output } from '../output.js'
import { declarationOf } from './declarations.js'
import { type Answer, expectedAnswers, wrongAnswers } from './expectations.js'

type Values = Readonly<Record<string, string>>

export interface StepResult {
  readonly step: string
  readonly ms: number
  readonly fromPortrait: boolean | undefined
  readonly wrong: readonly string[]
}

/** An enterprise of the dataset with its own key, registered on the chain. */
interface Enterprise {
  readonly company: DatasetCompany
  readonly key: Uint8Array
  readonly portraitKeyFile: string
}

export class Scenario {
  readonly results: StepResult[] = []
  readonly #dir: string
  readonly #network: NetworkFile
  readonly #out: Output
  readonly #samples: DatasetSamples

  constructor(dir: string, network: NetworkFile, dataset: DatasetOptions, out: Output) {
    this.#dir = dir
    this.#network = network
    this.#out = out
    this.#samples = datasetSamples(dataset)
    mkdirSync(join(dir, 'enterprises'), { recursive: true, mode: 0o700 })
  }

  /** The operator registers the enterprises of the tour. */
  async register(): Promise<Record<keyof DatasetSamples, Enterprise>> {
    const started = performance.now()
    const entries = KINDS.map((kind) => [kind, this.#enterprise(kind)] as const)
    await this.#as('operator', 0, async ({ sender }) => {
      const receipts = await Promise.all(
        entries.map(async ([, { company, key }]) => {
          const { companyName: name, unifiedSocialCreditCode } = company.truth
          const account = privateKeyToAddress(key)
          const member = {
            account,
            role: ROLE.enterprise,
            id: textId(unifiedSocialCreditCode),
            name,
            encryptionKey: ZERO_HASH,
          }
          return sender.final(await sender.send(members, 'registerMember', { member }))
        }),
      )
      if (receipts.some((receipt) => receipt.status !== '0x1'))
        throw new CommandError('an enterprise could not be registered')
    })
    this.#out.table(
      ['enterprise', 'credit code', 'what the departments know of it'],
      entries.map(([kind, { company }]) => [
        company.truth.companyName,
        company.truth.unifiedSocialCreditCode,
        KNOWN[kind],
      ]),
    )
    this.#record('enterprises registered', performance.now() - started, [])
    return Object.fromEntries(entries) as Record<keyof DatasetSamples, Enterprise>
  }

  /** StoreData: all departments have to accept their part. */
  async submit(step: string, enterprise: Enterprise, values: Values, node = 3): Promise<void> {
    const { key: privateKey, portraitKeyFile } = enterprise
    const declaration = parseDeclaration(utf8(declarationOf(values, 'declaration.json')), 'declaration.json')
    const connection = await connect({ rpc: { url: this.#network.nodes[node]!.rpc }, privateKey })
    try {
      const report = await new EnterpriseProxy({ portraitKeys: portraitKeysIn(portraitKeyFile) }, connection).submit(
        declaration,
      )
      showSubmission(this.#out, report)
      const refused = report.parts
        .filter((part) => part.status !== 'accepted')
        .map((part) => `${part.department}: ${part.status}`)
      this.#record(step, report.acknowledgedMs ?? report.finalMs, refused)
    } finally {
      connection.close()
    }
  }

  /** A department's query; checks every answer against the dataset. */
  async ask(
    step: string,
    question: {
      company: DatasetCompany
      declared: Values
      held?: Values
      fromPortrait?: boolean
      as?: string
      node?: number
    },
  ): Promise<void> {
    const { company, declared, held, fromPortrait, as = 'government-service', node = 3 } = question
    const file = `declaration-${this.results.length}.json`
    writeFileSync(join(this.#dir, 'enterprises', file), declarationOf(declared, file))
    const { enterpriseId, values } = parseDeclaration(utf8(declarationOf(declared, file)), file)
    const folder = this.#network.nodes.find((one) => one.department === as)!.name
    const encryptionKeys = [await readKeyFile(join(this.#dir, folder, 'encryption.key'))]
    const report = await this.#as(as, node, (connection) =>
      new Requester({ encryptionKeys }, connection).verify({ enterpriseId, values }),
    )
    showVerification(this.#out, report)
    const wrong = wrongAnswers(report, expectedAnswers(company, declared, held))
    if (fromPortrait !== undefined && (report.requestId === null) !== fromPortrait) {
      wrong.push(fromPortrait ? 'the portrait should have answered' : 'the portrait should not have had these answers')
    }
    this.#record(step, report.ms, wrong, report)
  }

  #enterprise(kind: keyof DatasetSamples): Enterprise {
    const company = this.#samples[kind]
    const key = new Uint8Array(randomBytes(32))
    return {
      company,
      key,
      portraitKeyFile: join(this.#dir, 'enterprises', `${company.truth.unifiedSocialCreditCode}.portrait.json`),
    }
  }

  async #as<T>(account: string, node: number, use: (connection: Connection) => Promise<T>): Promise<T> {
    const { privateKey } = this.#network.accounts[account]!
    const connection = await connect({ rpc: { url: this.#network.nodes[node]!.rpc }, privateKey: fromHex(privateKey) })
    try {
      return await use(connection)
    } finally {
      connection.close()
    }
  }

  #record(step: string, ms: number, wrong: readonly string[], report?: VerificationReport): void {
    this.results.push({ step, ms, wrong, fromPortrait: report === undefined ? undefined : report.requestId === null })
    this.#out.line(
      wrong.length === 0
        ? `  right, ${formatMs(ms)}\n`
        : `  WRONG: ${wrong.slice(0, 3).join('; ')}${wrong.length > 3 ? `; and ${wrong.length - 3} more` : ''}\n`,
    )
  }
}

const KINDS = ['complete', 'missing', 'vacant', 'partial', 'absent'] as const

const KNOWN: Record<keyof DatasetSamples, string> = {
  complete: 'all three hold every attribute',
  missing: 'some fields are missing',
  vacant: 'some fields are vacant',
  partial: 'some fields are missing, some vacant',
  absent: 'one department has no record of it',
}

/** The same declaration with three values that are well-formed and wrong. */
export function withWrongValues(truth: Values): { declared: Values; changed: readonly string[] } {
  const changed = ['registeredCapital', 'employees', 'inventionPatents'] as const
  const declared = { ...truth }
  for (const name of changed) declared[name] = plusOne(truth[name]!)
  return { declared, changed }
}

function plusOne(value: string): string {
  const [whole, fraction] = value.split('.')
  const next = (BigInt(whole!) + 1n).toString()
  return fraction === undefined ? next : `${next}.${fraction}`
}

/** What an enterprise declares of itself to be known to the chain without changing any department's records. */
export function introduction({ companyName, unifiedSocialCreditCode }: DatasetCompany['truth']): Values {
  return { companyName, unifiedSocialCreditCode }
}

export type { Answer }
