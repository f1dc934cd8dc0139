/** What a native contract is, and what it sees of the world. Handlers are synchronous and deterministic: state comes from the host alone. */
import type { Abi } from 'viem'
import { type Address, concatBytes, type Hash, type Height, toHex, utf8 } from '../core/bytes.js'
import { type ContractAbi, encodeOutputs, type FunctionCodec } from './abi.js'
import { decodeTuple } from './abiCodec.js'
import { AbiError } from './abiReader.js'
import type {
  ErrorArgs,
  ErrorName,
  EventArgs,
  EventName,
  FunctionArgs,
  FunctionName,
  FunctionResult,
  HumanAbi,
} from './abiTypes.js'
import { GAS_WORD } from './gas.js'
import { erc165Interface, interfaceId } from './interfaceId.js'

export interface BlockContext {
  readonly number: Height
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly chainId: bigint
  /** With the chain id: what votes of this chain are bound to. */
  readonly genesisHash: Hash
  readonly sealer: Address
  /** Of the block, in gas; below 2^53. */
  readonly gasLimit: bigint
}

export interface ContractHost {
  readonly self: Address
  /** Account or contract that made this call. */
  readonly caller: Address
  /** Sender of the transaction. */
  readonly origin: Address
  /** In wei; has been transferred already. */
  readonly value: bigint
  /** True where state must not change. */
  readonly static: boolean
  readonly block: BlockContext
  /** Own storage word; ZERO_HASH when unset. */
  load(slot: Hash): Hash
  /** Storage word of another system contract: these trust each other's layout, and reading it skips two ABI codings. */
  loadFrom(contract: Address, slot: Hash): Hash
  /** Reverts in a static call. */
  store(slot: Hash, word: Hash): void
  /** Reverts in a static call. */
  emit(topics: readonly Hash[], data: Uint8Array): void
  /** Calls a contract without value and returns its output; its revert propagates as ContractRevert. */
  call(to: Address, input: Uint8Array): Uint8Array
  staticCall(to: Address, input: Uint8Array): Uint8Array
  /** Digest of 32 bytes. */
  keccak(bytes: Uint8Array): Uint8Array
  /** Signer of a digest of 32 bytes; null when the signature (65 bytes: r, s, yParity) fits no key or has a high s. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null
  /** Charges for computation, in gas. */
  charge(gas: number): void
}

/** Ends a call without effect. `data` is an ABI-encoded error. */
export class ContractRevert extends Error {
  override readonly name = 'ContractRevert'
  constructor(
    readonly data: Uint8Array,
    message: string,
  ) {
    super(message)
  }
}

export interface NativeContract {
  readonly name: string
  readonly address: Address
  /** What eth_getCode answers: 0xef (never valid EVM code, EIP-3541) and `concordat:<name>:<version>`. */
  readonly code: Uint8Array
  readonly abi: Abi
  /** Runs the function that `input` selects; throws ContractRevert. */
  run(host: ContractHost, input: Uint8Array): Uint8Array
}

/** System contracts by address. */
export type ContractRegistry = ReadonlyMap<Address, NativeContract>

/** A handler for each function of the ABI. */
export type Handlers<H extends HumanAbi> = {
  readonly [N in FunctionName<H>]: (host: ContractHost, args: FunctionArgs<H, N>) => FunctionResult<H, N>
}

export interface ContractDefinition<H extends HumanAbi> {
  readonly name: string
  /** Of the contract's behaviour, from 1; part of its code and so of the state root. */
  readonly version: number
  readonly address: Address
  readonly abi: ContractAbi<H>
  readonly functions: Handlers<H>
}

type AnyHandler = (host: ContractHost, args: Record<string, unknown>) => unknown

/** Every contract answers ERC-165's supportsInterface too, for its own functions taken together and for ERC-165 itself. */
export function defineContract<const H extends HumanAbi>(definition: ContractDefinition<H>): NativeContract {
  const { name, version, address, abi } = definition
  const interfaceIds: ReadonlySet<unknown> = new Set([interfaceId(abi), interfaceId(erc165Interface)])
  const handlers = new Map<FunctionCodec, AnyHandler>([
    [erc165Interface.functionCodec('supportsInterface'), (_host, { interfaceId }) => interfaceIds.has(interfaceId)],
  ])
  for (const [functionName, handler] of Object.entries(definition.functions)) {
    handlers.set(abi.functionCodec(functionName), handler as AnyHandler)
  }
  return {
    name,
    address,
    code: concatBytes(Uint8Array.of(0xef), utf8(`concordat:${name}:${version}`)),
    abi: abi.json,
    run(host, input) {
      const codec = abi.select(input) ?? erc165Interface.select(input)
      const handler = codec && handlers.get(codec)
      if (handler === undefined) throw revertText(abi, `${name} has no function ${toHex(input.subarray(0, 4))}`)
      if (host.value !== 0n) throw revertText(abi, `${name}.${codec!.name} takes no value`)
      host.charge(GAS_WORD * (input.length >> 5))
      const output = encodeOutputs(codec!, handler(host, decodeArguments(abi, codec!, input)))
      host.charge(GAS_WORD * (output.length >> 5))
      return output
    },
  }
}

/** A custom error of the ABI, to be thrown. */
export function revert<const H extends HumanAbi, N extends ErrorName<H>>(
  abi: ContractAbi<H>,
  name: N,
  args: ErrorArgs<H, N>,
): ContractRevert {
  return new ContractRevert(abi.encodeError(name, args), name)
}

/** Solidity's `Error(string)`, for faults that no custom error names. */
export function revertText<const H extends HumanAbi>(abi: ContractAbi<H>, message: string): ContractRevert {
  return new ContractRevert(abi.encodeError('Error', { message }), message)
}

export function emit<const H extends HumanAbi, N extends EventName<H>>(
  host: ContractHost,
  abi: ContractAbi<H>,
  name: N,
  args: EventArgs<H, N>,
): void {
  const { topics, data } = abi.encodeEvent(name, args)
  host.emit(topics, data)
}

function decodeArguments<const H extends HumanAbi>(
  abi: ContractAbi<H>,
  codec: FunctionCodec,
  input: Uint8Array,
): Record<string, unknown> {
  try {
    return decodeTuple(codec.inputs, input.subarray(4))
  } catch (error) {
    if (error instanceof AbiError) throw revertText(abi, `${codec.name}: ${error.message}`)
    throw error
  }
}
