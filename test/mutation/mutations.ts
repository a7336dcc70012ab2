/** One way to break a promise of docs/reliability.md, and who must notice. */
export type Mutation = {
  name: string
  /** What no longer holds. */
  promise: string
  file: string
  /** This text, which is there once, becomes `to`. */
  from: string
  to: string
  /** In each of these a test must fail. */
  tests: TestFile[]
}

/** `only`: the tests with such names, to be quick. */
export type TestFile = { file: string; only?: string }

const FOLD: TestFile = { file: 'test/bridge/fold.test.ts' }
const NUMBERS: TestFile = { file: 'test/bridge/sequence.test.ts' }
const store = (only: string): TestFile => ({ file: 'test/bridge/sqlite-store.test.ts', only })
const DURABILITY: TestFile = { file: 'test/bridge/store-durability.test.ts' }
const FILES: TestFile = { file: 'test/bridge/durable-files.test.ts' }
const ROLLUP: TestFile = { file: 'test/bridge/rollup.test.ts' }
const SIMULATION: TestFile = { file: 'test/simulation/simulation.test.ts' }
const SENDING: TestFile = { file: 'test/shop/sending.test.ts' }

const COUNTED_ONCE = 'what was applied is not applied again'
const NOTHING_UNSEEN = 'what is missing is noticed, and taken back when it comes'
const ALL_OR_NOTHING = 'what belongs together becomes durable together'
const WHOLE_FILES = 'a file is whole or absent, and there for good once its day counts as written'
const SHOWN_DURABLE = 'nothing is shown before it is durable'
const SENT_SAFELY =
  'what was sent twice has one number, and nothing is forgotten before Kafka has it'

