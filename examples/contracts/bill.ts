/**
 * Contract `credentials`: the life of an electronic bill. The finance department issues it to an enterprise, which hands it to
 * the institution that pays; that institution uses it up, and nobody can be paid for it again.
 */
import { createHash, randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { ContractRevert, CREDENTIAL_STATE, contracts, type Hash, textId, transact } from '../../src/index.js'
import { type Desk, onNetwork } from './network.js'

const { credentials, view } = contracts

export async function bill(desk: Desk, say: (line: string) => void): Promise<void> {
  const issuer = await desk.member('finance')
  const payer = await desk.member('government-service')
  const payee = await desk.enterprise('Birch Logistics', 'birch-logistics')
  const typeId = textId('fiscal-bill')
  await transact(issuer, credentials, 'defineType', { typeId, transferable: true, name: 'Fiscal bill' })

  const content = JSON.stringify({ number: '00042', amount: '318.00', secret: randomBytes(16).toString('hex') })
  const contentHash = `0x${createHash('sha256').update(content).digest('hex')}` as Hash
  const id = textId('bill-00042')
  const times = { validFrom: 0n, validUntil: 0n }
  const issue = { id, typeId, holder: payee.sender.address, subject: textId('birch-logistics'), contentHash, ...times }
  const { block } = await transact(issuer, credentials, 'issue', issue)
  say(`issued in block ${block}`)

  await transact(payee, credentials, 'transfer', { id, to: payer.sender.address })
  const { valid } = await view(payer.client, credentials, 'verifyCredential', { id, contentHash })
  say(`the payer has it and checks what it was given: ${valid ? 'valid' : 'not valid'}`)

  await transact(payer, credentials, 'redeem', { id, reason: textId('payment-7713') })
  const { state } = await view(payer.client, credentials, 'credentialOf', { id })
  say(`paid: ${state === CREDENTIAL_STATE.redeemed ? 'redeemed' : 'not redeemed'}`)
  try {
    await transact(payer, credentials, 'redeem', { id, reason: textId('payment-7714') })
    say('paid twice!')
  } catch (error) {
    if (!(error instanceof ContractRevert)) throw error
    say(`a second time: refused (${error.error})`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await onNetwork(bill)
