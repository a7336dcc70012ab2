import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { lockFolder } from '../runtime/lock.ts'
import type { Logger } from '../runtime/logger.ts'
import { createApp } from './app.ts'
import { openDatabase } from './database/open.ts'
import { Writer } from './database/writer.ts'
import { readCookieSecret } from './http/secret.ts'
import { createMetrics } from './metrics.ts'
import { Orders } from './order/orders.ts'
import { Outbox } from './outbox/outbox.ts'

/**
 * The shop on its folder `<dataDir>/shop`, which it holds until `close`.
 *
 * @throws StartError when the folder is in use, or something in it cannot be read.
 */
export function openShop(dataDir: string, logger: Logger) {
  const folder = join(dataDir, 'shop')
  const lock = lockFolder(folder, 'shop')
  const database = openDatabase(folder)
  const outbox = new Outbox(database, new Writer(database))
  const app = createApp({
    orders: new Orders(database, outbox),
    outbox,
    metrics: createMetrics(outbox, packageJson.version),
    cookieSecret: readCookieSecret(folder),
    logger,
  })
  const close = () => {
    database.$client.close()
    lock.release()
  }
  return { app, database, outbox, close }
}
