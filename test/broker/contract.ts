import { describe } from 'node:test'
import { groupContract } from './contract/groups.ts'
import { kcatContract } from './contract/kcat.ts'
import { readingContract } from './contract/reading.ts'
import { recordContract } from './contract/records.ts'
import { topicContract } from './contract/topics.ts'

/** Tests that mostly wait; more at once would only contend. */
const CONCURRENCY = 4

/**
 * What clients see of a broker, to be the same whichever it is: registers the tests for the one at `brokers`
 * (`host:port`). Where brokers differ, Apache Kafka is right.
 *
 * @param skip the reason to run none of it, or false.
 */
export function brokerContract(name: string, brokers: string, skip: string | false = false) {
  describe(`${name}, to its clients`, { skip, concurrency: CONCURRENCY }, () => {
    groupContract(brokers)
    topicContract(brokers)
    recordContract(brokers)
    readingContract(brokers)
    kcatContract(brokers)
  })
}
