import { ERROR } from '../wire/errors.ts'
import type { Writer } from '../wire/writer.ts'
import type { Handler } from './api.ts'
import { createTopics } from './create-topics.ts'
import { fetch } from './fetch.ts'
import { findCoordinator } from './find-coordinator.ts'
import { heartbeat } from './heartbeat.ts'
import { initProducerId } from './init-producer-id.ts'
import { joinGroup } from './join-group.ts'
import { leaveGroup } from './leave-group.ts'
import { listOffsets } from './list-offsets.ts'
import { metadata } from './metadata.ts'
import { offsetCommit } from './offset-commit.ts'
import { offsetFetch } from './offset-fetch.ts'
import { produce } from './produce.ts'
import { syncGroup } from './sync-group.ts'

/** `throttleSince`: from this version on a response starts with the throttle time (where it stands elsewhere: never). */
type Api = { key: number; first: number; last: number; throttleSince: number; handle: Handler }

/** Every request that this broker knows, in the versions of Kafka 2.1 that need neither old formats nor static members. */
export const APIS: Api[] = [
  { key: 0, first: 0, last: 7, throttleSince: Infinity, handle: produce },
  { key: 1, first: 4, last: 11, throttleSince: 1, handle: fetch },
  { key: 2, first: 1, last: 4, throttleSince: 2, handle: listOffsets },
  { key: 3, first: 0, last: 7, throttleSince: 3, handle: metadata },
  { key: 8, first: 2, last: 6, throttleSince: 3, handle: offsetCommit },
  { key: 9, first: 1, last: 5, throttleSince: 3, handle: offsetFetch },
  { key: 10, first: 0, last: 2, throttleSince: 1, handle: findCoordinator },
  { key: 11, first: 0, last: 3, throttleSince: 2, handle: joinGroup },
  { key: 12, first: 0, last: 2, throttleSince: 1, handle: heartbeat },
  { key: 13, first: 0, last: 2, throttleSince: 1, handle: leaveGroup },
  { key: 14, first: 0, last: 2, throttleSince: 1, handle: syncGroup },
  { key: 18, first: 0, last: 2, throttleSince: Infinity, handle: apiVersions },
  { key: 19, first: 0, last: 3, throttleSince: 2, handle: createTopics },
  { key: 22, first: 0, last: 1, throttleSince: 0, handle: initProducerId },
]

/** To a version that is not supported, the answer is this table in version 0, with which the client starts over. */
export function apiVersions({ version, response }: { version: number; response: Writer }) {
  const isSupported = version >= 0 && version <= 2
  response.int16(isSupported ? ERROR.none : ERROR.unsupportedVersion)
  response.array(APIS, ({ key, first, last }) => {
    for (const value of [key, first, last]) response.int16(value)
  })
  if (isSupported && version >= 1) response.int32(0) // throttle time
}
