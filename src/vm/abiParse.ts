/** Human-readable ABI lines -> JSON ABI (Solidity ABI specification, "JSON"; structs by name or inline). */
import type { Abi, AbiParameter } from 'viem'
import { CodedError } from '../core/codedError.js'

/** A defect of an ABI constant, never of input from outside. */
export class AbiParseError extends CodedError<'SYNTAX' | 'UNKNOWN_TYPE'> {}

interface Parameter {
  readonly type: string
  readonly name?: string
  readonly indexed?: boolean
  readonly components?: readonly Parameter[]
}

type Structs = Map<string, readonly Parameter[]>

const ITEM = /^(function|event|error|struct)\s+([A-Za-z_$][\w$]*)\s*([({])([\s\S]*)$/
const ELEMENTARY = /^(?:address|bool|string|bytes(?:[1-9]|[12]\d|3[0-2])?|u?int(?:\d{1,3})?)$/
const MUTABILITY = /\b(pure|view|payable)\b/
const MODIFIERS = new Set(['calldata', 'memory', 'storage'])

/** Structs may stand anywhere among the lines but before the structs that use them. Throws AbiParseError naming the line. */
export function parseAbi(lines: readonly string[]): Abi {
  const structs: Structs = new Map()
  for (const line of lines) if (line.startsWith('struct')) addStruct(line, structs)
  return lines.filter((line) => !line.startsWith('struct')).map((line) => parseItem(line, structs)) as Abi
}

/** Parameter list as in `(address to, uint256[] values)` without the parentheses. */
export function parseParameters(text: string): readonly AbiParameter[] {
  return parameterList(text, new Map(), text)
}

function addStruct(line: string, structs: Structs): void {
  const [, name, body] = openItem(line, '{')
  if (!body.trimEnd().endsWith('}')) throw syntax(line)
  const fields = body.trimEnd().slice(0, -1).split(';')
  structs.set(
    name,
    fields.filter((field) => field.trim() !== '').map((field) => parameter(field.trim(), structs, line)),
  )
}

function parseItem(line: string, structs: Structs): object {
  const [kind, name, rest] = openItem(line, '(')
  const close = closingParenthesis(rest, line)
  const inputs = parameterList(rest.slice(0, close), structs, line)
  if (kind !== 'function') return { type: kind, name, inputs }
  const tail = rest.slice(close + 1)
  return { type: 'function', name, stateMutability: mutability(tail), inputs, outputs: outputs(tail, structs, line) }
}

function openItem(line: string, bracket: string): [kind: string, name: string, rest: string] {
  const match = ITEM.exec(line)
  if (match === null || match[3] !== bracket) throw syntax(line)
  return [match[1]!, match[2]!, match[4]!]
}

function mutability(tail: string): string {
  return MUTABILITY.exec(tail.split('returns')[0]!)?.[1] ?? 'nonpayable'
}

function outputs(tail: string, structs: Structs, line: string): readonly Parameter[] {
  const at = tail.indexOf('returns')
  if (at < 0) return []
  const list = tail.slice(at + 'returns'.length).trim()
  if (!list.startsWith('(')) throw syntax(line)
  const inner = list.slice(1)
  return parameterList(inner.slice(0, closingParenthesis(inner, line)), structs, line)
}

function parameterList(text: string, structs: Structs, line: string): readonly Parameter[] {
  return text.trim() === '' ? [] : splitTop(text).map((part) => parameter(part.trim(), structs, line))
}

function parameter(text: string, structs: Structs, line: string): Parameter {
  const tuple = text.startsWith('(')
  const close = tuple ? closingParenthesis(text.slice(1), line) + 1 : -1
  const base = tuple ? text.slice(0, close + 1) : /^[\w$]*/.exec(text)![0]
  const match = /^((?:\[\d*\])*)(?:\s+|$)(.*)$/.exec(text.slice(base.length))
  if (base === '' || match === null) throw syntax(line)
  const words = match[2]!.split(/\s+/).filter((word) => word !== '' && !MODIFIERS.has(word))
  const indexed = words[0] === 'indexed'
  const name = indexed ? words[1] : words[0]
  return {
    ...typed(base, match[1]!, structs, line),
    ...(name === undefined ? {} : { name }),
    ...(indexed ? { indexed } : {}),
  }
}

function typed(base: string, suffix: string, structs: Structs, line: string): Parameter {
  if (base.startsWith('('))
    return { type: `tuple${suffix}`, components: parameterList(base.slice(1, -1), structs, line) }
  const components = structs.get(base)
  if (components !== undefined) return { type: `tuple${suffix}`, components }
  if (!ELEMENTARY.test(base)) throw new AbiParseError('UNKNOWN_TYPE', `unknown type ${base} in ABI line: ${line}`)
  const full = base === 'uint' || base === 'int' ? `${base}256` : base
  return { type: `${full}${suffix}` }
}

/** Index of the `)` that closes a list whose `(` stood just before `text`. */
function closingParenthesis(text: string, line: string): number {
  let depth = 1
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    if (text[i] === ')' && --depth === 0) return i
  }
  throw syntax(line)
}

function splitTop(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    if (text[i] === ')') depth--
    if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return [...parts, text.slice(from)]
}

const syntax = (line: string) => new AbiParseError('SYNTAX', `not a function, event, error or struct: ${line}`)
