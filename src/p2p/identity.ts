/** One key, three names: secp256k1 key, libp2p peer id, Ethereum address; and the multiaddrs that carry a peer id. */

import { isIPv4, isIPv6 } from 'node:net'
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, toAddress } from '../core/bytes.js'
import { NetworkError } from './network.js'

/** libp2p's form of a 32-byte secp256k1 private key. */
export function libp2pKeyOf(privateKey: Uint8Array): PrivateKey {
  if (privateKey.length !== 32 || !secp256k1.utils.isValidSecretKey(privateKey)) {
    throw new NetworkError('ADDRESS_INVALID', 'privateKey must be a secp256k1 private key of 32 bytes')
  }
  return privateKeyFromRaw(privateKey)
}

/** Ethereum address of a secp256k1 public key in any SEC 1 form. */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  const uncompressed = secp256k1.Point.fromBytes(publicKey).toBytes(false)
  return toAddress(keccak_256(uncompressed.subarray(1)).subarray(12))
}

/** Address of a 32-byte private key. */
export function addressOfPrivateKey(privateKey: Uint8Array): Address {
  return addressOfPublicKey(libp2pKeyOf(privateKey).publicKey.raw)
}

/** Address behind a peer id; undefined when its key is not secp256k1. */
export function addressOfPeer(peer: PeerId): Address | undefined {
  if (peer.type !== 'secp256k1') return undefined
  return addressOfPublicKey(peer.publicKey.raw)
}

/** Peer id (base58btc, `16Uiu2H…`) of a secp256k1 key: 32 bytes are a private, 33 or 65 a public key. */
export function peerIdOf(key: Uint8Array): string {
  if (key.length === 32) return peerIdFromPublicKey(libp2pKeyOf(key).publicKey).toString()
  return peerIdFromPublicKey(publicKeyFromRaw(secp256k1.Point.fromBytes(key).toBytes(true))).toString()
}

/** Where others reach a node: `/ip4/127.0.0.1/tcp/7000/p2p/16Uiu2H…`; `host` is an IPv4, IPv6 or DNS name, `key` as in peerIdOf. */
export function nodeMultiaddr(host: string, port: number, key: Uint8Array): string {
  return `${listenMultiaddr(host, port)}/p2p/${peerIdOf(key)}`
}

const DNS_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$/

/** Where a node listens: `/ip4/127.0.0.1/tcp/7000`. Port 0 lets the system choose. */
export function listenMultiaddr(host: string, port: number): string {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new NetworkError('ADDRESS_INVALID', `port must be an integer from 0 to 65535, got ${port}`)
  }
  if (isIPv4(host)) return `/ip4/${host}/tcp/${port}`
  if (isIPv6(host)) return `/ip6/${host}/tcp/${port}`
  if (DNS_NAME.test(host)) return `/dns/${host}/tcp/${port}`
  throw new NetworkError('ADDRESS_INVALID', 'host must be an IPv4 or IPv6 address or a DNS name')
}

export interface PeerAddress {
  readonly address: Address
  readonly multiaddr: Multiaddr
}

/** Checks a peer's multiaddr from configuration. Throws NetworkError ADDRESS_INVALID that says what is wrong. */
export function parsePeerMultiaddr(text: string): PeerAddress {
  const parsed = parseMultiaddr(text)
  const id = parsed.getComponents().findLast((component) => component.code === CODE_P2P)?.value
  if (id === undefined) throw invalid(text, 'add /p2p/ and the peer id, which `network create` prints')
  const address = addressOfPeerId(text, id)
  return { address, multiaddr: parsed }
}

/** Checks a multiaddr to listen on. */
export function parseListenMultiaddr(text: string): Multiaddr {
  return parseMultiaddr(text)
}

function parseMultiaddr(text: string): Multiaddr {
  if (text.length > 512) throw invalid(text.slice(0, 80), 'it is longer than 512 characters')
  try {
    const parsed = multiaddr(text)
    if (parsed.getComponents().some((component) => component.name === 'tcp')) return parsed
  } catch (error) {
    throw invalid(text, (error as Error).message)
  }
  throw invalid(text, 'only TCP is supported: write /ip4/<address>/tcp/<port>')
}

function addressOfPeerId(text: string, id: string): Address {
  let address: Address | undefined
  try {
    address = addressOfPeer(peerIdFromString(id))
  } catch (error) {
    throw invalid(text, (error as Error).message)
  }
  if (address === undefined) throw invalid(text, 'the peer id is not that of a secp256k1 key')
  return address
}

function invalid(text: string, why: string): NetworkError {
  return new NetworkError('ADDRESS_INVALID', `multiaddr ${text} cannot be used: ${why}`)
}
