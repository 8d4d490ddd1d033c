// kafkajs against the broker given as argument; ends with "N passed, N failed".
'use strict'
const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { Kafka, CompressionTypes, ConfigResourceTypes, logLevel } = require('kafkajs')
const { register } = require('./codecs')

const RUN = randomBytes(4).toString('hex')
const DEADLINE_MS = 120_000
const AT_ONCE = 6
const kafka = new Kafka({ brokers: [process.argv[2]], clientId: 'kafkajs', logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50 } })
const admin = kafka.admin()

async function eventually(what, condition) {
  for (const end = Date.now() + DEADLINE_MS; ; await sleep(20)) {
    if (await condition()) return
    if (Date.now() > end) throw new Error(`never came true: ${what}`)
  }
}

/** Creates a topic and waits until each of its partitions answers. */
async function newTopic(name, numPartitions = 1, configs = {}) {
  const topic = `kafkajs-${name}-${RUN}`
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
  await eventually('the partitions answer', async () => {
    try {
      return (await admin.fetchTopicOffsets(topic)).length === numPartitions
    } catch (error) {
      return false
    }
  })
  return topic
}

async function produce(topic, messages, { producer = {}, ...options } = {}) {
  const sender = kafka.producer({ allowAutoTopicCreation: false, ...producer })
  await sender.connect()
  try {
    return await sender.send({ topic, messages, ...options })
  } finally {
    await sender.disconnect()
  }
}

/** Values v0, v1, ... one second apart from 1,000 s after the epoch on. */
const fill = (topic, count, partition = 0, prefix = 'v') =>
  produce(topic, Array.from({ length: count }, (_, i) => ({ partition, value: `${prefix}${i}`, timestamp: String(1_000_000 + 1000 * i) })))

/** A member of a group that notes what it owns and what it reads. */
class Member {
  constructor(groupId, topic, into, settings = {}) {
    Object.assign(this, { into, owned: [], topic })
    this.consumer = kafka.consumer({ groupId, heartbeatInterval: 200, sessionTimeout: 60_000, maxWaitTimeInMs: 100, allowAutoTopicCreation: false, ...settings })
    this.consumer.on('consumer.group_join', ({ payload }) => { this.owned = payload.memberAssignment[topic] ?? [] })
    this.consumer.on('consumer.rebalancing', () => { this.owned = [] })
  }

  async start(run = {}) {
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: [this.topic], fromBeginning: true })
    await this.consumer.run({ eachMessage: async ({ partition, message }) => { this.into.push({ partition, ...message }) }, ...run })
    return this
  }

  stop() {
    return this.consumer.disconnect()
  }
}

/** Reads until count records have come; `ready` may seek first. */
async function read(topic, count, ready = () => {}, groupId = `kafkajs-read-${randomBytes(4).toString('hex')}`) {
  const member = await new Member(groupId, topic, []).start()
  ready(member.consumer)
  await eventually(`read ${count}`, () => member.into.length >= count)
  await member.stop()
  return member.into
}

const spread = (members, partitions) => {
  const all = members.flatMap((member) => member.owned)
  return members.every((member) => member.owned.length > 0) && all.length === partitions && new Set(all).size === partitions
}

async function topics() {
  const topic = await newTopic('topics', 3, { 'retention.ms': '3600000' })
  const one = { topic, numPartitions: 1, replicationFactor: 1 }
  assert.equal(await admin.createTopics({ topics: [one] }), false)
  await assert.rejects(admin.createTopics({ topics: [{ ...one, topic: 'bad name!' }] }), (e) => e.errors[0].type === 'INVALID_TOPIC_EXCEPTION')
  await assert.rejects(admin.createTopics({ topics: [{ ...one, topic: topic + 'x', replicationFactor: 7 }] }),
    (e) => e.errors[0].type === 'INVALID_REPLICATION_FACTOR')
  await admin.createTopics({ topics: [{ ...one, topic: topic + 'y' }], validateOnly: true, waitForLeaders: false })
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  const partitions = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions
  await eventually('5 partitions', async () => (await partitions()).length === 5)
  for (const partition of await partitions()) assert.deepEqual(partition.isr, [partition.leader])
  await assert.rejects(admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }), (e) => e.type === 'INVALID_PARTITIONS')
  await admin.deleteTopics({ topics: [topic] })
  await eventually('the topic is gone', async () => {
    const names = await admin.listTopics()
    return !names.includes(topic) && !names.includes(topic + 'y')
  })
  await assert.rejects(admin.deleteTopics({ topics: [topic] }), (e) => (e.cause ?? e).type === 'UNKNOWN_TOPIC_OR_PARTITION')
}

