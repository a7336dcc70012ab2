import type { Topics } from '../log/topics.ts'
import { ERROR } from '../wire/errors.ts'
import { type Handler, NODE_ID } from './api.ts'

export const metadata: Handler = ({ version, request, response }, { topics, host, port }) => {
  const asked = request.nullableArray(request.string)
  const mayCreate = version < 4 || request.int8() !== 0
  const isAll = asked === null || (version === 0 && asked.length === 0)
  response.array([NODE_ID], (node) => {
    response.int32(node)
    response.string(host)
    response.int32(port)
    if (version >= 1) response.string(null) // rack
  })
  if (version >= 2) response.string('development') // cluster id
  if (version >= 1) response.int32(NODE_ID) // controller
  response.array(isAll ? topics.names() : asked, (name) => {
    response.int16(findOrCreate(topics, name, mayCreate))
    response.string(name)
    if (version >= 1) response.int8(0) // internal
    response.array([...topics.get(name).keys()], (partition) => {
      response.int16(ERROR.none)
      response.int32(partition)
      response.int32(NODE_ID) // leader
      if (version >= 7) response.int32(0) // leader epoch
      response.array([NODE_ID], response.int32) // replicas
      response.array([NODE_ID], response.int32) // in sync
      if (version >= 5) response.array([], response.int32) // offline
    })
  })
}

/** A missing topic comes into being when the client allows it, as Apache Kafka does by default. */
function findOrCreate(topics: Topics, name: string, mayCreate: boolean): number {
  const error = topics.check(name, 1)
  if (error) return error === ERROR.topicAlreadyExists ? ERROR.none : error
  if (mayCreate) topics.create(name, 1)
  return mayCreate ? ERROR.none : ERROR.unknownTopicOrPartition
}
