import { test } from 'node:test'
import { simulate } from './simulate.ts'

/** As many histories as fit. */
const TIME_MS = 10_000
const LARGEST_SEED = 2 ** 31

/** `SIMULATION_SEED=<seed> npm test -- test/simulation` shows one history again, step by step. */
const { SIMULATION_SEED: wanted } = process.env

if (wanted) {
  test(`history ${wanted} equals its reference`, async (context) => {
    for (const step of await simulate(Number(wanted))) context.diagnostic(step)
  })
} else {
  test('random histories of crashes, zombies, redeliveries and lost logs equal their reference', async (context) => {
    const first = Math.floor(Math.random() * LARGEST_SEED)
    const end = performance.now() + TIME_MS
    let seed = first
    while (performance.now() < end) await simulate(seed++)
    context.diagnostic(`${seed - first} histories, seeds ${first} to ${seed - 1}`)
  })
}
