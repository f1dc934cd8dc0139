/** Loaded into a node process before anything else: it dies at the write of past blocks that KILL_AT names, as in `2 during`. */
import { ClassicLevel } from 'classic-level'
import { bodyKey, headKey } from '../../dist/src/state/store/keys.js'

const [number, when] = (process.env.KILL_AT ?? '').split(' ')
const [head, body] = [headKey()[0], bodyKey(1)[0]]
const { _batch } = ClassicLevel.prototype
let writes = 0

/** Blocks, and none of them the head. */
function isPast(operations) {
  const tables = new Set(operations.map(({ key }) => key[0]))
  return tables.has(body) && !tables.has(head)
}

const die = () => process.kill(process.pid, 'SIGKILL')

ClassicLevel.prototype._batch = async function (operations, options) {
  if (!isPast(operations) || ++writes < Number(number)) return _batch.call(this, operations, options)
  if (when === 'before') die()
  const written = _batch.call(this, operations, options)
  if (when === 'during') die()
  await written
  die()
}
