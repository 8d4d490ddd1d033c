"""confluent-kafka (librdkafka) against the broker given as argument; ends with "N passed, N failed"."""

import random
import sys
import threading
import time
import traceback
import uuid

from confluent_kafka import (
    OFFSET_BEGINNING, OFFSET_END, Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition)
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType)

BOOTSTRAP = sys.argv[1]
RUN = uuid.uuid4().hex[:8]
DEADLINE_S = 120
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def eventually(condition):
    """Waits until the condition holds and returns what it gave."""
    end = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < end, "never came true"
        time.sleep(0.02)
    return value


def results(futures):
    return {key: future.result(DEADLINE_S) for key, future in futures.items()}


def refused(code, futures):
    try:
        results(futures)
    except KafkaException as error:
        assert error.args[0].code() == code, error
    else:
        raise AssertionError(f"wanted error {code}")


def new_topic(name, partitions=1, **config):
    """Creates a topic and waits until each of its partitions answers."""
    topic = f"librdkafka-{name}-{RUN}"
    results(admin.create_topics([NewTopic(topic, partitions, 1, config={k.replace("_", "."): v for k, v in config.items()})]))
    eventually(lambda: serves(topic, partitions))
    return topic


def serves(topic, partitions):
    """A broker takes any first sequence from a producer that it does not know, so nothing may be sent too early."""
    try:
        return results(admin.list_offsets({TopicPartition(topic, i): OffsetSpec.latest() for i in range(partitions)}))
    except KafkaException:
        return None


def produce(records, **settings):
    """Sends (topic, partition, key, value, timestamp, headers) and returns each one's offset or error."""
    producer = Producer({"bootstrap.servers": BOOTSTRAP, **{k.replace("_", "."): v for k, v in settings.items()}})
    outcome = [None] * len(records)
    for i, (topic, partition, key, value, timestamp, headers) in enumerate(records):
        def report(error, message, i=i):
            outcome[i] = error or message.offset()
        producer.produce(topic, value, key, partition, timestamp=timestamp, headers=headers, on_delivery=report)
        producer.poll(0)
    assert producer.flush(DEADLINE_S) == 0
    return outcome


def fill(topic, count, partition=0, prefix="v"):
    offsets = produce([(topic, partition, f"k{i}", f"{prefix}{i}", 1_000_000 + 1000 * i, None) for i in range(count)])
    assert all(isinstance(offset, int) for offset in offsets), offsets


def consumer(**settings):
    return Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": f"unused-{RUN}", "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, **{k.replace("_", "."): v for k, v in settings.items()}})


def read(source, count):
    messages = []
    end = time.monotonic() + DEADLINE_S
    while len(messages) < count:
        assert time.monotonic() < end, f"read {len(messages)} of {count}"
        for message in source.consume(count - len(messages), 0.2):
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)
    return messages


def topics():
    topic = new_topic("topics", 3)
    assert len(admin.list_topics(topic).topics[topic].partitions) == 3
    refused(KafkaError.TOPIC_ALREADY_EXISTS, admin.create_topics([NewTopic(topic, 1, 1)]))
    refused(KafkaError.TOPIC_EXCEPTION, admin.create_topics([NewTopic("bad name!", 1, 1)]))
    results(admin.create_partitions([NewPartitions(topic, 5)]))
    eventually(lambda: len(admin.list_topics(topic).topics[topic].partitions) == 5)
    fill(topic, 10)
    results(admin.delete_topics([topic]))
    eventually(lambda: topic not in admin.list_topics().topics)


def configs():
    topic = new_topic("configs", retention_ms="3600000")
    resource = ConfigResource(ResourceType.TOPIC, topic)

    def value(name):
        return results(admin.describe_configs([resource]))[resource][name].value
    assert value("retention.ms") == "3600000"
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
        ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)])
    results(admin.incremental_alter_configs([change]))
    eventually(lambda: value("retention.ms") == "7200000" and value("cleanup.policy") == "delete,compact")


