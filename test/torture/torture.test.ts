import { test } from 'node:test'
import { tortureTest } from './torture-test.ts'

test('three rounds of faults on Apache Kafka lose nothing and count nothing twice', tortureTest(3))
