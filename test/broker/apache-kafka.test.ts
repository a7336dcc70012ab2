import { useKafka } from '../kafka/kafka.ts'
import { brokerContract } from './contract.ts'

const kafka = await useKafka()

brokerContract('Apache Kafka', kafka.brokers, kafka.skip)
