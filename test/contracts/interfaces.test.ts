/** What Ethereum's tools need of the contracts beside their functions: ERC-165, and ABIs that viem and ethers read alike. */
import { readFileSync } from 'node:fs'
import { Interface } from 'ethers'
import t from 'tap'
import { type Abi, encodeFunctionData, type Hex, parseAbi, toFunctionSelector } from 'viem'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { type Address, fromHex, toHex, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { callContract } from '../../src/vm/call.js'
import { World } from './world.js'

const ERC165_ID = '0x01ffc9a7'
const erc165 = parseAbi(['function supportsInterface(bytes4 interfaceId) view returns (bool)'])
const names = Object.keys(CONTRACT_ADDRESSES) as (keyof typeof CONTRACT_ADDRESSES)[]
const world = new World()

const published = (name: string) => JSON.parse(readFileSync(`abi/${name}.json`, 'utf8')) as Abi

function call(to: Address, data: Hex, value = 0n) {
  const request = { from: ZERO_ADDRESS, to, data: fromHex(data), value, gas: undefined }
  return callContract(world.state, world.block, request, systemContracts)
}

function supports(to: Address, interfaceId: Hex): boolean {
  const outcome = call(to, encodeFunctionData({ abi: erc165, functionName: 'supportsInterface', args: [interfaceId] }))
  if (!outcome.ok) throw new Error('supportsInterface failed')
  t.ok(outcome.gasUsed < 21_000n + 30_000n, 'ERC-165 allows 30,000 gas')
  return BigInt(toHex(outcome.returnData)) === 1n
}

/** By viem, from the published ABI. */
function idOf(name: string): Hex {
  const selectors = published(name).flatMap((item) => (item.type === 'function' ? [toFunctionSelector(item)] : []))
  const own = selectors.filter((selector) => selector !== ERC165_ID)
  t.equal(own.length, selectors.length - 1, `${name} publishes supportsInterface`)
  const id = own.reduce((sum, selector) => sum ^ Number(selector), 0) >>> 0
  return `0x${id.toString(16).padStart(8, '0')}`
}

t.test('ERC-165: each contract says which interface it has', async (t) => {
  const ids = new Map(names.map((name) => [name, idOf(name)]))
  t.equal(new Set(ids.values()).size, names.length, 'each has its own')
  for (const name of names) {
    const address = CONTRACT_ADDRESSES[name]
    t.ok(supports(address, ERC165_ID), `${name} knows ERC-165`)
    t.notOk(supports(address, '0xffffffff'), 'as the standard wants')
    for (const [other, id] of ids) t.equal(supports(address, id), other === name, `${name} and the id of ${other}`)
  }
})

t.test('supportsInterface is strict, as other functions are', async (t) => {
  const { members } = CONTRACT_ADDRESSES
  const valid = encodeFunctionData({ abi: erc165, functionName: 'supportsInterface', args: [ERC165_ID] })
  t.match(call(members, valid), { ok: true })
  for (const data of [ERC165_ID, `${valid}00`, `${valid.slice(0, -1)}1`] as Hex[]) {
    t.match(call(members, data), { ok: false, code: 'REVERTED' }, data)
  }
})

t.test('viem and ethers read the published ABIs alike: selectors, topics, errors', async (t) => {
  for (const name of names) {
    const abi = published(name)
    const ethers = new Interface(JSON.stringify(abi))
    for (const item of abi) {
      if (item.type === 'function') t.equal(ethers.getFunction(item.name)?.selector, toFunctionSelector(item))
      if (item.type === 'event') t.ok(ethers.getEvent(item.name)?.topicHash, `${name}.${item.name}`)
      if (item.type === 'error') t.ok(ethers.getError(item.name)?.selector, `${name}.${item.name}`)
    }
  }
})
