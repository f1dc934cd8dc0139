/** Inputs of the core in one readable line. */
import type { Input } from '../consensus/types.js'

export function describeInput(input: Input): string {
  if (input.type !== 'message')
    return input.type === 'verified'
      ? `verified ${input.hash.slice(-6)} ${input.verdict.ok}`
      : input.type === 'demand'
        ? `demand ${input.wanted}`
        : input.type
  const { message, from } = input
  const what =
    message.type === 'vote'
      ? `${message.vote.kind} ${message.vote.view} ${message.vote.block.slice(-6)} by ${message.vote.signer.slice(-2)}`
      : message.type === 'certificate'
        ? `${message.certificate.kind} ${message.certificate.view}`
        : message.type === 'proposal'
          ? `view ${message.vote.view} ${message.block.hash.slice(-6)} on ${message.parentView}`
          : message.type === 'status'
            ? `epoch ${message.epoch} view ${message.view} final ${message.finalHeight}/${message.finalView}`
            : ''
  return `<- ${from.slice(-2)} ${message.type} ${what}`
}
