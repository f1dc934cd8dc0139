/** Stored form of a department's record: RLP [companyName, creditCode, [[attribute, value] ...]] in UTF-8. */
import { utf8 } from '../../core/bytes.js'
import { bytesField, listField } from '../../core/codec.js'
import { attributeValueBytesMax, recordAttributesMax, recordNameBytesMax } from '../../core/limits.js'
import { rlpDecode, rlpEncode } from '../../core/rlp.js'
import { DatabaseError, type EnterpriseRecord } from './departmentDatabase.js'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Throws DatabaseError INVALID_RECORD naming the field that is too large. */
export function encodeRecord(record: EnterpriseRecord): Uint8Array {
  if (record.values.size > recordAttributesMax) {
    throw new DatabaseError('INVALID_RECORD', `a record has at most ${recordAttributesMax} attributes`)
  }
  const values = [...record.values].map(([attribute, value]) => [
    bounded(attribute, recordNameBytesMax, 'an attribute name'),
    bounded(value, attributeValueBytesMax, `the value of ${attribute}`),
  ])
  return rlpEncode([
    bounded(record.companyName, recordNameBytesMax, 'companyName'),
    bounded(record.creditCode, recordNameBytesMax, 'creditCode'),
    values,
  ])
}

/** Throws DatabaseError CORRUPT. */
export function decodeRecord(bytes: Uint8Array): EnterpriseRecord {
  try {
    const [companyName, creditCode, values] = listField(rlpDecode(bytes), 'record', 3)
    const pairs = listField(values, 'values', 0, recordAttributesMax).map((pair) => {
      const [attribute, value] = listField(pair, 'value', 2)
      return [text(attribute, recordNameBytesMax), text(value, attributeValueBytesMax)] as const
    })
    return {
      companyName: text(companyName, recordNameBytesMax),
      creditCode: text(creditCode, recordNameBytesMax),
      values: new Map(pairs),
    }
  } catch (cause) {
    const hint = 'restore the department database from a backup or load it again'
    throw new DatabaseError('CORRUPT', `a stored record cannot be read: ${hint}`, { cause })
  }
}

function text(item: Parameters<typeof bytesField>[0], bytesMax: number): string {
  return decoder.decode(bytesField(item, 'text', bytesMax))
}

function bounded(value: string, bytesMax: number, title: string): Uint8Array {
  const bytes = utf8(value)
  if (bytes.length > bytesMax) throw new DatabaseError('INVALID_RECORD', `${title} is over ${bytesMax} bytes`)
  return bytes
}
