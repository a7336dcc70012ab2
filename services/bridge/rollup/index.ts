export {
  createPublisher,
  type Publisher,
  RETENTION_DAYS,
  retainedFromMs,
  TARGETS,
} from './publisher.ts'