export const MUTATIONS: Mutation[] = [
  {
    name: 'the compare-and-set does not compare the position',
    promise: COUNTED_ONCE,
    file: 'services/bridge/store/partitions.ts',
    from: "        eq(partitions.position, placeholder('from')),\n",
    to: '',
    tests: [store('stale'), SIMULATION],
  },
  {
    name: 'the compare-and-set ignores newer incarnations',
    promise: COUNTED_ONCE,
    file: 'services/bridge/store/partitions.ts',
    from: '        notExists(newerIncarnation),\n',
    to: '',
    tests: [store('made anew'), SIMULATION],
  },
  {
    name: 'a stale delta is counted all the same',
    promise: COUNTED_ONCE,
    file: 'services/bridge/store/sqlite-store.ts',
    from: "if (!partitions.move(delta)) return 'stale'",
    to: 'partitions.move(delta)',
    tests: [store('stale'), SIMULATION],
  },
  {
    name: 'records below the position are not trimmed',
    promise: COUNTED_ONCE,
    file: 'services/bridge/fold/run.ts',
    from: '      if (reader.offset < first) continue\n',
    to: '',
    tests: [FOLD, SIMULATION],
  },
  {
    name: 'batches below the position are not passed over',
    promise: COUNTED_ONCE,
    file: 'services/bridge/fold/run.ts',
    from: '    if (batch.lastOffset < first) return\n',
    to: '',
    tests: [FOLD, SIMULATION],
  },
  {
    name: 'duplicates are not recognised',
    promise: COUNTED_ONCE,
    file: 'services/bridge/fold/sequence.ts',
    from: "if (!this.#fill(state, sequence)) return 'duplicate'",
    to: 'this.#fill(state, sequence)',
    tests: [NUMBERS, FOLD, SIMULATION],
  },
  {
    name: 'numbers are not remembered in the store',
    promise: COUNTED_ONCE,
    file: 'services/bridge/store/partitions.ts',
    from: '    saveSources(key, delta.sources)\n',
    to: '',
    tests: [store('opening again'), SIMULATION],
  },
  {
    name: 'a jump in the numbers is no loss',
    promise: NOTHING_UNSEEN,
    file: 'services/bridge/fold/sequence.ts',
    from: 'if (sequence > state.last + 1) ',
    to: 'if (sequence < 0) ',
    tests: [NUMBERS, FOLD, SIMULATION],
  },
  {
    name: 'what fills a gap is taken for a duplicate',
    promise: NOTHING_UNSEEN,
    file: 'services/bridge/fold/sequence.ts',
    from: "if (!this.#fill(state, sequence)) return 'duplicate'",
    to: "return 'duplicate'",
    tests: [NUMBERS, FOLD, SIMULATION],
  },
  {
    name: 'a gap stays open when it is filled',
    promise: COUNTED_ONCE,
    file: 'services/bridge/fold/sequence.ts',
    from: '(other === gap ? parts : [other])',
    to: '[other]',
    tests: [NUMBERS, FOLD, SIMULATION],
  },
  {
    name: 'a loss at the seam between two sources stays unseen',
    promise: NOTHING_UNSEEN,
    file: 'services/bridge/fold/sequence.ts',
    from: '    this.#lose(source, state, last)\n',
    to: '',
    tests: [NUMBERS, FOLD, SIMULATION],
  },
  {
    name: 'offsets that are gone do not start the numbers anew',
    promise: NOTHING_UNSEEN,
    file: 'services/bridge/fold/run.ts',
    from: 'forgetSources: this.#skipped > 0,',
    to: 'forgetSources: false,',
    tests: [FOLD, SIMULATION],
  },
  {
    name: 'the rest of a batch that cannot be read is not counted',
    promise: NOTHING_UNSEEN,
    file: 'services/bridge/fold/run.ts',
    from: '    this.#rejected += records\n',
    to: '',
    tests: [FOLD, SIMULATION],
  },
  {
    name: 'the position moves in a transaction of its own',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/sqlite-store.ts',
    from: `    transaction(() => {
      if (!partitions.move(delta)) return 'stale'
      counts.add(delta)
      return 'committed'
    })`,
    to: `{
      if (!transaction(() => partitions.move(delta))) return 'stale'
      transaction(() => counts.add(delta))
      return 'committed'
    }`,
    tests: [DURABILITY],
  },
  {
    name: 'a late event does not mark its day',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/counts.ts',
    from: '      markLate(stream, minute)\n',
    to: '',
    tests: [ROLLUP, SIMULATION],
  },
  {
    name: 'an event of a sealed day goes to a minute',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/counts.ts',
    from: 'minute.minuteMs < state.sealedBeforeMs',
    to: 'minute.minuteMs < 0',
    tests: [store('sealing'), SIMULATION],
  },
  {
    name: 'closing marks its days in a transaction of its own',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/sqlite-store.ts',
    from: 'transaction(() => days.close(stream, minuteMs))',
    to: 'days.close(stream, minuteMs)',
    tests: [DURABILITY],
  },
  {
    name: 'what counts as written does so in several transactions',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/sqlite-store.ts',
    from: 'transaction(() => days.written(day))',
    to: 'days.written(day)',
    tests: [DURABILITY],
  },
  {
    name: 'sealing moves minutes in several transactions',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/sqlite-store.ts',
    from: 'transaction(() => days.seal(stream, beforeMs))',
    to: 'days.seal(stream, beforeMs)',
    tests: [DURABILITY],
  },
  {
    name: 'sealing loses the minutes',
    promise: ALL_OR_NOTHING,
    file: 'services/bridge/store/days.ts',
    from: 'for (const { column, value } of sums) {',
    to: 'for (const { column, value } of [] as typeof sums) {',
    tests: [store('sealing'), SIMULATION],
  },
  {
    name: 'a day that changed while it was written counts as written',
    promise: WHOLE_FILES,
    file: 'services/bridge/store/days.ts',
    from: '          eq(pendingDays.version, version),\n',
    to: '',
    tests: [store('while a day is written'), SIMULATION],
  },
  {
    name: 'a day counts as written before it is',
    promise: WHOLE_FILES,
    file: 'services/bridge/rollup/publisher.ts',
    from: '      await write(stream, day)\n      await store.written(day)\n',
    to: '      await store.written(day)\n      await write(stream, day)\n',
    tests: [FILES, SIMULATION],
  },
  {
    name: 'a file is not synced before it is renamed',
    promise: WHOLE_FILES,
    file: 'services/bridge/rollup/file.ts',
    from: '    await file.sync()\n',
    to: '',
    tests: [FILES],
  },
  {
    name: 'a file is written in place',
    promise: WHOLE_FILES,
    file: 'services/bridge/rollup/file.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program.
    from: 'const temporary = join(folder, `.${path.slice(folder.length + 1)}.tmp`)',
    to: 'const temporary = path',
    tests: [ROLLUP],
  },
  {
    name: 'the folder is not synced after renaming',
    promise: WHOLE_FILES,
    file: 'services/bridge/rollup/file.ts',
    from: '  await syncFolder(folder)\n',
    to: '',
    tests: [FILES],
  },
  {
    name: 'new folders are not synced',
    promise: WHOLE_FILES,
    file: 'services/bridge/rollup/file.ts',
    from: '    await syncFolder(dirname(up))\n',
    to: '',
    tests: [FILES],
  },
  {
    name: 'minutes that are not over are published',
    promise: WHOLE_FILES,
    file: 'services/bridge/rollup/publisher.ts',
    from: 'Math.min(closableMs, overMs)',
    to: 'closableMs',
    tests: [ROLLUP],
  },
  {
    name: 'a commit is not synced',
    promise: SHOWN_DURABLE,
    file: 'services/bridge/store/database.ts',
    from: "client.pragma('synchronous = FULL')",
    to: "client.pragma('synchronous = OFF')",
    tests: [DURABILITY],
  },
  {
    name: 'a commit is told of before it is done',
    promise: SHOWN_DURABLE,
    file: 'services/bridge/intake/intake.ts',
    from: '      const result = await this.#write(store.commit(delta))\n',
    to: '      onCommit(delta, fold.acceptedTimestamps(), 0)\n      const result = await this.#write(store.commit(delta))\n',
    tests: [{ file: 'test/bridge/intake.test.ts' }],
  },
  {
    name: 'a page is served before the state is loaded',
    promise: SHOWN_DURABLE,
    file: 'services/bridge/expose/app.ts',
    from: 'const page = await families()\n',
    to: 'const page = (await families()) ?? []\n',
    tests: [{ file: 'test/bridge/expose.test.ts' }],
  },
  {
    name: 'a number is not stored before it is sent',
    promise: SENT_SAFELY,
    file: 'services/shop/outbox/numbering.ts',
    from: 'for (const row of numbered) this.#number.run(row)\n',
    to: '',
    tests: [SENDING],
  },
  {
    name: 'an event leaves the outbox before Kafka has it',
    promise: SENT_SAFELY,
    file: 'services/shop/outbox/delivery.ts',
    from: '      await steps.send(part, stampedMs)\n',
    to: '      await steps.acknowledged(part)\n      await steps.send(part, stampedMs)\n',
    tests: [SENDING],
  },
  {
    name: 'the last number of a source is not stored',
    promise: SENT_SAFELY,
    file: 'services/shop/outbox/numbering.ts',
    from: 'this.#give.run({ topic, partition, source: this.#source, sequence })',
    to: 'void [topic, partition, sequence]',
    tests: [{ file: 'test/shop/relay.test.ts', only: 'development broker' }],
  },
]
