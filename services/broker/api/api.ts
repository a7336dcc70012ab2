import type { Groups } from '../groups/groups.ts'
import type { Topics } from '../log/topics.ts'
import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'

/** All the state there is. Only handlers change it, on one thread. */
export type Broker = { topics: Topics; groups: Groups; host: string; port: number }
export type Call = { version: number; clientId: string; request: Reader; response: Writer }

/**
 * Answers one kind of request, in the layout that the Kafka protocol guide gives for its version.
 * What it returns counts only if it is 'unanswered': the client expects no response.
 */
export type Handler = (call: Call, broker: Broker) => unknown

/** The only node of the cluster. */
export const NODE_ID = 1
