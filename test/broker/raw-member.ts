import { until } from '../harness/until.ts'
import { RawClient } from './raw.ts'

const UNKNOWN_MEMBER_ID = 25

/** As kafkajs names its own, so that both can be of one group. */
const PROTOCOL = 'RoundRobinAssigner'

/** A group member that does only what it is told: no heartbeats, no joining again by itself. */
export class RawMember implements Disposable {
  readonly #client: RawClient
  readonly #group: string
  id = ''
  generation = -1
  leader = ''
  members: string[] = []

  private constructor(client: RawClient, group: string) {
    this.#client = client
    this.#group = group
  }

  static async open(brokers: string, group: string) {
    const member = new RawMember(await RawClient.open(brokers), group)
    // The first to ask makes Apache Kafka set up its coordinators, which answer once they have loaded.
    await until('the group has a coordinator', async () => {
      await member.#client.ask(10, 0, (body) => body.string(group))
      return (await member.heartbeat()) === UNKNOWN_MEMBER_ID
    })
    return member
  }

  /** JoinGroup. @returns the error code. */
  async join(sessionTimeoutMs = 6_000): Promise<number> {
    const response = await this.#client.ask(11, 3, (body) => {
      body.string(this.#group)
      body.int32(sessionTimeoutMs)
      body.int32(10_000)
      body.string(this.id)
      body.string('consumer')
      body.array([PROTOCOL], (name) => {
        body.string(name)
        body.bytes(Buffer.alloc(0))
      })
    })
    response.int32()
    const error = response.int16()
    this.generation = response.int32()
    response.nullableString()
    this.leader = response.string()
    this.id = response.string()
    this.members = response.array(() => [response.string(), response.bytes()][0] as string)
    return error
  }

  /** SyncGroup; the leader gives each member its id as assignment. */
  async sync(): Promise<{ error: number; assignment: string }> {
    const response = await this.#client.ask(14, 2, (body) => {
      body.string(this.#group)
      body.int32(this.generation)
      body.string(this.id)
      body.array(this.members, (member) => {
        body.string(member)
        body.bytes(Buffer.from(member))
      })
    })
    response.int32()
    return { error: response.int16(), assignment: String(response.bytes()) }
  }

  async heartbeat(generation = this.generation): Promise<number> {
    const response = await this.#client.ask(12, 2, (body) => {
      body.string(this.#group)
      body.int32(generation)
      body.string(this.id)
    })
    response.int32()
    return response.int16()
  }

  async leave(): Promise<number> {
    const response = await this.#client.ask(13, 2, (body) => {
      body.string(this.#group)
      body.string(this.id)
    })
    response.int32()
    return response.int16()
  }

  /** OffsetCommit (version 2) for partition 0. @returns the error code. */
  async commit(topic: string, offset: number, generation = this.generation): Promise<number> {
    const response = await this.#client.ask(8, 2, (body) => {
      body.string(this.#group)
      body.int32(generation)
      body.string(this.id)
      body.int64(-1)
      body.topics([{ name: topic, partitions: [{ partition: 0 }] }], () => {
        body.int64(offset)
        body.string('')
      })
    })
    return response.topics(() => ({ error: response.int16() }))[0]!.partitions[0]!.error
  }

  [Symbol.dispose]() {
    this.#client[Symbol.dispose]()
  }
}
