import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import '../../services/kafka/connection.ts'
import { within } from '../../services/runtime/deadline.ts'

const DEADLINE_MS = 10_000

const require = createRequire(import.meta.url)
const Connection = require('kafkajs/src/network/connection')
const createSocketFactory = require('kafkajs/src/network/socketFactory')
const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }

test('half an answer of a connection that broke is not put before the next one', async () => {
  await using server = await startServer((socket, request, connections) => {
    if (connections > 1) return void socket.write(answerTo(request))
    socket.write(answerTo(request).subarray(0, 6), () => socket.resetAndDestroy())
  })
  const connection = await server.connect()
  await assert.rejects(ask(connection))
  await connection.connect()
  assert.equal(await ask(connection), 'answer')
})

test('two that connect at once share a connection', async () => {
  await using server = await startServer((socket, request) => void socket.write(answerTo(request)))
  const connection = server.create()
  await Promise.all([connection.connect(), connection.connect()])
  assert.equal(await ask(connection), 'answer')
  assert.equal(server.connections(), 1)
})

test('giving up does not take down what is being opened meanwhile', async () => {
  await using server = await startServer((socket, request) => void socket.write(answerTo(request)))
  const connection = server.create()
  const opened = connection.connect()
  await connection.disconnect()
  await opened
  assert.equal(await ask(connection), 'answer')
})

/** Answers each request as it is told, on 127.0.0.1. */
async function startServer(answer: (socket: Socket, request: Buffer, connections: number) => void) {
  let connections = 0
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    connections++
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (request) => answer(socket, request, connections))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const create = () =>
    new Connection({
      ...{ host: '127.0.0.1', port, logger, socketFactory: createSocketFactory() },
      ...{ connectionTimeout: 3_000, requestTimeout: 60_000, clientId: 'test' },
    })
  return {
    create,
    connect: async () => {
      const connection = create()
      await connection.connect()
      return connection
    },
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The answer's length, the request's number, and the answer. */
function answerTo(request: Buffer): Buffer {
  const body = Buffer.concat([request.subarray(8, 12), Buffer.from('answer')])
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

function ask(connection: { send(call: object): Promise<string> }): Promise<string> {
  const nothing = Buffer.alloc(0)
  const encode = async () => ({ buf: nothing, buffer: nothing })
  const answered = connection.send({
    request: { apiKey: 3, apiVersion: 0, apiName: 'Metadata', encode },
    response: {
      decode: async (bytes: Buffer) => bytes.toString(),
      parse: async (text: string) => text,
    },
  })
  return within(answered, DEADLINE_MS, 'an answer')
}
