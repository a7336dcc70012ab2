export { Intake } from './intake.ts'
export { Progress } from './progress.ts'
export { readiness, statusOf } from './readiness.ts'
export { watch } from './watch.ts'
