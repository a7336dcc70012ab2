import { pino } from 'pino'
import { createLogger } from '../../services/runtime/logger.ts'
import { type Connection, connectToKafka } from '../../services/shop/outbox/connection.ts'
import { Relay } from '../../services/shop/outbox/relay.ts'
import { until } from '../harness/until.ts'
import { temporaryShop } from './shop.ts'

type Options = {
  createTopics?: boolean
  /** Puts faults between the relay and Kafka. */
  disturb?: (connection: Connection) => Connection
}

/** A shop in this process whose relay can be started, stopped and started again as another incarnation. */
export function sellingShop(brokers: string, data?: string) {
  const shop = temporaryShop(data)
  const log: string[] = []
  let relay: Relay | undefined
  const start = (source: string, { createTopics = false, disturb = (c) => c }: Options = {}) => {
    relay = new Relay({
      outbox: shop.outbox,
      connect: async () =>
        disturb(
          await connectToKafka({ brokers: [brokers], tls: false }, createLogger('test', 'silent')),
        ),
      source,
      createTopics,
      logger: pino({}, { write: (line: string) => void log.push(JSON.parse(line).msg) }),
    })
    return relay
  }
  return {
    shop,
    log,
    start,
    stop: async () => relay?.stop(),
    sent: (records = 0) =>
      until(`${records} events wait`, () => shop.outbox.records === records, 30_000),
    [Symbol.asyncDispose]: async () => {
      await relay?.stop()
      shop[Symbol.dispose]()
    },
  }
}