async function configs() {
  const name = await newTopic('configs')
  const resource = { type: ConfigResourceTypes.TOPIC, name }
  const value = async (config, of = resource) =>
    (await admin.describeConfigs({ resources: [{ ...of, configNames: [config] }] })).resources[0].configEntries[0].configValue
  await admin.alterConfigs({ resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '7200000' }] }] })
  await eventually('altered', async () => (await value('retention.ms')) === '7200000')
  await assert.rejects(admin.alterConfigs({ resources: [{ ...resource, configEntries: [{ name: 'segment.bytes', value: 'many' }] }] }),
    (e) => e.type === 'INVALID_CONFIG')
  assert.equal(await value('node.id', { type: ConfigResourceTypes.BROKER, name: '1' }), '1')
}

async function roundTrip(codec, idempotent) {
  const topic = await newTopic(`${codec}-${idempotent}`, 2)
  const sent = Array.from({ length: 1000 }, (_, i) => ({
    partition: i % 2,
    key: i % 7 === 0 ? null : Buffer.from(`key-${i % 50}`),
    value: i % 11 === 0 ? null : i === 999 ? randomBytes(900_000) : i % 2 ? Buffer.alloc(i * 3) : randomBytes(i % 300),
    timestamp: String(1_700_000_000_000 + i),
    headers: i % 3 === 0 ? { h: Buffer.from(`header ${i}`), many: [Buffer.from('1'), Buffer.from('2')], empty: Buffer.alloc(0) } : {},
  }))
  const [big] = sent.splice(999)
  const producer = { idempotent, maxInFlightRequests: 1 }
  const options = { compression: CompressionTypes[codec], acks: -1, producer }
  await produce(topic, sent, options)
  await produce(topic, [big], options)
  sent.push(big)
  const next = [0, 0]
  for (const got of await read(topic, sent.length)) {
    assert.equal(Number(got.offset), next[got.partition]++)
    const want = sent[got.offset * 2 + got.partition]
    for (const field of ['key', 'value', 'timestamp', 'headers']) assert.deepEqual(got[field], want[field])
  }
  assert.deepEqual(next, [500, 500])
}

async function acknowledged(acks) {
  const topic = await newTopic(`acks${acks}`)
  await produce(topic, Array.from({ length: 500 }, (_, i) => ({ value: `v${i}` })), { acks })
  assert.deepEqual((await read(topic, 500)).map((got) => got.value.toString()), Array.from({ length: 500 }, (_, i) => `v${i}`))
}

async function refused() {
  const topic = await newTopic('refused', 1, { 'max.message.bytes': '2000' })
  await assert.rejects(produce(topic, [{ value: randomBytes(5000) }]), (e) => e.type === 'MESSAGE_TOO_LARGE')
  assert.equal((await produce(topic, [{ value: 'small' }]))[0].baseOffset, '0')
  const producer = { retry: { retries: 1 } }
  await assert.rejects(produce(topic + '-absent', [{ value: 'v' }], { producer }), (e) => (e.cause ?? e).type === 'UNKNOWN_TOPIC_OR_PARTITION')
}

async function autoCreate() {
  const topic = `kafkajs-auto-${RUN}`
  await produce(topic, [{ value: 'v' }], { producer: { allowAutoTopicCreation: true } })
  assert.ok((await admin.listTopics()).includes(topic))
}

async function seek() {
  const topic = await newTopic('seek')
  await fill(topic, 1000)
  for (const i of [0, 1, 499, 999]) {
    const [{ partition, offset }] = await admin.fetchTopicOffsetsByTimestamp(topic, 1_000_000 + 1000 * i - 1)
    assert.equal(Number(offset), i)
    const got = await read(topic, 1, (consumer) => consumer.seek({ topic, partition, offset }))
    assert.ok(got.some((message) => message.value.toString() === `v${i}`))
  }
  const [ends] = await admin.fetchTopicOffsets(topic)
  assert.deepEqual(ends, { partition: 0, offset: '1000', high: '1000', low: '0' })
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '400' }] })
  assert.equal((await admin.fetchTopicOffsets(topic))[0].low, '400')
  assert.equal((await read(topic, 600))[0].offset, '400')
  await assert.rejects(admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1001' }] }))
}

