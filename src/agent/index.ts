/** What commands and programs use of the agents: submit, verify, serve a department, load data. */
import { type Connection, type ConnectionOptions, connect } from './connection.js'
import type { DepartmentDatabase } from './database/departmentDatabase.js'
import type { PostgresOptions } from './database/postgres/open.js'
import { type Declaration, readDeclaration } from './declaration.js'
import { EnterpriseProxy, type ProxyOptions, type SubmissionReport } from './enterpriseProxy.js'
import { Requester, type RequesterOptions, type VerificationReport } from './requester.js'

export { AgentError, type AgentErrorCode } from './agentError.js'
export { type BatchHistory, type BatchStep, batchHistory } from './batchHistory.js'
export { type Connection, type ConnectionOptions, connect } from './connection.js'
export {
  type Consent,
  ConsentFileError,
  consentIdOf,
  consentSigner,
  grantConsent,
  type SignedConsent,
  signConsent,
  signRevocation,
} from './consent.js'
export { formatConsent, parseConsent, readConsent } from './consentFile.js'
export { ContractRevert } from './contractClient.js'
export {
  DatabaseError,
  type DepartmentDatabase,
  type EnterpriseLocator,
  type EnterpriseRecord,
  type LoadProgress,
  type NamedSecret,
  type RecordWrite,
} from './database/departmentDatabase.js'
export { openDepartmentDatabase, openMemoryDatabase } from './database/open.js'
export type { PostgresOptions } from './database/postgres/open.js'
export { DATASET_DEPARTMENTS, type DepartmentId } from './dataset/departments.js'
export { type DatasetOptions, datasetCompanies, datasetRows, datasetSamples, datasetSizes } from './dataset/generate.js'
export { loadDataset } from './dataset/load.js'
export { type Declaration, DeclarationError, parseDeclaration, readDeclaration } from './declaration.js'
export { GetConfirm, GetExistence } from './department/functions.js'
export { type DepartmentService, type DepartmentServiceOptions, startDepartmentService } from './department/service.js'
export { DocumentError, hashDocument } from './documentHash.js'
export { EnterpriseProxy, type ProxyOptions, type SubmissionReport } from './enterpriseProxy.js'
export type { AgentLog } from './log.js'
export type { PartReport } from './partReports.js'
export { PortraitKeyFileError, portraitKeysIn } from './portraitKeyFile.js'
export type { KeptPortraitKey, PortraitKey, PortraitKeyStore, PortraitKeys } from './portraitKeys.js'
export { QuestionRefused } from './questionRefused.js'
export {
  type QueryPhases,
  type Question,
  Requester,
  type RequesterOptions,
  type VerificationReport,
  type VerifiedAttribute,
} from './requester.js'
export { type SignerProof, signerProof } from './signerProof.js'
export { type Transacted, transact } from './transact.js'

/** A department's database in PostgreSQL (docs/databases.md); the client is loaded with the first. Throws DatabaseError. */
export async function openPostgresDatabase(options: PostgresOptions): Promise<DepartmentDatabase> {
  const postgres = await import('./database/postgres/open.js')
  return postgres.openPostgresDatabase(options)
}

/** Reads a declaration file and submits it with the enterprise's key. Errors: DeclarationError and those of EnterpriseProxy.submit. */
export async function submitDeclaration(
  file: string,
  options: { readonly connection: ConnectionOptions; readonly proxy: ProxyOptions },
): Promise<SubmissionReport> {
  return withDeclaration(file, options.connection, (declaration, connection) => {
    return new EnterpriseProxy(options.proxy, connection).submit(declaration)
  })
}

/** Reads a declaration file and asks about all of its values. Errors: DeclarationError and those of Requester.verify. */
export async function verifyDeclaration(
  file: string,
  options: { readonly connection: ConnectionOptions; readonly requester: RequesterOptions },
): Promise<VerificationReport> {
  return withDeclaration(file, options.connection, async ({ enterpriseId, values }, connection) => {
    const requester = new Requester(options.requester, connection)
    await requester.authenticate()
    return requester.verify({ enterpriseId, values })
  })
}

async function withDeclaration<T>(
  file: string,
  options: ConnectionOptions,
  use: (declaration: Declaration, connection: Connection) => Promise<T>,
): Promise<T> {
  const declaration = await readDeclaration(file)
  const connection = await connect(options)
  try {
    return await use(declaration, connection)
  } finally {
    connection.close()
  }
}
