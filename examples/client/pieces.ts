/** Small things alone: names as the chain writes them, keys, the file of a declaration, evidence. */
import {
  asAddress,
  asHash,
  attributeId,
  consentIdOf,
  declarationFile,
  EvidenceError,
  encryptionKeyFromPrivate,
  generateEncryptionKey,
  idText,
  memoryPortraitKeyStore,
  portraitKeysOver,
  textId,
  verifyEvidence,
} from 'concordat/client'
import { zeroHash } from 'viem'

export async function pieces(evidenceFile: string, genesisHash: string, say: (line: string) => void) {
  // Attributes, purposes and members are named by words of 32 bytes.
  say(`${idText(attributeId('employees'))} is ${attributeId('employees')} on chain`)

  // A department's encryption key: the public half goes on chain, the private one stays.
  const { publicKey, privateKey } = generateEncryptionKey()
  say(`${encryptionKeyFromPrivate(privateKey).publicKey.length === publicKey.length ? 'one' : 'another'} key pair`)

  // An enterprise's portrait keys. The store that keeps them is two functions: see PortraitKeyStore.
  const keys = portraitKeysOver(memoryPortraitKeyStore())
  const enterpriseId = textId('91440300708461136T')
  say(`portrait version ${(await keys.current(enterpriseId, 0)).version}`)
  say(declarationFile({ creditCode: '91440300708461136T', values: { employees: '120' } }))

  // What a consent is called is a hash of what it says.
  const consent = {
    requester: asAddress('0x00000000000000000000000000000000000000AA'),
    enterpriseId,
    attributes: [attributeId('employees')],
    purpose: textId('policy-declaration'),
    notAfter: 4_102_444_799n,
    uses: 1,
    salt: asHash(zeroHash),
  }
  say(`consent ${consentIdOf(20261, consent)}`)

  // An evidence file proves itself to whoever knows the hash of block 0.
  try {
    const { blocks } = await verifyEvidence(evidenceFile, { genesisHash })
    say(`the file holds, by ${blocks.length} blocks`)
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    say(`the file does not hold: ${error.code}`)
  }
}
