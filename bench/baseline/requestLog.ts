/** A log of lines that are on disk when `append` resolves; lines that come together share one fdatasync. */
import { type FileHandle, open } from 'node:fs/promises'
import { CodedError } from '../../src/core/codedError.js'

/** The disk failed: what was not recorded must not be answered. */
export class RequestLogError extends CodedError<'FAILED'> {}

interface Waiting {
  readonly line: string
  resolve(): void
  reject(error: RequestLogError): void
}

export class RequestLog {
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #failure: RequestLogError | undefined

  private constructor(
    private readonly file: FileHandle,
    private readonly path: string,
  ) {}

  /** Opens or makes the file, readable by its owner alone. */
  static async open(path: string): Promise<RequestLog> {
    return new RequestLog(await open(path, 'a', 0o600), path)
  }

  /** `line` without its end. Rejects with RequestLogError when the disk failed, now or before: then nothing more is taken. */
  append(line: string): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject })
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.file.close()
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.file.appendFile(batch.map(({ line }) => `${line}\n`).join(''))
        await this.file.datasync()
        for (const { resolve } of batch) resolve()
      } catch (cause) {
        const failure = new RequestLogError('FAILED', `cannot write ${this.path}: ${(cause as Error).message}`, {
          cause,
        })
        this.#failure = failure
        for (const { reject } of [...batch, ...this.#waiting]) reject(failure)
        this.#waiting = []
      }
    }
  }
}
