import { after } from 'node:test'
import { temporaryFolder } from '../harness/folder.ts'
import { brokerContract } from './contract.ts'
import { startDevelopmentBroker } from './development-broker.ts'

const folder = temporaryFolder()
const broker = await startDevelopmentBroker(folder.path)
after(async () => {
  await broker[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

brokerContract('the development broker', broker.brokers)
