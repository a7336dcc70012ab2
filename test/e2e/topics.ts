import { withAdmin } from '../broker/clients.ts'

/** The two topics that a bridge reads. */
export const TOPICS = ['web_requests', 'new_orders']

/** Makes partitions 0 to `partitions - 1` of each of the topics, which must not exist. */
export async function createTopics(brokers: string, partitions: number, topics = TOPICS) {
  await withAdmin(brokers, (admin) =>
    admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: partitions })),
    }),
  )
}

/** An order's value. */
export const order = (id: number, amount = 1, paid = true) =>
  JSON.stringify({
    order_id: id,
    order_amount: amount,
    order_total_price: amount * 15,
    is_paid: paid,
  })
