import { globSync, renameSync, writeFileSync } from 'node:fs'

const [LIBRARY] = globSync('/usr/lib/*/faketime/libfaketime.so.1')

/** Why no clock can be stepped on this machine; undefined when it can. */
export const missingForClock = LIBRARY ? undefined : 'there is no libfaketime.so.1 (faketime)'

/** A wall clock that one process runs by, and that can be stepped while it runs. */
export type Clock = {
  environment: Record<string, string>
  /** Sets it this far from the true time; what passes between two events is as long as ever. */
  step(offsetMs: number): void
}

/** @param file where the clock is kept; the process reads it at each look. */
export function createClock(file: string): Clock {
  const step = (offsetMs: number) => {
    // Renamed, so that no process finds half of it.
    writeFileSync(`${file}.new`, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1_000}\n`)
    renameSync(`${file}.new`, file)
  }
  step(0)
  const environment = {
    LD_PRELOAD: LIBRARY ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  }
  return { environment: LIBRARY ? environment : {}, step }
}
