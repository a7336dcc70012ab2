export { type RunningCluster, startCluster } from './cluster.ts'
export { KAFKA_VERSION, missingForKafka } from './distribution.ts'
export {
  type ForeignRecords,
  type ForeignTotals,
  missingForPython,
  produceForeign,
  producerPython,
} from './python.ts'
export { type KafkaAddresses, type KafkaOptions, type RunningKafka, startKafka } from './server.ts'
export { type SharedKafka, useKafka, useOwnKafka } from './shared.ts'
