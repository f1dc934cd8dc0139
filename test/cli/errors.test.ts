/** What commands print of an error: plain words and a code where it was expected, a trace where it is a defect. */
import t from 'tap'
import { DatabaseError } from '../../src/agent/database/departmentDatabase.js'
import { CommandError, reportError, UsageError } from '../../src/cli/errors.js'
import { NetworkError } from '../../src/p2p/network.js'
import { RpcError } from '../../src/rpc/errors.js'
import { ListenError } from '../../src/rpc/server.js'

/** What goes to standard error, and the exit status. */
function report(error: unknown, json: boolean): { readonly status: number; readonly text: string } {
  const { write } = process.stderr
  let text = ''
  process.stderr.write = (chunk: string | Uint8Array) => {
    text += String(chunk)
    return true
  }
  try {
    const status = reportError(error, json)
    return { status, text }
  } finally {
    process.stderr.write = write
  }
}

t.test('expected faults have a code and no trace', async (t) => {
  const faults: readonly [Error & { readonly code: string }, number][] = [
    [new UsageError('say --out'), 2],
    [new CommandError('start it first'), 1],
    [new DatabaseError('LOCKED', 'another process uses it'), 1],
    [new NetworkError('LISTEN_FAILED', 'cannot listen'), 1],
    [new ListenError('PORT_TAKEN', 'cannot listen'), 1],
  ]
  for (const [error, status] of faults) {
    t.same(report(error, false), { status, text: `concordat: ${error.message}\n` }, error.name)
    const { text } = report(error, true)
    t.same(JSON.parse(text), { error: { code: error.code, message: error.message } }, error.name)
  }
})

t.test("a node's refusal keeps its number", async (t) => {
  const error = new RpcError(-32000, 'txpool is full')
  const message = 'the node refused: txpool is full (JSON-RPC -32000)'
  t.same(report(error, false), { status: 1, text: `concordat: ${message}\n` })
  t.same(JSON.parse(report(error, true).text), { error: { code: -32000, message } })
})

t.test('anything else is a defect and shows where', async (t) => {
  const { status, text } = report(new TypeError('x is not a function'), false)
  t.equal(status, 1)
  t.match(text, /^concordat: x is not a function\nTypeError: x is not a function\n {4}at /)
})
