/** What can be wrong with a declaration: a code, the place and what to change; many faults are reported together. */
import { CodedError } from '../../core/codedError.js'
import { declarationFaultsMax } from '../../core/limits.js'

export type DeclarationErrorCode =
  | 'UNREADABLE'
  | 'TOO_LARGE'
  | 'NOT_UTF8'
  | 'UNKNOWN_FORMAT'
  | 'NOT_JSON'
  | 'NOT_CSV'
  | 'INVALID_FIELD'
  | 'DUPLICATE_FIELD'
  | 'NO_ENTERPRISE'
  | 'BAD_ENCODING'
  | 'BAD_ARCHIVE'
  | 'ENCRYPTED'
  | 'UNSAFE_PATH'
  | 'NOT_LISTED'
  | 'MISSING_FILE'
  | 'NO_TEMPLATE'
  | 'BAD_TEMPLATE'
  | 'BAD_WORKBOOK'
  | 'BAD_XML'
  | 'CELL_UNUSABLE'
  | 'HIDDEN'
  | 'NOT_FOUND'
  | 'AMBIGUOUS'
  | 'CONFLICT'
  | 'NOT_CONVERTIBLE'
  | 'FAULTY'

/** `row` counts from 1; `field` is a column, a JSON pointer, an attribute or a property. */
export interface Place {
  readonly file: string
  readonly sheet?: string | undefined
  readonly row?: number | undefined
  readonly field?: string | undefined
}

/** `forms.xlsx, sheet Staff, row 3, field B` */
export function placeText({ file, sheet, row, field }: Place): string {
  return [file, sheet && `sheet ${sheet}`, row && `row ${row}`, field && `field ${field}`].filter(Boolean).join(', ')
}

/** Of several faults, the message has the first ones and `faults` all that were collected. */
export class DeclarationError extends CodedError<DeclarationErrorCode> {
  readonly file: string
  readonly sheet: string | undefined
  readonly row: number | undefined
  readonly field: string | undefined
  readonly faults: readonly DeclarationError[]

  constructor(code: DeclarationErrorCode, problem: string, at: Place, faults: readonly DeclarationError[] = []) {
    super(code, `${placeText(at)}: ${problem}`)
    this.file = at.file
    this.sheet = at.sheet
    this.row = at.row
    this.field = at.field
    this.faults = faults
  }
}

/** Collects faults, so that a clerk mends them in one go. */
export class FaultList {
  readonly #faults: DeclarationError[] = []
  readonly #file: string

  /** `file` is what the faults are about as a whole. */
  constructor(file: string) {
    this.#file = file
  }

  get count(): number {
    return this.#faults.length
  }

  /** Throws all when there is no room for more. */
  add(code: DeclarationErrorCode, problem: string, at: Place): void {
    this.#faults.push(new DeclarationError(code, problem, at))
    if (this.#faults.length >= declarationFaultsMax) this.throwAny()
  }

  /** What `read` gives; undefined when it throws a DeclarationError, which is collected. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof DeclarationError) || error.code === 'FAULTY') throw error
      this.#faults.push(error)
      if (this.#faults.length >= declarationFaultsMax) this.throwAny()
      return undefined
    }
  }

  /** Throws the only fault as it is, or one error for all of them. */
  throwAny(): void {
    const [first, second] = this.#faults
    if (first === undefined) return
    if (second === undefined) throw first
    const lines = this.#faults.map(({ message }) => `\n- ${message}`).join('')
    const end = this.#faults.length >= declarationFaultsMax ? '\n- (more may follow once these are mended)' : ''
    const problem = `${this.#faults.length} faults:${lines}${end}`
    throw new DeclarationError('FAULTY', problem, { file: this.#file }, this.#faults)
  }
}