async function pause() {
  const topic = await newTopic('pause', 2)
  const member = new Member(topic, topic, [])
  await fill(topic, 1, 0)
  await member.start()
  await eventually('the first is read', () => member.into.length >= 1)
  member.consumer.pause([{ topic, partitions: [0] }])
  await fill(topic, 50, 0)
  await fill(topic, 100, 1)
  await eventually('the other partition is read', () => member.into.filter((m) => m.partition === 1).length === 100)
  assert.equal(member.into.length, 101)
  member.consumer.resume([{ topic, partitions: [0] }])
  await eventually('all is read', () => member.into.length >= 151)
  await member.stop()
}

async function commits() {
  const topic = await newTopic('commits')
  await fill(topic, 100)
  const offset = async () => (await admin.fetchOffsets({ groupId: topic, topics: [topic] }))[0].partitions[0]
  const member = await new Member(topic, topic, []).start({ autoCommit: false })
  await eventually('all is read', () => member.into.length >= 100)
  await member.consumer.commitOffsets([{ topic, partition: 0, offset: '33', metadata: 'über 33' }])
  assert.deepEqual(await offset(), { partition: 0, offset: '33', metadata: 'über 33' })
  await member.stop()
  assert.equal((await read(topic, 67, () => {}, topic))[0].value.toString(), 'v33')
  assert.equal((await offset()).offset, '100')
  await admin.setOffsets({ groupId: topic, topic, partitions: [{ partition: 0, offset: '90' }] })
  assert.equal((await read(topic, 10, () => {}, topic))[0].value.toString(), 'v90')
}

async function group() {
  const topic = await newTopic('group', 6)
  const into = []
  const members = []
  for (let i = 0; i < 3; i++) {
    members.push(await new Member(topic, topic, into).start())
    await eventually('the partitions are spread', () => spread(members, 6))
  }
  for (const step of ['a', 'b']) {
    const wanted = []
    for (let partition = 0; partition < 6; partition++) {
      await fill(topic, 100, partition, `${step}${partition}-`)
      for (let i = 0; i < 100; i++) wanted.push(`${step}${partition}-${i}`)
    }
    await eventually('all is read', () => {
      const values = new Set(into.map((message) => message.value.toString()))
      return wanted.every((value) => values.has(value))
    })
    await members.shift().stop()
    await eventually('the partitions are spread', () => spread(members, 6))
  }
  await members[0].stop()
}

async function groups() {
  const topic = await newTopic('groups', 2)
  await fill(topic, 10)
  const member = await new Member(topic, topic, []).start()
  await eventually('all is read', () => member.into.length >= 10)
  const listed = async () => (await admin.listGroups()).groups.find(({ groupId }) => groupId === topic)
  const described = async () => (await admin.describeGroups([topic])).groups[0]
  assert.deepEqual(await listed(), { groupId: topic, protocolType: 'consumer' })
  assert.deepEqual([(await described()).state, (await described()).members.length], ['Stable', 1])
  await assert.rejects(admin.deleteGroups([topic]), (e) => e.groups[0].error.type === 'NON_EMPTY_GROUP')
  await member.stop()
  assert.equal((await described()).state, 'Empty')
  await admin.deleteGroups([topic])
  assert.equal(await listed(), undefined)
  assert.equal((await described()).state, 'Dead')
}

const CHECKS = [
  ['topics: create, grow, refuse, delete', topics],
  ['configs of topics and brokers', configs],
  ...['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'].flatMap((codec) =>
    [false, true].map((idempotent) => [`produce ${codec}${idempotent ? ' idempotent' : ''}`, () => roundTrip(codec, idempotent)])),
  ...[0, 1, -1].map((acks) => [`acks=${acks}`, () => acknowledged(acks)]),
  ['errors: too large, unknown topic', refused],
  ['auto-create on produce', autoCreate],
  ['seek by offset, time; delete records', seek],
  ['pause and resume', pause],
  ['commit, fetch, metadata, restart, set', commits],
  ['group of 3: join, leave', group],
  ['groups: list, describe, delete', groups],
]

async function main() {
  await register()
  await admin.connect()
  let failed = 0
  const waiting = [...CHECKS]
  const worker = async () => {
    for (let next; (next = waiting.shift()); ) {
      try {
        await next[1]()
        console.log(`ok      ${next[0]}`)
      } catch (error) {
        failed++
        console.log(`FAILED  ${next[0]}\n${error.stack}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  await admin.disconnect()
  console.log(`${CHECKS.length - failed} passed, ${failed} failed`)
  process.exit(failed > 0 ? 1 : 0)
}

main()
