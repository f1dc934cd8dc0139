/**
 * The part of XML 1.0 that workbooks use: elements, attributes, text, CDATA, comments, the five named entities and character
 * references. A document type, and with it every entity that a file could define, is refused. One pass, linear.
 */
import { xmlAttributesMax, xmlDepthMax } from '../../core/limits.js'

export interface XmlHandlers {
  /** Names come without their namespace prefix, of attributes too. */
  open(name: string, attributes: ReadonlyMap<string, string>): void
  text(text: string): void
  close(name: string): void
}

/** `fail` throws; it gets what is wrong. */
export function scanXml(xml: string, handlers: XmlHandlers, fail: (problem: string) => never): void {
  new Scanner(xml, handlers, fail).run()
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map()
const NAME = /[A-Za-z_\u0080-\uffff][-.:\w\u0080-\uffff]*/y
const SPACE = /[ \t\r\n]*/y
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

class Scanner {
  readonly #xml: string
  readonly #handlers: XmlHandlers
  readonly #fail: (problem: string) => never
  readonly #open: string[] = []
  #at = 0
  #rootSeen = false

  constructor(xml: string, handlers: XmlHandlers, fail: (problem: string) => never) {
    this.#xml = xml
    this.#handlers = handlers
    this.#fail = fail
  }

  run(): void {
    const xml = this.#xml
    while (this.#at < xml.length) {
      const next = xml.indexOf('<', this.#at)
      const end = next === -1 ? xml.length : next
      if (end > this.#at) this.#text(xml.slice(this.#at, end))
      if (next === -1) break
      this.#at = next
      this.#markup()
    }
    if (this.#open.length > 0 || !this.#rootSeen) this.#fail('ends too early')
  }

  #text(raw: string): void {
    if (this.#open.length > 0) this.#handlers.text(this.#decode(raw))
    else if (raw.trim() !== '') this.#fail('has text outside of its root')
  }

  #markup(): void {
    const xml = this.#xml
    const at = this.#at
    if (xml.startsWith('<!--', at)) this.#at = this.#after('-->', at + 4)
    else if (xml.startsWith('<![CDATA[', at)) this.#cdata()
    else if (xml.startsWith('<!', at)) this.#fail('has a document type, which is refused')
    else if (xml.startsWith('<?', at)) this.#instruction()
    else if (xml.startsWith('</', at)) this.#closeTag()
    else this.#openTag()
  }

  #after(mark: string, from: number): number {
    const found = this.#xml.indexOf(mark, from)
    return found === -1 ? this.#fail('ends too early') : found + mark.length
  }

  #cdata(): void {
    const start = this.#at + 9
    this.#at = this.#after(']]>', start)
    if (this.#open.length === 0) this.#fail('has text outside of its root')
    this.#handlers.text(this.#xml.slice(start, this.#at - 3))
  }

  #instruction(): void {
    const start = this.#at
    this.#at = this.#after('?>', start)
    const text = this.#xml.slice(start, Math.min(this.#at, start + 256))
    const encoding = /^<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)/i.exec(text)?.[1]
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) this.#fail('is not in UTF-8')
  }

  #closeTag(): void {
    this.#at += 2
    const name = this.#name()
    this.#skip()
    if (this.#xml[this.#at] !== '>' || this.#open.pop() !== name) this.#fail(`closes <${name.slice(0, 40)}> wrongly`)
    this.#at++
    this.#handlers.close(local(name))
  }

  #openTag(): void {
    this.#at++
    const name = this.#name()
    if (this.#open.length === 0 && this.#rootSeen) this.#fail('has two roots')
    this.#rootSeen = true
    const attributes = this.#attributes()
    const empty = this.#xml[this.#at] === '/'
    if (empty) this.#at++
    if (this.#xml[this.#at] !== '>') this.#fail(`has a broken tag <${name.slice(0, 40)}>`)
    this.#at++
    this.#handlers.open(local(name), attributes)
    if (empty) this.#handlers.close(local(name))
    else this.#open.push(name)
    if (this.#open.length > xmlDepthMax) this.#fail(`is nested more than ${xmlDepthMax} deep`)
  }

  #attributes(): ReadonlyMap<string, string> {
    let found: Map<string, string> | undefined
    for (;;) {
      this.#skip()
      const mark = this.#xml[this.#at]
      if (mark === '>' || mark === '/' || mark === undefined) return found ?? NO_ATTRIBUTES
      const name = this.#name()
      this.#skip()
      if (this.#xml[this.#at] !== '=') this.#fail('has an attribute without a value')
      this.#at++
      this.#skip()
      const quote = this.#xml[this.#at]
      if (quote !== '"' && quote !== "'") this.#fail('has an attribute without quotes')
      const start = this.#at + 1
      this.#at = this.#after(quote as string, start)
      found ??= new Map()
      found.set(local(name), this.#decode(this.#xml.slice(start, this.#at - 1)))
      if (found.size > xmlAttributesMax) this.#fail(`has more than ${xmlAttributesMax} attributes on one element`)
    }
  }

  #name(): string {
    NAME.lastIndex = this.#at
    const name = NAME.exec(this.#xml)?.[0]
    if (name === undefined) return this.#fail('has a broken tag')
    this.#at += name.length
    return name
  }

  #skip(): void {
    SPACE.lastIndex = this.#at
    this.#at += SPACE.exec(this.#xml)?.[0].length ?? 0
  }

  #decode(raw: string): string {
    if (!raw.includes('&')) return raw
    return raw.replace(/&([^;&]{0,12})(;?)/g, (_all, name: string, end: string) => {
      const text = end === '' ? undefined : (ENTITIES[name] ?? character(name))
      return text ?? this.#fail('has an entity that XML does not define')
    })
  }
}

function character(name: string): string | undefined {
  const code = /^#x[0-9a-fA-F]{1,6}$/.test(name)
    ? Number.parseInt(name.slice(2), 16)
    : /^#[0-9]{1,7}$/.test(name)
      ? Number(name.slice(1))
      : Number.NaN
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1)
