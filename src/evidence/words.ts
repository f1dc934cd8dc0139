/** What a file proves, in plain sentences. Every name and number was derived from what the proof binds. */
import type { Exchange, ExchangeItem } from './exchange.js'
import { type Answer, type Member, type Rule, text } from './layout.js'
import type { EvidenceReport, Portrait, ProvedBlock } from './verify.js'

type Facts = Omit<EvidenceReport, 'words'>

const MEANING = {
  unanswered: 'no answer',
  exists: 'a value is on record, and the declared one differs from it',
  missing: 'no record of it',
  vacant: 'the record is empty there',
  refused: 'no answer is given (refused)',
} as const

const said = ({ existence, confirmed }: Answer): string =>
  confirmed ? 'the declared value is right' : MEANING[existence]
const name = ({ id, role, account }: Member): string => `${id} (${role}, ${account})`
const list = (items: readonly string[]): string => items.join(', ')

export function inWords(facts: Facts): string[] {
  const when = (number: number): string => {
    const block = facts.blocks.find((one) => one.number === number)
    return block === undefined ? `in block ${number}` : `on ${block.time} (block ${number})`
  }
  return [...contentWords(facts, when), ...facts.blocks.map(finalityWords), ...timeWords(facts), originWords(facts)]
}

function contentWords({ content, state }: Facts, when: (block: number) => string): string[] {
  if (content.kind === 'exchange') return exchangeWords(content, state!, when)
  if (content.kind === 'portrait') return portraitWords(content, state!, when)
  const { hash, signer, to, block, index, succeeded } = content.transaction
  const effect = succeeded ? 'it succeeded' : 'it was refused and changed nothing'
  return [
    `${signer} signed transaction ${hash} to ${to ?? 'nobody'}; carried out as number ${index} ${when(block)}; ${effect}`,
  ]
}

function exchangeWords(exchange: Exchange, state: number, when: (block: number) => string): string[] {
  const { requester, enterprise, purpose, basis, deadline, items, requestId, question } = exchange
  const because =
    basis === null ? '' : `, on the basis of ${exchange.consent === null ? text(basis) : `consent ${basis}`}`
  const until = deadline === 0 ? '' : `, to be answered up to block ${deadline}`
  return [
    `${name(requester)} asked question ${requestId} about enterprise ${text(enterprise)} ${when(question.block)} for the purpose ${text(purpose)}${because}${until}; transaction ${question.hash} is signed by ${question.signer}`,
    ...items.flatMap((item) => itemWords(item, state, when)),
  ]
}

function itemWords(item: ExchangeItem, state: number, when: (block: number) => string): string[] {
  const attribute = text(item.attribute)
  const given = item.given.map(({ by, transaction, standing, ...answer }) => {
    const counts = standing === 'given' ? '' : ` (${standing}, does not count)`
    return `${name(by)} answered ${when(transaction.block)} that on ${attribute}: ${said(answer)}${counts}; transaction ${transaction.hash} is signed by ${transaction.signer}`
  })
  const open = item.unanswered.map((by) => `${name(by)} has not answered on ${attribute} by block ${state}`)
  const outcome =
    item.answeredAt === 0
      ? `${attribute} with digest ${item.digest} is not answered by enough of them by block ${state}`
      : `${attribute} with digest ${item.digest} is answered since block ${item.answeredAt}: ${said(item)}`
  return [ruleWords(attribute, item.rule), ...given, ...open, outcome]
}

function ruleWords(attribute: string, { from, quorum, supervisors, basis, schemaVersion }: Rule): string {
  const asked = quorum === 'all' || quorum === 'any' ? quorum : quorum === 'credit' ? 'a majority by credit' : quorum
  return `rule of ${attribute} since block ${from} (schema ${schemaVersion}): answers of ${asked} of ${list(supervisors.map(name))}; basis: ${basis}`
}

function portraitWords(portrait: Portrait, state: number, when: (block: number) => string): string[] {
  const attribute = text(portrait.attribute)
  const entries = portrait.entries.map((entry) => {
    const against = entry.objection === 0 ? '' : `; objection ${entry.objection} stands against it`
    const until = entry.validUntil === 0 ? '' : `, valid up to block ${entry.validUntil}`
    const valid = entry.isValid ? '' : '; it answers no more questions'
    return `${list(entry.attesters.map(name))} attested in block ${entry.height} that on ${attribute}, declared with digest ${entry.digest}: ${said(entry)}${until}${against}${valid}`
  })
  return [
    `the portrait of enterprise ${text(portrait.enterprise)} stood as follows ${when(state)}`,
    ...entries,
    ruleWords(attribute, portrait.rule),
  ]
}

function finalityWords({ number, hash, time, sealer, epoch, finality }: ProvedBlock): string {
  const { block, signers, weight, weightTotal } = finality
  const through = block === number ? '' : ` through block ${block}, which follows it`
  return `block ${number} (${hash}), sealed by ${sealer} at ${time} by its clock, is final${through}: ${signers.length} sealers of epoch ${epoch} with weight ${weight} of ${weightTotal} signed it: ${list(signers)}`
}

function timeWords({ timeStamp, last }: Facts): string[] {
  if (timeStamp === null) return []
  const { authority, time, isTrusted } = timeStamp
  const chain = isTrusted
    ? 'its certificate leads to an authority that you trust'
    : 'WHO THAT IS WAS NOT CHECKED: name the authorities that you trust'
  return [`time attested by ${authority}: block ${last.number} (${last.hash}) was there at ${time}; ${chain}`]
}

function originWords({ chainId, genesisHash, sets }: Facts): string {
  const through =
    sets.length === 1 ? 'its first sealers' : `${sets.length} sealer sets, each certified by the one before`
  return `all of it on chain ${chainId} with genesis ${genesisHash}, through ${through}`
}
