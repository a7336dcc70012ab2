import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CACHE } from './distribution.ts'

const run = promisify(execFile)
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
const PRODUCE = join(import.meta.dirname, 'produce.py')
const INSTALL_TIMEOUT_MS = 180_000
const PRODUCE_TIMEOUT_MS = 60_000

/** Why the foreign producer cannot run on this machine; undefined when it can. */
export function missingForPython(): string | undefined {
  const venv = spawnSync('python3', ['-c', 'import venv, ensurepip'])
  return venv.status === 0 ? undefined : 'the foreign producer needs python3 with venv'
}

/**
 * A Python interpreter that has kafka-python and the compression libraries of requirements.txt, installed
 * on first use.
 *
 * @returns the interpreter's path.
 */
export async function producerPython(): Promise<string> {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)
  const folder = join(CACHE, `venv-${wanted}`)
  const python = join(folder, 'bin', 'python')
  if (existsSync(python)) return python

  const unfinished = `${folder}.${process.pid}`
  try {
    await run('python3', ['-m', 'venv', unfinished])
    await run(
      join(unfinished, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', `--requirement=${REQUIREMENTS}`],
      { timeout: INSTALL_TIMEOUT_MS },
    )
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return python
}

export type ForeignRecords = {
  brokers: string
  topic: string
  codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  count: number
  /** Numbers the orders from here; 1 unless set. */
  firstOrderId?: number
  /** Given, it goes over SASL_SSL. */
  secure?: {
    ca: string
    mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    username: string
    password: string
  }
}

/** What was produced: `units` and `price` are the sums over all orders, `paid*` over the prepaid ones. */
export type ForeignTotals = {
  orders: number
  units: number
  price: number
  paidOrders: number
  paidUnits: number
  paidPrice: number
}

/** Produces orders with kafka-python and resolves when all are acknowledged. */
export async function produceForeign(records: ForeignRecords): Promise<ForeignTotals> {
  const python = await producerPython()
  const { stdout } = await run(python, [PRODUCE, JSON.stringify(records)], {
    timeout: PRODUCE_TIMEOUT_MS,
  })
  return JSON.parse(stdout) as ForeignTotals
}
