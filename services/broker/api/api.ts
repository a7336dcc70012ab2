import type { Groups } from '../groups/groups.ts'
import type { Topics } from '../log/topics.ts'
import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'

/** All state there is. Handlers run on one thread and change it only between two awaits. */
export type Broker = {
  topics: Topics
  groups: Groups
  clusterId: string
  /** Where clients are told to connect to. */
  host: string
  port: number
}

/** One kind of request: what of it this broker knows, and the function that answers it. */
export type Api = {
  key: number
  /** The first and last supported version. The message layouts are those of the Kafka protocol guide. */
  versions: [number, number]
  /** The version from which the response starts with the throttle time; absent: handled by the API itself. */
  throttleSince?: number
  /** Resolves to 'unanswered' where the client expects no response, to 'close' to end the connection. */
  handle(call: Call, broker: Broker): undefined | 'unanswered' | 'close' | Promise<undefined>
}

export type Call = { version: number; clientId: string; request: Reader; response: Writer }

/** The only node of the cluster. */
export const NODE_ID = 1