def round_trip(codec, idempotent):
    topic = new_topic(f"{codec}-{idempotent}".lower(), 2)
    source = random.Random(codec)
    records = []
    for i in range(2000):
        value = None if i % 11 == 0 else source.randbytes(source.randrange(20_000 if i % 100 == 1 else 300))
        headers = [("h", f"header {i}".encode()), ("h", None), ("e", b"")] if i % 3 == 0 else None
        records.append((topic, i % 2, None if i % 7 == 0 else f"key-{i % 50}".encode(), value, 1_700_000_000_000 + i, headers))
    offsets = produce(records, compression_type=codec, enable_idempotence=idempotent, linger_ms=5)
    assert offsets == [i // 2 for i in range(2000)]
    reader = consumer()
    reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING), TopicPartition(topic, 1, OFFSET_BEGINNING)])
    expected = [0, 0]
    for message in read(reader, len(records)):
        partition = message.partition()
        assert message.offset() == expected[partition]
        expected[partition] += 1
        want = records[message.offset() * 2 + partition]
        assert (message.key(), message.value(), message.timestamp()[1], message.headers()) == want[2:]
    reader.close()


def acks(level):
    topic = new_topic(f"acks{level}")
    produce([(topic, 0, None, f"v{i}", 0, None) for i in range(500)], acks=level)
    reader = consumer()
    reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    assert [m.value() for m in read(reader, 500)] == [f"v{i}".encode() for i in range(500)]
    reader.close()


def too_large():
    topic = new_topic("large", max_message_bytes="2000")
    error, = produce([(topic, 0, None, random.Random(1).randbytes(5000), 0, None)])
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert produce([(topic, 0, None, b"small", 0, None)]) == [0]


def auto_create():
    assert produce([(f"librdkafka-auto-{RUN}", 0, None, b"v", 0, None)]) == [0]


def seek():
    topic = new_topic("seek")
    fill(topic, 1000)
    reader = consumer()
    reader.assign([TopicPartition(topic, 0, 700)])
    assert read(reader, 1)[0].offset() == 700
    reader.seek(TopicPartition(topic, 0, OFFSET_BEGINNING))
    assert read(reader, 1)[0].offset() == 0
    for i in (0, 1, 499, 999):
        found, = reader.offsets_for_times([TopicPartition(topic, 0, 1_000_000 + 1000 * i - 1)], DEADLINE_S)
        assert found.offset == i, found
        reader.seek(found)
        assert read(reader, 1)[0].value() == f"v{i}".encode()
    found, = reader.offsets_for_times([TopicPartition(topic, 0, 10_000_000)], DEADLINE_S)
    assert found.offset == OFFSET_END
    assert reader.get_watermark_offsets(TopicPartition(topic, 0), DEADLINE_S) == (0, 1000)
    reader.close()
    low = results(admin.delete_records([TopicPartition(topic, 0, 400)]))[TopicPartition(topic, 0)].low_watermark
    assert low == 400
    reader = consumer()
    reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    assert read(reader, 600)[0].offset() == 400
    reader.close()


def pause():
    topic = new_topic("pause", 2)
    fill(topic, 100, 0)
    fill(topic, 100, 1)
    reader = consumer()
    reader.assign([TopicPartition(topic, 0, 0), TopicPartition(topic, 1, 0)])
    reader.pause([TopicPartition(topic, 0)])
    assert {m.partition() for m in read(reader, 100)} == {1}
    reader.resume([TopicPartition(topic, 0)])
    assert {m.partition() for m in read(reader, 100)} == {0}
    reader.close()


def commits():
    topic = new_topic("commits")
    fill(topic, 100)
    first = consumer(group_id=topic)
    first.subscribe([topic])
    first.commit(read(first, 10)[-1], asynchronous=False)
    assert first.committed([TopicPartition(topic, 0)], DEADLINE_S)[0].offset == 10
    first.commit(read(first, 10)[-1], asynchronous=True)
    eventually(lambda: first.committed([TopicPartition(topic, 0)], DEADLINE_S)[0].offset == 20)
    first.close()
    second = consumer(group_id=topic)
    second.subscribe([topic])
    assert read(second, 80)[0].offset() == 20
    second.close()


