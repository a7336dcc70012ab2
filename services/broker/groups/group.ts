import { randomUUID } from 'node:crypto'
import { ERROR } from '../wire/errors.ts'
import type { Offsets } from './groups.ts'

/** Apache Kafka's `group.min.session.timeout.ms` and `group.max.session.timeout.ms`. */
const MIN_SESSION_TIMEOUT_MS = 6_000
const MAX_SESSION_TIMEOUT_MS = 1_800_000
const MAX_MEMBERS = 100

type Join = { sessionTimeoutMs: number; protocols: { name: string; metadata: Buffer }[] }
type Member = Join & {
  id: string
  assignment: Buffer
  expiry?: NodeJS.Timeout
  /** Answers, with an error code, the join or the sync request that the member waits for. */
  answer?: ((error: number) => void) | undefined
}

/**
 * A consumer group and its rebalances, after Kafka's classic protocol: `rebalancing` until every member has
 * joined or has expired, `syncing` until the leader has sent the assignments, then `stable`.
 */
export class Group {
  readonly offsets: Offsets
  readonly members = new Map<string, Member>()
  generation = 0
  leader = ''
  protocol = ''
  #state: 'empty' | 'rebalancing' | 'syncing' | 'stable' = 'empty'

  constructor(offsets: Offsets) {
    this.offsets = offsets
  }

  /** Resolves when the rebalance that this starts or joins is complete. `memberId` is empty for a new member. */
  async join(memberId: string, clientId: string, join: Join) {
    const error = this.#checkJoin(memberId, join)
    if (error) return { error, id: memberId }
    const id = memberId || `${clientId}-${randomUUID()}`
    const member = this.members.get(id) ?? { ...join, id, assignment: Buffer.alloc(0) }
    this.members.set(id, Object.assign(member, join))
    this.#startRebalance()
    const answer = this.#wait(member)
    this.#completeJoin()
    return { error: await answer, id }
  }

  /** Resolves when the leader has sent the assignments; the member's is then in `members`. */
  async sync(memberId: string, generation: number, assignments: Map<string, Buffer>) {
    const error = this.heartbeat(memberId, generation)
    if (error || this.#state === 'stable') return error
    const answer = this.#wait(this.members.get(memberId)!)
    if (memberId === this.leader) {
      this.#state = 'stable'
      for (const member of this.members.values()) {
        member.assignment = assignments.get(member.id) ?? Buffer.alloc(0)
        this.#answer(member, ERROR.none)
      }
    }
    return await answer
  }

  heartbeat(memberId: string, generation: number): number {
    const error = this.#check(memberId, generation)
    return error || this.#state !== 'rebalancing' ? error : ERROR.rebalanceInProgress
  }

  /** Error code for a commit: of a member, or, with a negative generation, of anyone while there are none. */
  checkCommit(memberId: string, generation: number): number {
    if (generation < 0 && this.members.size === 0) return ERROR.none
    const error = this.#check(memberId, generation)
    return error || this.#state !== 'syncing' ? error : ERROR.rebalanceInProgress
  }

  remove(member: Member) {
    this.members.delete(member.id)
    this.#answer(member, ERROR.unknownMemberId)
    clearTimeout(member.expiry)
    this.#startRebalance()
    this.#completeJoin()
  }

  #check(memberId: string, generation: number): number {
    const member = this.members.get(memberId)
    if (!member) return ERROR.unknownMemberId
    if (generation !== this.generation) return ERROR.illegalGeneration
    if (!member.answer) this.#answer(member, ERROR.none)
    return ERROR.none
  }

  #checkJoin(memberId: string, { sessionTimeoutMs, ...join }: Join): number {
    if (sessionTimeoutMs < MIN_SESSION_TIMEOUT_MS || sessionTimeoutMs > MAX_SESSION_TIMEOUT_MS) {
      return ERROR.invalidSessionTimeout
    }
    if (memberId !== '' && !this.members.has(memberId)) return ERROR.unknownMemberId
    if (memberId === '' && this.members.size >= MAX_MEMBERS) return ERROR.groupFull
    const others = [...this.members.values()].filter(({ id }) => id !== memberId)
    return sharedProtocol([join, ...others]) ? ERROR.none : ERROR.inconsistentGroupProtocol
  }

  #startRebalance() {
    if (this.#state === 'rebalancing') return
    this.#state = 'rebalancing'
    for (const member of this.members.values()) this.#answer(member, ERROR.rebalanceInProgress)
  }

  #completeJoin() {
    const members = [...this.members.values()]
    if (this.#state !== 'rebalancing' || members.some(({ answer }) => !answer)) return
    this.#state = members.length === 0 ? 'empty' : 'syncing'
    this.generation++
    if (!this.members.has(this.leader)) this.leader = members[0]?.id ?? ''
    this.protocol = sharedProtocol(members) ?? ''
    for (const member of members) this.#answer(member, ERROR.none)
  }

  /** While an answer is owed to it, a member cannot speak, and does not expire. */
  #wait(member: Member): Promise<number> {
    this.#answer(member, ERROR.rebalanceInProgress)
    clearTimeout(member.expiry)
    return new Promise((resolve) => {
      member.answer = resolve
    })
  }

  /** Answers what the member waits for, if it does, and gives it its session timeout from now. */
  #answer(member: Member, error: number) {
    member.answer?.(error)
    member.answer = undefined
    clearTimeout(member.expiry)
    member.expiry = setTimeout(() => this.remove(member), member.sessionTimeoutMs)
  }
}

/** The first protocol of the first member that all members know. */
function sharedProtocol([first, ...others]: Pick<Join, 'protocols'>[]): string | undefined {
  return first?.protocols.find(({ name }) =>
    others.every(({ protocols }) => protocols.some((protocol) => protocol.name === name)),
  )?.name
}
