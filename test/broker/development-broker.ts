import { freePort } from '../harness/ports.ts'
import { startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'

/** A development broker as a process of its own, which can be killed and started again where it was. */
export async function startDevelopmentBroker(dataDir: string) {
  const brokers = `127.0.0.1:${await freePort()}`
  const variables = { METERBRIDGE_DATA_DIR: dataDir, METERBRIDGE_BROKER_LISTEN: brokers }
  const start = async () => {
    const service = startService('services/broker/main.ts', variables)
    await until('the broker listens', () => {
      if (service.process.exitCode !== null) throw new Error(service.output())
      return service.output().includes('for development only')
    })
    return service
  }
  let service = await start()
  return {
    brokers,
    variables,
    pid: () => service.process.pid!,
    output: () => service.output(),
    end: (signal?: NodeJS.Signals) => service.end(signal),
    restart: async () => {
      service = await start()
    },
    [Symbol.asyncDispose]: async () => void (await service.end('SIGKILL')),
  }
}
