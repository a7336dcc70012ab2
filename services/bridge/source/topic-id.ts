import type { Kafka } from 'kafkajs'
import { type Call, openInnerCluster } from './inner-cluster.ts'

/**
 * Kafka gives each topic an id of its own, so that one that was deleted and created again can be told from the one
 * before. It is in Metadata from version 10 on (brokers from 2.8), and kafkajs 2.2.4 asks for 6 at most: so this
 * asks over a connection of kafkajs's own, by its inner parts. kafkajs must be pinned.
 * Format: https://kafka.apache.org/protocol#The_Messages_Metadata (flexible: lengths are unsigned varints plus 1).
 */
export type TopicIds = {
  /** Hex; undefined where the broker has no ids. @throws Error when the topic does not exist. */
  of(topic: string): Promise<string | undefined>
  disconnect(): Promise<void>
}

const METADATA = 3
const VERSION = 10
const ID_BYTES = 16
const NO_ID = '00'.repeat(ID_BYTES)

export function createTopicIds(kafka: Kafka): TopicIds {
  const cluster = openInnerCluster(kafka)
  let connected: Promise<void> | undefined
  return {
    of: async (topic) => {
      connected ??= cluster.connect()
      await connected.catch((error) => {
        connected = undefined
        throw error
      })
      const { versions } = cluster.brokerPool
      if ((versions[METADATA]?.maxVersion ?? 0) < VERSION) return undefined
      const broker = await cluster.brokerPool.findConnectedBroker()
      return broker.connectionPool.send(metadataCall(topic))
    },
    disconnect: () => cluster.disconnect(),
  }
}

function metadataCall(topic: string): Call<string | undefined> {
  const bytes = encodeRequest(topic)
  return {
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: 'Metadata',
      encode: async () => ({ buf: bytes, buffer: bytes }),
    },
    response: { decode: async (payload) => decodeTopicId(payload, topic), parse: async (id) => id },
  }
}

/** Behind the request header: its tags, one topic by name, nothing created, no authorized operations, tags. */
export function encodeRequest(topic: string): Buffer {
  const name = Buffer.from(topic)
  const noTags = 0
  return Buffer.concat([
    Buffer.from([noTags, 2]),
    Buffer.alloc(ID_BYTES),
    Buffer.from([...unsignedVarint(name.length + 1)]),
    name,
    Buffer.from([noTags, 0, 0, 0, noTags]),
  ])
}

/** @throws Error when the broker answers with an error for the topic. */
export function decodeTopicId(payload: Buffer, topic: string): string | undefined {
  let at = 0
  const skip = (bytes: number) => {
    at += bytes
  }
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = payload.readUInt8(at++)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  const skipString = () => skip(Math.max(0, varint() - 1))
  const skipTags = () => {
    for (let tags = varint(); tags > 0; tags--) {
      varint()
      skip(varint())
    }
  }
  skipTags()
  skip(4)
  for (let brokers = varint() - 1; brokers > 0; brokers--) {
    skip(4)
    skipString()
    skip(4)
    skipString()
    skipTags()
  }
  skipString()
  skip(4)
  varint()
  const error = payload.readInt16BE(at)
  skip(2)
  skipString()
  if (error !== 0) throw new Error(`Kafka answers error ${error} for topic ${topic}`)
  const id = payload.toString('hex', at, at + ID_BYTES)
  return id === NO_ID ? undefined : id
}

function* unsignedVarint(value: number) {
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) yield (rest & 0x7f) | 0x80
  yield rest
}
