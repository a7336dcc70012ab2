import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../harness/until.ts'
import {
  createTopic,
  produce,
  SESSION_TIMEOUT_MS,
  startConsumer,
  uniqueName,
  values,
  withAdmin,
} from '../clients.ts'
import { RawMember } from '../raw-member.ts'

const ILLEGAL_GENERATION = 22
const UNKNOWN_MEMBER_ID = 25
const INVALID_SESSION_TIMEOUT = 26
const REBALANCE_IN_PROGRESS = 27

export function groupContract(brokers: string) {
  test('a member that vanished holds its group no longer than its session', async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'waiting' }])
    const groupId = uniqueName('abandoned')
    {
      using vanishing = await RawMember.open(brokers, groupId)
      assert.equal(await vanishing.join(SESSION_TIMEOUT_MS), 0)
      assert.equal((await vanishing.sync()).error, 0)
    }
    const started = performance.now()
    await using next = await startConsumer(brokers, topic, { groupId })
    await next.gets(1)
    assert.ok(performance.now() - started < 2 * SESSION_TIMEOUT_MS)
    assert.ok(performance.now() - started > SESSION_TIMEOUT_MS / 2)
  })

  test('a group goes on where it committed', async () => {
    const topic = await createTopic(brokers)
    const groupId = uniqueName('group')
    await produce(brokers, topic, [{ value: 'a' }, { value: 'b' }])
    {
      await using first = await startConsumer(brokers, topic, { groupId })
      await first.gets(2)
    }
    const [committed] = await withAdmin(brokers, (admin) =>
      admin.fetchOffsets({ groupId, topics: [topic] }),
    )
    assert.equal(committed?.partitions[0]?.offset, '2')
    await produce(brokers, topic, [{ value: 'c' }])
    await using second = await startConsumer(brokers, topic, { groupId })
    assert.deepEqual(values(await second.gets(1)), ['c'])
  })

  test('two members share the partitions; one takes over what the other leaves', async () => {
    const topic = await createTopic(brokers, { numPartitions: 4 })
    const groupId = uniqueName('group')
    await using one = await startConsumer(brokers, topic, { groupId })
    await until('the first has all partitions', () => one.assigned()?.length === 4)
    await using two = await startConsumer(brokers, topic, { groupId })
    await until('they share', () => one.assigned()?.length === 2 && two.assigned()?.length === 2)
    const shared = [...one.assigned()!, ...two.assigned()!].sort()
    assert.deepEqual(shared, [0, 1, 2, 3])
    await two.consumer.disconnect()
    await until('the first has all again', () => one.assigned()?.length === 4)
  })

  test('when a second member joins, the first is told to join again, and the leader assigns', async () => {
    const group = uniqueName('group')
    using first = await RawMember.open(brokers, group)
    using second = await RawMember.open(brokers, group)
    assert.equal(await first.join(), 0)
    assert.deepEqual([first.leader, first.members], [first.id, [first.id]])
    assert.deepEqual(await first.sync(), { error: 0, assignment: first.id })
    assert.equal(await first.heartbeat(), 0)

    const joining = second.join()
    await until('the first hears of it', async () => {
      return (await first.heartbeat()) === REBALANCE_IN_PROGRESS
    })
    assert.equal(await first.join(), 0)
    assert.equal(await joining, 0)
    assert.equal(first.generation, second.generation)
    const [leader, follower] = first.leader === first.id ? [first, second] : [second, first]
    assert.deepEqual(leader.members.toSorted(), [first.id, second.id].toSorted())
    assert.deepEqual(follower.members, [])
    const waiting = follower.sync()
    assert.deepEqual(await leader.sync(), { error: 0, assignment: leader.id })
    assert.deepEqual(await waiting, { error: 0, assignment: follower.id })

    assert.equal(await second.leave(), 0)
    assert.equal(await first.heartbeat(), REBALANCE_IN_PROGRESS)
    assert.equal(await second.heartbeat(), UNKNOWN_MEMBER_ID)
  })

  test('who is not of the current generation neither keeps the session nor commits', async () => {
    const topic = await createTopic(brokers)
    const group = uniqueName('group')
    using member = await RawMember.open(brokers, group)
    await member.join()
    await member.sync()
    const stale = member.generation - 1
    assert.equal(await member.heartbeat(stale), ILLEGAL_GENERATION)
    assert.equal(await member.commit(topic, 7, stale), ILLEGAL_GENERATION)
    assert.equal(await member.commit(topic, 3), 0)

    using stranger = await RawMember.open(brokers, group)
    stranger.id = 'stranger'
    assert.equal(await stranger.join(), UNKNOWN_MEMBER_ID)
    assert.equal(await stranger.commit(topic, 9, member.generation), UNKNOWN_MEMBER_ID)
    assert.equal(await stranger.commit(topic, 9, -1), UNKNOWN_MEMBER_ID)
    const [committed] = await withAdmin(brokers, (admin) =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    )
    assert.equal(committed?.partitions[0]?.offset, '3')
  })

  test('a session shorter than the shortest allowed is refused', async () => {
    using member = await RawMember.open(brokers, uniqueName('group'))
    assert.equal(await member.join(SESSION_TIMEOUT_MS - 1), INVALID_SESSION_TIMEOUT)
  })
}
