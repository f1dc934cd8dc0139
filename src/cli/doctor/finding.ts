/** What diagnosis says: one fault or remark in plain words. */

/** Programs may switch on these. */
export type Topic =
  | 'reach'
  | 'chain'
  | 'fork'
  | 'halted'
  | 'doubt'
  | 'quorum'
  | 'silent'
  | 'link'
  | 'lag'
  | 'stuck'
  | 'delivery'
  | 'clock'
  | 'version'
  | 'machine'
  | 'config'
  | 'key'
  | 'data'
  | 'journal'
  | 'disk'
  | 'port'
  | 'peer'

export interface Finding {
  /** A problem makes the exit status 1; a note is worth knowing. */
  readonly severity: 'problem' | 'note'
  readonly topic: Topic
  /** Names of the nodes concerned; empty: the whole network. */
  readonly nodes: readonly string[]
  /** What is wrong and what to do. */
  readonly text: string
}

export const problem = (topic: Topic, nodes: readonly string[], text: string): Finding => ({
  severity: 'problem',
  topic,
  nodes,
  text,
})

export const note = (topic: Topic, nodes: readonly string[], text: string): Finding => ({
  severity: 'note',
  topic,
  nodes,
  text,
})
