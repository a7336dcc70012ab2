import { Partitioners } from 'kafkajs'

export type ChoosePartition = (key: string | null) => number

/** By the key's hash, like every Kafka client's default; records without a key go round. */
export function createPartitioner(topic: string, partitions: number): ChoosePartition {
  const byHash = Partitioners.DefaultPartitioner()
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }))
  let turn = 0
  return (key) => {
    if (key !== null) return byHash({ topic, partitionMetadata, message: { key, value: null } })
    turn = (turn + 1) % partitions
    return turn
  }
}
