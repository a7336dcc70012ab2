export type { From } from './base.ts'
export { createCheckpoints } from './checkpoints.ts'
export { readLogs } from './logs.ts'
export { type RebuildOptions, type Report, rebuild } from './rebuild.ts'
