/** An enterprise's submission (paper 4.3, Fig. 6). */
import { CREDIT_CODE_ATTRIBUTE, type Declaration } from '../agent/declaration/declared.js'
import { plainDocument } from '../agent/declaration/plainDocument.js'
import { EnterpriseProxy, type ProxyOptions, type SubmissionReport } from '../agent/enterpriseProxy.js'
import { textId } from '../contracts/textId.js'
import { utf8 } from '../core/bytes.js'
import type { Member } from './connect.js'
import { requireValues } from './requireValues.js'

/** What an enterprise declares about itself. */
export interface EnterpriseDeclaration {
  /** Unified social credit code. */
  readonly creditCode: string
  /** Attribute -> value as text. */
  readonly values: Readonly<Record<string, string>>
}

export interface Submitted extends SubmissionReport {
  /** The declaration as a file (schemas/declaration.schema.json): keep it, its hash is on chain. */
  readonly document: string
}

/**
 * Validates the values, splits them by the data portrait, seals each department's part, sends StoreData, shares the portrait key with
 * those who may ask, and waits for the departments' acknowledgements. Throws ClientError, AgentError, ContractRevert,
 * WaitError, RpcError or RpcClientError.
 */
export async function submit(
  member: Member,
  declaration: EnterpriseDeclaration,
  options: ProxyOptions,
): Promise<Submitted> {
  requireValues('declaration', declaration)
  const document = declarationFile(declaration)
  const report = await new EnterpriseProxy(options, member).submit(declarationOf(declaration, document))
  return { ...report, document }
}

/** The declaration as the text of a file. */
export function declarationFile({ creditCode, values }: EnterpriseDeclaration): string {
  return `${JSON.stringify({ enterprise: creditCode, values }, null, 2)}\n`
}

const FILE = 'declaration.json'

function declarationOf({ creditCode, values }: EnterpriseDeclaration, document: string): Declaration {
  const code = creditCode.trim().toUpperCase()
  const enterpriseId = textId(code, CREDIT_CODE_ATTRIBUTE)
  return {
    file: FILE,
    creditCode: code,
    enterpriseId,
    values: new Map(Object.entries(values)),
    documentHash: (portraitKey) => plainDocument(utf8(document), FILE, enterpriseId, portraitKey).documentHash,
  }
}
