/**
 * What a fault of PostgreSQL means for the agent. Messages that the server makes of data are not passed on: they may quote
 * values. The SQLSTATE and the names of table, column and constraint say enough.
 */
import { DatabaseError, type DatabaseErrorCode } from '../departmentDatabase.js'

/** `passing`: waiting helps. `lost`: so it does, and the session is gone. `refused`: this data. `final`: somebody has to act. */
export type FaultKind = 'passing' | 'lost' | 'refused' | 'corrupt' | 'final'

interface ServerFault {
  readonly code?: unknown
  readonly message: string
  readonly table?: unknown
  readonly column?: unknown
  readonly constraint?: unknown
}

const SQLSTATE = /^[0-9A-Z]{5}$/
/** Connection exceptions, shutdown, crash, start-up, disconnection by time-out. */
const LOST = /^(08|57P0[1-35]|25P03)/
/** Conflicts, resources, time-outs, locks, a standby that takes no writes yet. */
const PASSING = /^(40|53|57014|55P03|25006|58030)/
/** Data that a column, constraint, view or trigger does not take. */
const REFUSED = /^(22|23|44|P0)/
const CORRUPT = /^XX00[12]/
/** Messages about connections, names, privileges and configuration quote no data. */
const SPEAKS_OF_NO_DATA = /^(08|0A|25|28|3D|3F|40|42|53|55|57|58|XX)/

const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
])
/** The library gives these no code. */
const LOST_TEXT =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Connection ended)/

export function faultKind(error: unknown): FaultKind {
  const { code, message } = error as ServerFault
  if (typeof code === 'string' && SOCKET.has(code)) return 'lost'
  if (typeof code !== 'string' || !SQLSTATE.test(code)) return LOST_TEXT.test(message) ? 'lost' : 'final'
  if (LOST.test(code)) return 'lost'
  if (PASSING.test(code)) return 'passing'
  if (REFUSED.test(code)) return 'refused'
  return CORRUPT.test(code) ? 'corrupt' : 'final'
}

const CODES: Record<FaultKind, DatabaseErrorCode> = {
  passing: 'UNAVAILABLE',
  lost: 'UNAVAILABLE',
  refused: 'INVALID_RECORD',
  corrupt: 'CORRUPT',
  final: 'FAILED',
}

/** The port's error for a fault; one that is it already passes through. `where` names server and database. */
export function asDatabaseError(error: unknown, where: string): DatabaseError {
  if (error instanceof DatabaseError) return error
  return new DatabaseError(CODES[faultKind(error)], `PostgreSQL ${where}: ${faultText(error)}`)
}

export function faultText(error: unknown): string {
  const { code, message, table, column, constraint } = error as ServerFault
  if (typeof code !== 'string' || !SQLSTATE.test(code)) return message || String(code)
  if (SPEAKS_OF_NO_DATA.test(code)) return `${message} (SQLSTATE ${code})`
  const names = Object.entries({ table, column, constraint }).filter(([, name]) => typeof name === 'string')
  return [`SQLSTATE ${code}`, ...names.map(([kind, name]) => `${kind} ${name}`)].join(', ')
}

export const sqlState = (error: unknown): string => String((error as ServerFault).code)
