/** Command lines in this process: what main.ts does, without the start of a process for each. */
import { resolve } from 'node:path'
import process from 'node:process'

/** The built one: it reads the version from the package's file above dist/. */
export const { buildProgram } = (await import(
  resolve('dist/src/cli/program.js')
)) as typeof import('../../src/cli/program.js')
const { reportError } = (await import(resolve('dist/src/cli/errors.js'))) as typeof import('../../src/cli/errors.js')

export interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `args` in `dir`, one at a time. Not for --help and --version, which end the process. */
export async function runHere(dir: string, ...args: string[]): Promise<Ended> {
  const home = process.cwd()
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)]
  process.chdir(dir)
  try {
    const status = await statusOf(args)
    return { status, stdout: stdout.text(), stderr: stderr.text() }
  } finally {
    process.chdir(home)
    stdout.release()
    stderr.release()
  }
}

async function statusOf(args: readonly string[]): Promise<number> {
  try {
    const program = await buildProgram(args)
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return reportError(error, args.includes('--json'))
  } finally {
    process.exitCode = undefined
  }
}

function capture(stream: NodeJS.WriteStream) {
  const { write } = stream
  let text = ''
  stream.write = (chunk: Uint8Array | string) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    return true
  }
  return {
    text: () => text,
    release() {
      stream.write = write
    },
  }
}
