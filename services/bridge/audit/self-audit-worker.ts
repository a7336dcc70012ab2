import { parentPort, workerData } from 'node:worker_threads'
import { audit } from './audit.ts'

const { dataDir } = workerData as { dataDir: string }
parentPort?.postMessage(await audit(dataDir))
