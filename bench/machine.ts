import { arch, cpus, platform, release, totalmem } from 'node:os'
import { KAFKA_VERSION } from '../test/kafka/kafka.ts'

/** What the figures depend on beside the code. */
export type Machine = {
  cores: number
  processor: string
  memoryMiB: number
  system: string
  node: string
  kafka: string
}

export function machineFacts(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    kafka: KAFKA_VERSION,
  }
}
