import { readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100

/** Processor time that the process has used so far, in seconds (proc_pid_stat(5), utime and stime). */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces: fields are counted behind it; utime is the 14th of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The most memory the process ever had resident, in MiB (proc_pid_status(5), VmHWM). */
export function peakRssMiBOf(pid: number): number {
  return memoryMiB(pid, /^VmHWM:\s+(\d+) kB/m)
}

/** The memory the process has resident now, in MiB (proc_pid_status(5), VmRSS). */
export function rssMiBOf(pid: number): number {
  return memoryMiB(pid, /^VmRSS:\s+(\d+) kB/m)
}

function memoryMiB(pid: number, line: RegExp): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(line.exec(status)?.[1]) / 1024
}
