/** Where agents tell what they do. pino has this shape. Ids and codes only: no value, key or plaintext is ever handed to it. */
export interface AgentLog {
  info(data: Readonly<Record<string, unknown>>, message: string): void
  warn(data: Readonly<Record<string, unknown>>, message: string): void
  error(data: Readonly<Record<string, unknown>>, message: string): void
}

export const silentLog: AgentLog = { info() {}, warn() {}, error() {} }
