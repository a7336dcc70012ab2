export { type Bounds, type Cluster, openCluster, type TopicBounds } from './cluster.ts'
export { type LogReader, openLogReader, type Reading } from './read-at.ts'
export {
  createSource,
  type Fetched,
  type Receiver,
  type Source,
  type TopicPartition,
} from './source.ts'
export { findTopics } from './topics.ts'
