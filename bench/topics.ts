import type { Kafka } from 'kafkajs'

export const ORDERS = 'new_orders'
export const PARTITIONS = 4

/** The topics that the bridge counts. */
export async function createTopics(kafka: Kafka) {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({
    topics: [
      { topic: ORDERS, numPartitions: PARTITIONS },
      { topic: 'web_requests', numPartitions: 1 },
    ],
  })
  await admin.disconnect()
}
