/** Trust nobody but the sealers: a transaction's block is final, and this is what the state said there. */
import {
  connect,
  contractAddresses,
  readChainIdentity,
  readFinalityProof,
  readSealerSet,
  verifyFinality,
  verifyProof,
  waitForFinality,
} from 'concordat/client'
import { type Hex, type Transport, toHex } from 'viem'
import { getProof } from 'viem/actions'

export async function prove(transport: Transport, transaction: Hex, say: (line: string) => void) {
  const reader = await connect({ transport })
  // A receipt is enough for who trusts the node: blocks are final at once, there is nothing to wait for behind it.
  const { receipt, certificate } = await waitForFinality(reader, transaction)
  const block = Number(receipt.blockNumber)
  say(`final in block ${block}, signed by ${certificate.signers.length} sealers`)

  // Who does not trust it takes the sealers and the genesis hash from somebody else, and checks the signatures.
  const sealers = await readSealerSet(reader, block)
  const chain = await readChainIdentity(reader)
  const header = verifyFinality(await readFinalityProof(reader, block), sealers, chain)
  const request = {
    address: contractAddresses.members,
    storageKeys: [toHex(0, { size: 32 })],
    blockNumber: BigInt(block),
  }
  const proof = await getProof(reader.viem, request)
  const { account, storage } = verifyProof(header.stateRoot, proof)
  say(
    `the register of members is ${account === null ? 'not there' : 'there'}, its first word is ${[...storage.values()][0]}`,
  )
  reader.close()
}
