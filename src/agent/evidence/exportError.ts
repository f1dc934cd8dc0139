import { CodedError } from '../../core/codedError.js'

/** Why there is nothing to export. */
export class ExportError extends CodedError<'NOT_FOUND' | 'NOT_CERTIFIED'> {}
