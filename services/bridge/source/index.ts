export { type Bounds, type Cluster, openCluster, type TopicBounds } from './cluster.ts'
export {
  createSource,
  type Fetched,
  type Receiver,
  type Source,
  type TopicPartition,
} from './source.ts'
export { findTopics } from './topics.ts'
