import { test } from 'node:test'
import { tortureTest } from './torture-test.ts'

test('15 rounds of faults on Apache Kafka lose nothing and count nothing twice', tortureTest(15))
