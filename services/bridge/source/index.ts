export { type Bounds, type Cluster, createCluster } from './cluster.ts'
export {
  createSource,
  type Fetched,
  type Receiver,
  type Source,
  type TopicPartition,
} from './source.ts'
export { createAdmin, findTopics } from './topics.ts'
