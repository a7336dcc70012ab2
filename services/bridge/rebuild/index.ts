export { createCheckpoints } from './checkpoints.ts'
