/** ethereum-tests TransactionTests under London rules, and BasicTests. */
import t from 'tap'
import { asAddress, fromHex, toHex } from '../../src/core/bytes.js'
import {
  assertChainId,
  decodeTransaction,
  type Transaction,
  TransactionError,
  type UnsignedTransaction,
} from '../../src/core/transaction.js'
import { encodeSigned, signingPayload, signingPayloadOfRaw } from '../../src/core/transactionEncode.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { recoverTransaction, signTransaction } from '../../src/crypto/transaction.js'
import { readVector, skipWithoutVectors, vectorFiles } from '../vectors.js'

interface Outcome {
  readonly exception?: string
  readonly hash?: string
  readonly sender?: string
}
interface TransactionVector {
  readonly txbytes: string
  readonly result: { readonly London?: Outcome }
}
interface SignVector {
  readonly key: string
  readonly nonce: number
  readonly gasprice: number
  readonly startgas: number
  readonly to: string
  readonly value: number
  readonly data: string
  readonly unsigned: string
  readonly signed: string
}

/** The codes with which a fault named by the vectors may be refused. */
const CODES: readonly [exception: RegExp, codes: RegExp][] = [
  [
    /RLP_TOO_FEW|RLP_ERROR|RLP_INVALID_HEADER|RLP_LEADING_ZEROS/,
    /^(MALFORMED|FIELD_COUNT|UNSUPPORTED_TYPE|BAD_SIGNATURE|FIELD_LENGTH)$/,
  ],
  [/RLP_TOO_MANY/, /^FIELD_COUNT$/],
  [/INVALID_CHAINID/, /^(WRONG_CHAIN|BAD_SIGNATURE|HIGH_S|MALFORMED)$/],
  [/INVALID_SIGNATURE_VRS/, /^(BAD_SIGNATURE|HIGH_S|MALFORMED)$/],
  [/EC_RECOVERY_FAIL/, /^BAD_SIGNATURE$/],
  [/ADDRESS_TOO|STORAGE_TOO|RLP_INVALID_TO/, /^(FIELD_LENGTH|MALFORMED)$/],
  [/GASLIMIT_PRICE_PRODUCT_OVERFLOW/, /^FEE_OVERFLOW$/],
  [/PRIORITY_GREATER_THAN/, /^FEE_ORDER$/],
  [/NONCE_TOO_BIG/, /^NONCE_TOO_LARGE$/],
  [/TYPE_NOT_SUPPORTED/, /^(UNSUPPORTED_TYPE|MALFORMED)$/],
  [/_OVERFLOW|RLP_INVALID/, /^(MALFORMED|FEE_OVERFLOW)$/],
]

function accept(raw: Uint8Array) {
  const tx = decodeTransaction(raw)
  if (tx.chainId !== null) assertChainId(tx, 1n)
  return recoverTransaction(tx)
}

t.test('TransactionTests', { skip: skipWithoutVectors }, async (t) => {
  let valid = 0
  let refused = 0
  const decoded: Transaction[] = []
  for (const file of vectorFiles('ethereum-tests/TransactionTests')) {
    for (const [name, vector] of Object.entries(readVector<Record<string, TransactionVector>>(file))) {
      const outcome = vector.result.London
      // How much gas a transaction needs at least is a rule of the virtual machine, not of its form.
      if (outcome === undefined || outcome.exception?.includes('INTRINSIC_GAS')) continue
      const raw = fromHex(vector.txbytes)
      if (outcome.exception === undefined) {
        const tx = accept(raw)
        t.same({ hash: tx.hash, sender: tx.sender }, { hash: outcome.hash, sender: outcome.sender }, name)
        decoded.push(tx)
        valid++
        continue
      }
      const fault = refusal(raw)
      const allowed = CODES.find(([exception]) => exception.test(outcome.exception ?? ''))?.[1] ?? /./
      t.match(fault?.code, allowed, `${name} ${outcome.exception}`)
      refused++
    }
  }
  t.equal(valid, 52)
  t.equal(refused, 154)
  for (const tx of decoded) {
    t.equal(toHex(encodeSigned(tx, tx)), toHex(tx.raw), 'encodes to the same bytes')
    t.equal(toHex(signingPayload(tx)), toHex(signingPayloadOfRaw(tx)), 'payload cut from raw equals payload encoded')
  }
})

function refusal(raw: Uint8Array): TransactionError | undefined {
  try {
    accept(raw)
    return undefined
  } catch (error) {
    if (error instanceof TransactionError) return error
    throw error
  }
}

t.test('BasicTests', { skip: skipWithoutVectors }, async (t) => {
  const keys = readVector<{ key: string; addr: string }[]>('ethereum-tests/BasicTests/keyaddrtest.json')
  for (const { key, addr } of keys) t.equal(privateKeyToAddress(fromHex(`0x${key}`)), `0x${addr}`)
  for (const vector of readVector<SignVector[]>('ethereum-tests/BasicTests/txtest.json')) {
    const key = fromHex(`0x${vector.key}`)
    const signed = fromHex(`0x${vector.signed}`)
    const again = signTransaction(unsignedOf(vector), key)
    t.equal(again.sender, privateKeyToAddress(key))
    const fault = refusal(signed)
    if (fault === undefined) t.same(accept(signed), again, 'same deterministic signature')
    else t.equal(fault.code, 'HIGH_S', 'signed before EIP-2')
  }
})

function unsignedOf(vector: SignVector): UnsignedTransaction {
  return {
    type: 0,
    chainId: null,
    nonce: BigInt(vector.nonce),
    gasPrice: BigInt(vector.gasprice),
    maxPriorityFeePerGas: BigInt(vector.gasprice),
    gasLimit: BigInt(vector.startgas),
    to: vector.to === '' ? null : asAddress(`0x${vector.to}`),
    value: BigInt(vector.value),
    data: fromHex(`0x${vector.data}`),
    accessList: [],
  }
}
