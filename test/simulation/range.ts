import { simulate } from './simulate.ts'

/** `node range.ts <first seed> <histories>`: ends with 1 and the history at the first that differs. */
const [first = 0, histories = 0] = process.argv.slice(2).map(Number)
for (let seed = first; seed < first + histories; seed++) await simulate(seed)
