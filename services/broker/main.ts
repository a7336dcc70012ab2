import { join } from 'node:path'
import { lockFolder } from '../runtime/lock.ts'
import { run } from '../runtime/run.ts'
import { startBroker } from './broker.ts'

await run('broker', async ({ settings, logger }) => {
  const { dataDir, brokerListen } = settings
  const folder = join(dataDir, 'broker')
  const lock = lockFolder(folder, 'broker')
  const broker = await startBroker(folder, brokerListen, logger)
  const address = `${brokerListen.host}:${brokerListen.port}`
  logger.info({ address, folder }, 'a broker for development only: one node, no replicas, no TLS')
  return {
    async stop() {
      await broker.stop()
      lock.release()
    },
  }
})
