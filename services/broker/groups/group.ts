import { randomUUID } from 'node:crypto'
import { ERROR } from '../wire/errors.ts'
import type { Offsets } from './groups.ts'

/** Apache Kafka's `group.min.session.timeout.ms` and `group.max.session.timeout.ms`. */
const MIN_SESSION_TIMEOUT_MS = 6_000
const MAX_SESSION_TIMEOUT_MS = 1_800_000
const MAX_MEMBERS = 100

export type Join = {
  /** Empty: a new member. */
  memberId: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocolType: string
  protocols: { name: string; metadata: Buffer }[]
}
export type Joined = { error: number; member: Member | undefined }
export type Synced = { error: number; assignment: Buffer }
type Member = Join & {
  assignment: Buffer
  expiry?: NodeJS.Timeout | undefined
  /** Answers the join or sync request that the member waits for. */
  joining?: ((joined: Joined) => void) | undefined
  syncing?: ((synced: Synced) => void) | undefined
}

const NOTHING = Buffer.alloc(0)

/**
 * A consumer group and its rebalances, after Kafka's classic protocol: `rebalancing` until every member has
 * joined or was given up, `syncing` until the leader has sent the assignments, then `stable`.
 */
export class Group {
  readonly offsets: Offsets
  readonly members = new Map<string, Member>()
  generation = 0
  leader = ''
  protocol = ''
  #state: 'empty' | 'rebalancing' | 'syncing' | 'stable' = 'empty'
  #rebalanceEnd: NodeJS.Timeout | undefined

  constructor(offsets: Offsets) {
    this.offsets = offsets
  }

  /** Resolves when the rebalance that this starts, or that is under way, is complete. */
  join(join: Join, clientId: string): Promise<Joined> {
    const known = this.members.get(join.memberId)
    const error = this.#checkJoin(join, known)
    if (error) return Promise.resolve({ error, member: undefined })
    const memberId = join.memberId || `${clientId}-${randomUUID()}`
    const member: Member = Object.assign(known ?? { assignment: NOTHING }, join, { memberId })
    member.joining?.({ error: ERROR.rebalanceInProgress, member: undefined })
    this.members.set(memberId, member)
    this.#startRebalance()
    return new Promise((resolve) => {
      member.joining = resolve
      this.#watch(member)
      this.#completeJoin()
    })
  }

  /** Resolves when the leader has sent the assignments. */
  sync(memberId: string, generation: number, assignments: Map<string, Buffer>): Promise<Synced> {
    const error = this.heartbeat(memberId, generation)
    const member = this.members.get(memberId)
    if (error || !member || this.#state === 'stable') {
      return Promise.resolve({ error, assignment: member?.assignment ?? NOTHING })
    }
    return new Promise((resolve) => {
      member.syncing?.({ error: ERROR.rebalanceInProgress, assignment: NOTHING })
      member.syncing = resolve
      this.#watch(member)
      if (memberId === this.leader) this.#completeSync(assignments)
    })
  }

  heartbeat(memberId: string, generation: number): number {
    const error = this.check(memberId, generation)
    return error || this.#state !== 'rebalancing' ? error : ERROR.rebalanceInProgress
  }

  /** Error code for a commit: of a member, or, with a negative generation, of anyone while there are none. */
  mayCommit(memberId: string, generation: number): number {
    if (generation < 0 && this.members.size === 0) return ERROR.none
    const error = this.check(memberId, generation)
    return error || this.#state !== 'syncing' ? error : ERROR.rebalanceInProgress
  }

  /** Error code for a member that speaks, by which it is known to be alive. */
  check(memberId: string, generation: number): number {
    const member = this.members.get(memberId)
    if (!member) return ERROR.unknownMemberId
    if (generation !== this.generation) return ERROR.illegalGeneration
    this.#watch(member)
    return ERROR.none
  }

  remove(member: Member) {
    clearTimeout(member.expiry)
    this.members.delete(member.memberId)
    member.joining?.({ error: ERROR.unknownMemberId, member: undefined })
    member.syncing?.({ error: ERROR.unknownMemberId, assignment: NOTHING })
    this.#startRebalance()
    this.#completeJoin()
  }

  #checkJoin(join: Join, known?: Member): number {
    const timeoutMs = join.sessionTimeoutMs
    if (timeoutMs < MIN_SESSION_TIMEOUT_MS || timeoutMs > MAX_SESSION_TIMEOUT_MS) {
      return ERROR.invalidSessionTimeout
    }
    if (join.memberId !== '' && !known) return ERROR.unknownMemberId
    if (!known && this.members.size >= MAX_MEMBERS) return ERROR.groupFull
    const others = [...this.members.values()].filter((member) => member !== known)
    const fits =
      others.every(({ protocolType }) => protocolType === join.protocolType) &&
      sharedProtocol([join, ...others]) !== undefined
    return fits ? ERROR.none : ERROR.inconsistentGroupProtocol
  }

  #startRebalance() {
    if (this.#state === 'rebalancing') return
    this.#state = 'rebalancing'
    const members = [...this.members.values()]
    for (const member of members) {
      member.syncing?.({ error: ERROR.rebalanceInProgress, assignment: NOTHING })
      member.syncing = undefined
      this.#watch(member)
    }
    const longestMs = Math.max(0, ...members.map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))
    this.#rebalanceEnd = setTimeout(
      () => {
        // All picked first: the last removal completes the join, after which nobody is joining.
        const absent = [...this.members.values()].filter(({ joining }) => !joining)
        for (const member of absent) this.remove(member)
      },
      Math.min(longestMs, MAX_SESSION_TIMEOUT_MS),
    )
  }

  #completeJoin() {
    const members = [...this.members.values()]
    if (this.#state !== 'rebalancing' || members.some(({ joining }) => !joining)) return
    clearTimeout(this.#rebalanceEnd)
    this.#state = members.length === 0 ? 'empty' : 'syncing'
    this.generation++
    if (!this.members.has(this.leader)) this.leader = members[0]?.memberId ?? ''
    this.protocol = sharedProtocol(members) ?? ''
    for (const member of members) {
      member.joining?.({ error: ERROR.none, member })
      member.joining = undefined
      this.#watch(member)
    }
  }

  #completeSync(assignments: Map<string, Buffer>) {
    this.#state = 'stable'
    for (const member of this.members.values()) {
      member.assignment = assignments.get(member.memberId) ?? NOTHING
      member.syncing?.({ error: ERROR.none, assignment: member.assignment })
      member.syncing = undefined
      this.#watch(member)
    }
  }

  /** Gives a member its session timeout from now; none while an answer is owed to it, for then it cannot speak. */
  #watch(member: Member) {
    clearTimeout(member.expiry)
    if (member.joining || member.syncing) return
    member.expiry = setTimeout(() => this.remove(member), member.sessionTimeoutMs)
  }
}

/** The first protocol of the first member that all members know. */
function sharedProtocol([first, ...others]: Pick<Join, 'protocols'>[]): string | undefined {
  return first?.protocols.find(({ name }) =>
    others.every(({ protocols }) => protocols.some((protocol) => protocol.name === name)),
  )?.name
}
