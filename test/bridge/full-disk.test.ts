import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { createCheckpoints } from '../../services/bridge/rebuild/index.ts'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import { openSqliteStore, type Store } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { lockFolder } from '../../services/runtime/lock.ts'
import { StartError } from '../../services/runtime/start-error.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { testDelta } from './test-delta.ts'

const DAY = Date.UTC(2026, 4, 1)
const MINUTE_MS = 60_000
const DISK_BYTES = 4 * 1_048_576
const silent = pino({ level: 'silent' })
const orders = streams.find(({ name }) => name === 'orders')!
const skip = process.getuid?.() !== 0 && 'only root can mount a small disk'

/** A disk of 4 MB, with a store on it that has counted two events. */
async function withSmallDisk(work: (disk: string, store: Store) => Promise<void>) {
  using folder = temporaryFolder()
  const disk = join(folder.path, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk])
  try {
    const store = openSqliteStore(join(disk, 'bridge'))
    try {
      await store.addStream('orders', DAY, 0)
      await store.begin([
        { topic: 'new_orders', partition: 0, incarnation: 1, stream: 'orders', start: 0 },
      ])
      assert.equal(await store.commit(testDelta({ from: 0, events: { [DAY]: 2 } })), 'committed')
      await work(disk, store)
    } finally {
      await store.end()
    }
  } finally {
    execFileSync('umount', [disk])
  }
}

const fill = (disk: string) => {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize))
}
const makeRoom = (disk: string) => rmSync(join(disk, 'filler'))

/** Too large for what is left in the write-ahead log's file. */
const large = (from: number) =>
  testDelta({
    from,
    events: Object.fromEntries(Array.from({ length: 900 }, (_, i) => [DAY + i * MINUTE_MS, 1])),
  })

test(
  'a commit that finds the disk full changes nothing, and is done when there is room',
  { skip },
  () =>
    withSmallDisk(async (disk, store) => {
      fill(disk)
      const { bytes: _, ...before } = await store.snapshot()
      await assert.rejects(store.commit(large(2)), /full/)
      const { bytes: __, ...after } = await store.snapshot()
      assert.deepEqual(after, before)
      makeRoom(disk)
      assert.equal(await store.commit(large(2)), 'committed')
      assert.equal((await store.partition('new_orders', 0))?.position, 902)
    }),
)

test(
  'a file that finds the disk full leaves the one before whole, and is written when there is room',
  { skip },
  () =>
    withSmallDisk(async (disk, store) => {
      const lake = join(disk, 'lake')
      const errors: string[] = []
      const publisher = createPublisher(store, lake, silent, (target) => errors.push(target))
      const file = join(lake, 'csv/orders/dt=2026-05-01/orders.csv')
      await publisher.publish(orders, DAY, DAY + 60 * MINUTE_MS)
      const before = readFileSync(file, 'utf8')
      const late = testDelta({ from: 2, events: { [DAY]: 1 } })
      assert.equal(await store.commit(late), 'committed')
      fill(disk)
      await publisher.publish(orders, -1, DAY + 60 * MINUTE_MS)
      assert.deepEqual(errors, ['csv'])
      assert.equal(readFileSync(file, 'utf8'), before)
      makeRoom(disk)
      await publisher.publish(orders, -1, DAY + 60 * MINUTE_MS)
      assert.match(readFileSync(file, 'utf8'), /2026-05-01 00:00:00,3,/)
    }),
)

test('a checkpoint that finds too little room is not begun, tells, and comes later', { skip }, () =>
  withSmallDisk(async (disk, store) => {
    let failures = 0
    const checkpoints = createCheckpoints(
      store,
      join(disk, 'bridge'),
      silent,
      () => failures++,
      new AbortController().signal,
    )
    const chain = join(disk, 'bridge/checkpoints/chain.jsonl')
    fill(disk)
    await checkpoints.look(DAY)
    assert.equal(failures, 1)
    assert.ok(!existsSync(chain))
    makeRoom(disk)
    await checkpoints.look(DAY + 1_000)
    assert.ok(!existsSync(chain), 'not at once again')
    await checkpoints.look(DAY + 300_000)
    assert.equal(failures, 1)
    assert.ok(existsSync(chain))
  }),
)

test('a store that may not be written is refused with its file and what to do', {
  skip,
}, async () => {
  using folder = temporaryFolder()
  const disk = join(folder.path, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk])
  try {
    await openSqliteStore(join(disk, 'bridge')).end()
    execFileSync('mount', ['-o', 'remount,ro', disk])
    assert.throws(
      () => openSqliteStore(join(disk, 'bridge')),
      (error) =>
        error instanceof StartError &&
        /cannot open the store .*bridge\.db .*may write there/.test(error.message),
    )
    assert.throws(() => lockFolder(join(disk, 'bridge'), 'bridge'), /cannot write to .*bridge/)
  } finally {
    execFileSync('umount', [disk])
  }
})