class Member(threading.Thread):
    """A group member on its own thread."""

    def __init__(self, topic, values, **settings):
        super().__init__(daemon=True)
        self.consumer = consumer(group_id=topic, session_timeout_ms=60000, heartbeat_interval_ms=500, **settings)
        self.values, self.stopping, self.owned = values, False, frozenset()
        self.consumer.subscribe([topic])
        self.start()

    def run(self):
        while not self.stopping:
            for message in self.consumer.consume(500, 0.05):
                if not message.error():
                    self.values.append(message.value())
            self.owned = frozenset(p.partition for p in self.consumer.assignment())
        self.consumer.close()

    def leave(self):
        self.stopping = True
        self.join(DEADLINE_S)


def spread(members, partitions):
    owned = [member.owned for member in members]
    return all(owned) and sum(map(len, owned)) == partitions == len(frozenset().union(*owned))


def group(strategy):
    topic, values, members = new_topic(f"group-{strategy}", 6), [], []
    for _ in range(3):
        members.append(Member(topic, values, partition_assignment_strategy=strategy, enable_auto_commit=True))
        eventually(lambda: spread(members, 6))
    for step in "ab":
        for partition in range(6):
            fill(topic, 100, partition, f"{step}{partition}-")
        wanted = {f"{step}{p}-{i}".encode() for p in range(6) for i in range(100)}
        eventually(lambda: wanted <= set(values))
        members.pop(0).leave()
        eventually(lambda: spread(members, 6))
    description = admin.describe_consumer_groups([topic])[topic].result(DEADLINE_S)
    assert len(description.members) == 1 and description.state.name == "STABLE", description
    members.pop().leave()


def static_members():
    topic, values = new_topic("static", 4), []
    one, two = (Member(topic, values, group_instance_id=name) for name in ("one", "two"))
    eventually(lambda: spread([one, two], 4))
    before = two.owned
    two.leave()
    two = Member(topic, values, group_instance_id="two")
    eventually(lambda: two.owned == before and spread([one, two], 4))
    one.leave()
    two.leave()


def groups():
    topic = new_topic("groups")
    fill(topic, 10)
    member = consumer(group_id=topic)
    member.subscribe([topic])
    member.commit(read(member, 10)[-1], asynchronous=False)
    refused(KafkaError.NON_EMPTY_GROUP, admin.delete_consumer_groups([topic]))
    member.close()
    eventually(lambda: results(admin.describe_consumer_groups([topic]))[topic].state.name == "EMPTY")
    assert topic in {g.group_id for g in admin.list_consumer_groups().result(DEADLINE_S).valid}
    results(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(topic, [TopicPartition(topic, 0, 3)])]))
    listed = results(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(topic)]))[topic]
    assert [p.offset for p in listed.topic_partitions] == [3]
    results(admin.delete_consumer_groups([topic]))
    assert topic not in {g.group_id for g in admin.list_consumer_groups().result(DEADLINE_S).valid}


CHECKS = [
    ("topics: create, grow, refuse, delete", topics), ("configs of a topic", configs),
    *((f"produce {codec}{' idempotent' if idempotent else ''}", lambda c=codec, i=idempotent: round_trip(c, i))
      for codec in ("none", "gzip", "snappy", "lz4", "zstd") for idempotent in (False, True)),
    *((f"acks={level}", lambda level=level: acks(level)) for level in ("0", "1", "all")),
    ("message too large", too_large), ("auto-create on produce", auto_create),
    ("seek by offset, beginning, time; delete records", seek), ("pause and resume", pause),
    ("commit sync, async, restart", commits),
    *((f"group of 3 with {s}", lambda s=s: group(s)) for s in ("range", "cooperative-sticky")),
    ("static membership", static_members), ("groups: list, describe, alter offsets, delete", groups)]


def main():
    failed = 0
    for name, check in CHECKS:
        try:
            check()
            print(f"ok      {name}")
        except Exception:
            failed += 1
            print(f"FAILED  {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CHECKS) - failed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)


main()
