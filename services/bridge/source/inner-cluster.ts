import type { Kafka } from 'kafkajs'

/** A request as kafkajs sends it: already encoded, and how to read the answer. */
export type Call<Answer> = {
  request: {
    apiKey: number
    apiVersion: number
    apiName: string
    encode(): Promise<{ buf: Buffer; buffer: Buffer }>
  }
  response: {
    decode(payload: Buffer): Promise<Answer>
    parse(data: Answer): Promise<Answer>
  }
}

export type FetchRequest = {
  minBytes: number
  maxWaitTime: number
  maxBytes: number
  topics: {
    topic: string
    partitions: { partition: number; fetchOffset: string; maxBytes: number }[]
  }[]
}

/** What kafkajs makes of one partition's answer (src/protocol/requests/fetch). */
export type FetchedPartition<Message> = {
  highWatermark: string
  lastStableOffset: string
  /** Where the log starts; kafkajs calls it so. Not from brokers before 1.0. */
  lastStartOffset?: string
  abortedTransactions?: { producerId: string; firstOffset: string }[]
  messages: Message[]
}

/** The parts of kafkajs's Cluster and Broker (src/cluster, src/broker) that are used here. kafkajs must be pinned. */
export type InnerCluster<Message = unknown> = {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[]
  findBroker(of: { nodeId: number }): Promise<{
    fetch(request: FetchRequest): Promise<{
      responses: { partitions: FetchedPartition<Message>[] }[]
    }>
  }>
  brokerPool: {
    versions: Record<number, { maxVersion: number }>
    findConnectedBroker(): Promise<{
      connectionPool: { send<Answer>(call: Call<Answer>): Promise<Answer> }
    }>
  }
}

/** One connection to the cluster, below kafkajs's public face. */
export function openInnerCluster<Message>(kafka: Kafka): InnerCluster<Message> {
  const create = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  if (!create) throw new Error('kafkajs is not the version that this was written for')
  const open = (kafka as unknown as Record<symbol, (options: object) => InnerCluster<Message>>)[
    create
  ]!
  return open({ metadataMaxAge: 300_000, allowAutoTopicCreation: false })
}
