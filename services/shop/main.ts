import { randomUUID } from 'node:crypto'
import { listen } from '../runtime/listen.ts'
import { run } from '../runtime/run.ts'
import { requireBrokers } from '../settings/settings.ts'
import { connectToKafka } from './outbox/connection.ts'
import { Relay } from './outbox/relay.ts'
import { openShop } from './shop.ts'

await run('shop', async ({ settings, logger }) => {
  requireBrokers(settings)
  const shop = openShop(settings.dataDir, logger)
  const server = await listen(shop.app, settings.shopListen, 'METERBRIDGE_SHOP_LISTEN')
  const relay = new Relay({
    outbox: shop.outbox,
    connect: () => connectToKafka(settings.kafka, logger),
    source: randomUUID(),
    createTopics: settings.createTopics,
    logger,
  })
  const { host, port } = settings.shopListen
  logger.info(`the shop is open at http://${host}:${port}/`)
  return {
    async stop() {
      await server.close()
      await relay.stop()
      shop.close()
    },
  }
})
