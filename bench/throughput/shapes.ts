/** Submissions that are measured, and what rows call them. */
import { ENVELOPE_BYTES, type SubmissionShape } from '../testbed/submissions.js'

/** As an enterprise of Table 2 sends them: each of three departments gets its part. */
export const FULL_SUBMISSION: SubmissionShape = { departments: 3, envelopeBytes: ENVELOPE_BYTES }
export const SHORT_SUBMISSION: SubmissionShape = { departments: 1, envelopeBytes: ENVELOPE_BYTES }

export const submissionsTo = ({ departments }: SubmissionShape, nodes: number): string =>
  `submissions to ${departments === 1 ? '1 department' : `${departments} departments`}, ${nodes} nodes`
