/** What plain JavaScript may leave out or get wrong, where types cannot say it. */
import { ClientError } from './clientError.js'

/** `name`: of the argument. Throws ClientError ARGUMENT unless it has a credit code and values, all of them text. Values are not shown. */
export function requireValues(name: string, given: unknown): void {
  if (!isRecord(given)) throw wrong(`${name} must be an object like { creditCode, values }`)
  const { creditCode, values } = given
  if (typeof creditCode !== 'string') throw wrong(`${name}.creditCode must be text: the unified social credit code`)
  if (!isRecord(values))
    throw wrong(`${name}.values must be an object like { employees: '42' }: attribute -> value as text`)
  const other = Object.keys(values).find((attribute) => typeof values[attribute] !== 'string')
  if (other !== undefined) {
    throw wrong(`${name}.values.${other} must be text, such as '42': numbers have more than one spelling`)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrong = (message: string): ClientError => new ClientError('ARGUMENT', message)
