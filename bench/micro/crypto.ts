/** Ratios of the crypto and codec hot paths, both sides printed: `node dist/bench/micro/crypto.js`. */
import { RLP } from '@ethereumjs/rlp'
import { parseTransaction, serializeTransaction } from 'viem'
import { toHex } from '../../src/core/bytes.js'
import { rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { decodeTransaction, type UnsignedTransaction } from '../../src/core/transaction.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import { openEnvelope, sealEnvelope } from '../../src/crypto/envelope.js'
import { keccak, keccak256, nobleKeccak } from '../../src/crypto/keccak.js'
import { nobleSecp256k1, secp256k1 } from '../../src/crypto/secp256k1.js'
import { recoverTransaction, signTransaction } from '../../src/crypto/transaction.js'

const WARM_UP_MS = 100
const MEASURE_MS = 300

/** Microseconds for one call: the best of five runs, since other load only ever adds. */
function microseconds(call: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  repeatFor(WARM_UP_MS, call)
  for (let run = 0; run < 5; run++) best = Math.min(best, repeatFor(MEASURE_MS / 5, call))
  return best
}

function repeatFor(ms: number, call: () => unknown): number {
  const from = performance.now()
  let calls = 0
  let now = from
  for (let batch = 1; now - from < ms; batch = Math.min(2 * batch, 256)) {
    for (let i = 0; i < batch; i++) call()
    calls += batch
    now = performance.now()
  }
  return ((now - from) * 1000) / calls
}

function compare(what: string, ours: readonly [string, () => unknown], theirs: readonly [string, () => unknown]): void {
  const [a, b] = [microseconds(ours[1]), microseconds(theirs[1])]
  const sides = `${ours[0]} ${a.toFixed(2)} us, ${theirs[0]} ${b.toFixed(2)} us`
  console.log(`${what.padEnd(34)} ${(b / a).toFixed(1).padStart(6)} times   ${sides}`)
}

const key = new Uint8Array(32).fill(7)
const digest = new Uint8Array(32).fill(9)
const signature = secp256k1.sign(digest, key)

for (const length of [32, 64, 136, 200, 500]) {
  const bytes = new Uint8Array(length).fill(5)
  compare(
    `keccak256 of ${length} B`,
    [keccak.name, () => keccak256(bytes)],
    ['noble', () => nobleKeccak.keccak256(bytes)],
  )
}
compare(
  'recover',
  [secp256k1.name, () => secp256k1.recover(digest, signature)],
  ['noble', () => nobleSecp256k1.recover(digest, signature)],
)
compare('sign', [secp256k1.name, () => secp256k1.sign(digest, key)], ['noble', () => nobleSecp256k1.sign(digest, key)])

const unsigned: UnsignedTransaction = {
  type: 2,
  chainId: 20260n,
  nonce: 7n,
  gasPrice: 0n,
  maxPriorityFeePerGas: 0n,
  gasLimit: 1_000_000n,
  to: '0x0000000000000000000000000000000000c0de03' as UnsignedTransaction['to'],
  value: 0n,
  data: new Uint8Array(1200).fill(3),
  accessList: [],
}
const { raw } = signTransaction(unsigned, key)
const hex = toHex(raw) as `0x02${string}`
const typed = raw.subarray(1)
const item = rlpDecode(typed)
compare('RLP decode, transaction', ['ours', () => rlpDecode(typed)], ['@ethereumjs/rlp', () => RLP.decode(typed)])
compare(
  'RLP encode, transaction',
  ['ours', () => rlpEncode(item)],
  ['@ethereumjs/rlp', () => RLP.encode(item as never)],
)
compare('decode transaction', ['ours', () => decodeTransaction(raw)], ['viem', () => parseTransaction(hex)])
compare(
  'encode and sign transaction',
  ['ours', () => signTransaction(unsigned, key)],
  ['viem, encode only', () => serializeTransaction(parseTransaction(hex))],
)

const recover = microseconds(() => secp256k1.recover(digest, signature))
const whole = microseconds(() => recoverTransaction(decodeTransaction(raw)))
console.log(
  `decode + hash + sender of a transaction of ${raw.length} B: ${whole.toFixed(2)} us = ${(whole / recover).toFixed(2)} recovers`,
)

const recipients = [generateEncryptionKey(), generateEncryptionKey(), generateEncryptionKey()]
const sealing = { recipients, plaintext: new Uint8Array(500), info: digest, aad: digest }
const envelope = sealEnvelope(sealing)
const privateKey = recipients[2]?.privateKey ?? key
const sealUs = microseconds(() => sealEnvelope(sealing))
const openUs = microseconds(() => openEnvelope({ envelope, privateKey, info: digest, aad: digest }))
console.log(`envelope of 500 B: seal for 3 recipients ${sealUs.toFixed(0)} us, open ${openUs.toFixed(0)} us`)
