import { ERROR } from '../wire/errors.ts'
import type { Writer } from '../wire/writer.ts'
import type { Api } from './api.ts'
import { createTopics } from './create-topics.ts'
import { fetch } from './fetch.ts'
import { findCoordinator } from './find-coordinator.ts'
import { heartbeat } from './heartbeat.ts'
import { joinGroup } from './join-group.ts'
import { leaveGroup } from './leave-group.ts'
import { listOffsets } from './list-offsets.ts'
import { metadata } from './metadata.ts'
import { offsetCommit } from './offset-commit.ts'
import { offsetFetch } from './offset-fetch.ts'
import { produce } from './produce.ts'
import { syncGroup } from './sync-group.ts'

/** Answered here, because its answer is this table. */
export const apiVersions: Api = {
  key: 18,
  versions: [0, 2],
  handle({ version, response }) {
    writeVersions(response, ERROR.none)
    if (version >= 1) response.int32(0) // throttle time
    return undefined
  },
}

/** Every API that this broker knows. */
export const APIS: Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  apiVersions,
  createTopics,
]

/** Version 0 of the response to ApiVersions, with which a client that asks in a newer one starts over. */
export function writeVersions(response: Writer, error: number) {
  response.int16(error)
  response.array(APIS, ({ key, versions }) => {
    for (const value of [key, ...versions]) response.int16(value)
  })
}
