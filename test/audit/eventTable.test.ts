/** The event table and the contracts' ABIs say the same. */
import t from 'tap'
import { EVENT_TABLE } from '../../src/audit/eventTable.js'
import { KNOWN_EVENTS } from '../../src/audit/readings.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { systemInterfaces } from '../../src/contracts/publishedAbis.js'

const events = Object.entries(systemInterfaces()).flatMap(([contract, { json }]) =>
  json.flatMap((item) => (item.type === 'event' ? [{ contract, item }] : [])),
)
const nameOf = (contract: string, event: string) => `${contract}.${event}`

t.test('every event of every contract has a line', async (t) => {
  const lines = Object.entries(EVENT_TABLE).flatMap(([contract, own]) =>
    Object.keys(own ?? {}).map((event) => nameOf(contract, event)),
  )
  const missing = events
    .map(({ contract, item }) => nameOf(contract, item.name))
    .filter((name) => !lines.includes(name))
  t.same(missing, [], 'add one to src/audit/eventTable.ts')
  t.same(Object.keys(systemInterfaces()).sort(), Object.keys(CONTRACT_ADDRESSES).sort(), 'no contract is left out')
})

t.test('lines name arguments that their events have', async (t) => {
  for (const { contract, event, reading } of KNOWN_EVENTS) {
    const { item } = events.find((one) => one.contract === contract && one.item.name === event)!
    const inputs = new Map(item.inputs.map(({ name, type }) => [name, type]))
    const { who, parties, enterprise, attributes, purpose, basis, exchange } = reading
    const types: readonly (readonly [string | undefined, RegExp])[] = [
      [who, /^address$/],
      [parties, /^address(\[\])?$/],
      [enterprise, /^bytes32$/],
      [attributes, /^(bytes32|bytes32\[\]|tuple\[\])$/],
      [purpose, /^bytes32$/],
      [basis, /^bytes32$/],
      [exchange?.[1], /^(uint\d*|bytes32|address)$/],
    ]
    for (const [name, type] of types) {
      if (name !== undefined) t.match(inputs.get(name), type, `${contract}.${event}: ${name}`)
    }
    if (exchange !== undefined) {
      const first = item.inputs.find((input) => input.indexed)
      t.equal(first?.name, exchange[1], `${contract}.${event}: an exchange is searched by the first topic`)
    }
  }
})

t.test('a kind of exchange belongs to one contract: its numbers are counted there', async (t) => {
  const contracts = new Map<string, string>()
  for (const { contract, reading } of KNOWN_EVENTS) {
    const kind = reading.exchange?.[0]
    if (kind === undefined) continue
    t.equal(contracts.get(kind) ?? contract, contract, kind)
    contracts.set(kind, contract)
  }
})
