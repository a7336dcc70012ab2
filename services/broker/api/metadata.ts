import type { Topics } from '../log/topics.ts'
import { ERROR } from '../wire/errors.ts'
import { type Api, NODE_ID } from './api.ts'

export const metadata: Api = {
  key: 3,
  versions: [0, 7],
  throttleSince: 3,
  handle({ version, request, response }, { topics, host, port, clusterId }) {
    const asked = request.nullableArray(request.string)
    const mayCreate = version < 4 || request.boolean()
    const all = asked === null || (version === 0 && asked.length === 0)
    response.array([NODE_ID], () => {
      response.int32(NODE_ID)
      response.string(host)
      response.int32(port)
      if (version >= 1) response.string(null) // rack
    })
    if (version >= 2) response.string(clusterId)
    if (version >= 1) response.int32(NODE_ID) // controller
    response.array(all ? topics.names() : asked, (name) => {
      const error = all ? ERROR.none : find(topics, name, mayCreate)
      response.int16(error)
      response.string(name)
      if (version >= 1) response.boolean(false) // internal
      response.array([...(topics.get(name) ?? []).keys()], (partition) => {
        response.int16(ERROR.none)
        response.int32(partition)
        response.int32(NODE_ID) // leader
        if (version >= 7) response.int32(0) // leader epoch
        response.array([NODE_ID], response.int32) // replicas
        response.array([NODE_ID], response.int32) // in sync
        if (version >= 5) response.array([], response.int32) // offline
      })
    })
  },
}

/** A topic that is missing comes into being when the client allows it, as Apache Kafka does by default. */
function find(topics: Topics, name: string, mayCreate: boolean): number {
  const error = topics.check(name, 1)
  if (error === ERROR.topicAlreadyExists) return ERROR.none
  if (error) return error
  if (!mayCreate) return ERROR.unknownTopicOrPartition
  topics.create(name, 1)
  return ERROR.none
}
