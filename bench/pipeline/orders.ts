import type { Kafka } from 'kafkajs'
import { PARTITIONS } from '../topics.ts'

const BATCH_RECORDS = 1_000
const UNIT_PRICE = 15

/** The six sums of the minute file, over whatever was read. */
export type Sums = [
  orders: number,
  units: number,
  price: number,
  paidOrders: number,
  paidUnits: number,
  paidPrice: number,
]

export function orderValue(orderId: number): string {
  const amount = (orderId % 50) + 1
  return JSON.stringify({
    order_id: orderId,
    order_amount: amount,
    order_total_price: amount * UNIT_PRICE,
    is_paid: orderId % 3 === 0,
  })
}

export function addOrder(sums: Sums, value: string) {
  const order = JSON.parse(value)
  sums[0] += 1
  sums[1] += order.order_amount
  sums[2] += order.order_total_price
  if (!order.is_paid) return
  sums[3] += 1
  sums[4] += order.order_amount
  sums[5] += order.order_total_price
}

/** The headers of a partition's record, from the first (0) on. */
export type Headers = (partition: number, place: number) => Record<string, string>

/** Writes `count` orders in uncompressed batches, a partition's batches one after the other. */
export async function produceOrders(kafka: Kafka, topic: string, count: number, headers?: Headers) {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const perPartition = count / PARTITIONS
  const fill = async (partition: number) => {
    for (let done = 0; done < perPartition; done += BATCH_RECORDS) {
      const size = Math.min(BATCH_RECORDS, perPartition - done)
      const messages = Array.from({ length: size }, (_, index) => ({
        partition,
        value: orderValue(1_000_000 + partition * perPartition + done + index),
        ...(headers && { headers: headers(partition, done + index) }),
      }))
      await producer.send({ topic, messages, acks: -1 })
    }
  }
  await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => fill(partition)))
  await producer.disconnect()
}
