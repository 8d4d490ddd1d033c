"""kafka-python and aiokafka against the broker given as argument; ends with "N passed, N failed"."""

import asyncio
import sys
import threading
import time
import traceback
import uuid

import aiokafka
import aiokafka.admin
import kafka
import kafka.admin
from aiokafka.errors import CommitFailedError
from kafka.errors import MessageSizeTooLargeError, TopicAlreadyExistsError

BOOTSTRAP = sys.argv[1]
RUN = uuid.uuid4().hex[:8]
DEADLINE_S = 120
CODECS = (None, "gzip", "snappy", "lz4", "zstd")
admin = kafka.KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def records(count):
    """Keys, values and headers with empty ones, a null value and bytes that are no text."""
    make = lambda i: (f"key-{i}".encode(), None if i == 3 else bytes([i % 256]) * (i * 7), [("n", str(i).encode()), ("empty", b"")])
    return [make(i) for i in range(count)]


def eventually(condition):
    end = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < end, "never came true"
        time.sleep(0.02)
    return value


def new_topic(name, partitions=1, **config):
    topic = f"pure-{name}-{RUN}"
    properties = {key.replace("_", "."): value for key, value in config.items()}
    admin.create_topics([kafka.admin.NewTopic(topic, partitions, 1, topic_configs=properties)])
    return topic


def consume(topic, count, **settings):
    settings = {"auto_offset_reset": "earliest", "consumer_timeout_ms": DEADLINE_S * 1000, **settings}
    consumer = kafka.KafkaConsumer(topic, bootstrap_servers=BOOTSTRAP, **settings)
    found = []
    for record in consumer:
        found.append(record)
        if len(found) == count:
            break
    consumer.close()
    return found


def round_trip(codec):
    topic = new_topic(f"codec-{codec}")
    producer = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP, compression_type=codec, linger_ms=20, acks="all")
    sent = [(producer.send(topic, key=k, value=v, headers=h), (k, v, h)) for k, v, h in records(100)]
    producer.flush()
    for offset, (future, _) in enumerate(sent):
        assert future.get(DEADLINE_S).offset == offset
    producer.close()
    found = consume(topic, 100)
    assert [(r.key, r.value, r.headers) for r in found] == [wanted for _, wanted in sent]


def topics():
    topic = new_topic("topics", 2, retention_ms="3600000")
    try:
        admin.create_topics([kafka.admin.NewTopic(topic, 2, 1)])
        raise AssertionError("created twice")
    except TopicAlreadyExistsError:
        pass
    assert topic in admin.list_topics()
    admin.create_partitions({topic: kafka.admin.NewPartitions(4)})
    assert len(admin.describe_topics([topic])[0]["partitions"]) == 4
    admin.delete_topics([topic])
    eventually(lambda: topic not in admin.list_topics())


def too_large():
    topic = new_topic("large", 1, max_message_bytes="2000")
    producer = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP)
    try:
        producer.send(topic, b"x" * 10000).get(DEADLINE_S)
        raise AssertionError("taken")
    except MessageSizeTooLargeError:
        pass
    finally:
        producer.close()


def seek():
    topic = new_topic("seek")
    partition = kafka.TopicPartition(topic, 0)
    producer = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP)
    for i in range(50):
        producer.send(topic, str(i).encode(), timestamp_ms=1_700_000_000_000 + i * 1000)
    producer.flush()
    consumer = kafka.KafkaConsumer(bootstrap_servers=BOOTSTRAP, consumer_timeout_ms=DEADLINE_S * 1000)
    consumer.assign([partition])
    at = consumer.offsets_for_times({partition: 1_700_000_000_000 + 20_500})[partition]
    assert at.offset == 21, at
    for offset in (21, 0, 49):
        consumer.seek(partition, offset)
        assert next(consumer).value == str(offset).encode()
    assert consumer.beginning_offsets([partition])[partition] == 0
    assert consumer.end_offsets([partition])[partition] == 50
    consumer.close()


def commits():
    topic, group = new_topic("commits"), f"pure-commits-{RUN}"
    producer = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP)
    for i in range(20):
        producer.send(topic, str(i).encode())
    producer.flush()
    consumer = kafka.KafkaConsumer(
        topic, bootstrap_servers=BOOTSTRAP, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
        consumer_timeout_ms=DEADLINE_S * 1000)
    for _ in range(10):
        next(consumer)
    partition = kafka.TopicPartition(topic, 0)
    consumer.commit({partition: kafka.OffsetAndMetadata(10, "ten", -1)})
    assert consumer.committed(partition) == 10
    consumer.close()
    assert consume(topic, 1, group_id=group)[0].value == b"10"
    assert (group, "consumer") in admin.list_consumer_groups()
    eventually(lambda: admin.describe_consumer_groups([group])[0].state == "Empty")
    admin.delete_consumer_groups([group])
    assert (group, "consumer") not in admin.list_consumer_groups()


def group():
    topic, name = new_topic("group", 6), f"pure-group-{RUN}"
    producer = kafka.KafkaProducer(bootstrap_servers=BOOTSTRAP)
    for i in range(300):
        producer.send(topic, str(i).encode(), partition=i % 6)
    producer.flush()
    seen, lock, stop = {}, threading.Lock(), threading.Event()

    def member(number, leaves):
        consumer = kafka.KafkaConsumer(
            topic, bootstrap_servers=BOOTSTRAP, group_id=name, auto_offset_reset="earliest", session_timeout_ms=6000,
            heartbeat_interval_ms=500)
        while not stop.is_set():
            for batch in consumer.poll(200).values():
                with lock:
                    for record in batch:
                        seen.setdefault(record.value, set()).add(number)
            if leaves.is_set():
                break
        consumer.close()

    leaves = [threading.Event() for _ in range(3)]
    threads = [threading.Thread(target=member, args=(n, leaves[n]), daemon=True) for n in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(seen) == 300)
    leaves[0].set()
    threads[0].join(DEADLINE_S)
    for i in range(300, 360):
        producer.send(topic, str(i).encode(), partition=i % 6)
    producer.flush()
    eventually(lambda: len(seen) == 360)
    stop.set()
    for thread in threads:
        thread.join(DEADLINE_S)


async def aio_round_trip(codec, idempotent):
    topic = new_topic(f"aio-{codec}-{idempotent}")
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=BOOTSTRAP, compression_type=codec, enable_idempotence=idempotent, linger_ms=20)
    await producer.start()
    wanted = records(100)
    futures = [await producer.send(topic, key=k, value=v, headers=h) for k, v, h in wanted]
    for offset, future in enumerate(futures):
        assert (await future).offset == offset
    await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=BOOTSTRAP, auto_offset_reset="earliest")
    await consumer.start()
    found = [await asyncio.wait_for(consumer.getone(), DEADLINE_S) for _ in wanted]
    await consumer.stop()
    assert [(r.key, r.value, list(r.headers)) for r in found] == wanted


async def aio_group():
    topic, name = new_topic("aio-group", 4), f"aio-group-{RUN}"
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=BOOTSTRAP)
    await producer.start()
    for i in range(200):
        await producer.send(topic, str(i).encode(), partition=i % 4)
    await producer.flush()
    seen = set()

    async def member(count):
        consumer = aiokafka.AIOKafkaConsumer(
            topic, bootstrap_servers=BOOTSTRAP, group_id=name, auto_offset_reset="earliest", session_timeout_ms=6000,
            heartbeat_interval_ms=500, group_instance_id=f"member-{count}")
        await consumer.start()
        try:
            while len(seen) < 200:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    seen.update(record.value for record in batch)
            await commit(consumer)
        finally:
            await consumer.stop()

    async def commit(consumer):
        while True:
            try:
                return await consumer.commit()
            except CommitFailedError:
                # Another member joins at this time; to poll is to join again.
                await consumer.getmany(timeout_ms=200)

    await asyncio.wait_for(asyncio.gather(*(member(n) for n in range(3))), DEADLINE_S)
    await producer.stop()


async def aio_seek():
    topic = new_topic("aio-seek")
    partition = aiokafka.TopicPartition(topic, 0)
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=BOOTSTRAP)
    await producer.start()
    for i in range(30):
        await producer.send_and_wait(topic, str(i).encode(), timestamp_ms=1_700_000_000_000 + i * 1000)
    await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP)
    await consumer.start()
    consumer.assign([partition])
    found = await consumer.offsets_for_times({partition: 1_700_000_000_000 + 9_500})
    assert found[partition].offset == 10
    consumer.seek(partition, 25)
    assert (await asyncio.wait_for(consumer.getone(), DEADLINE_S)).value == b"25"
    await consumer.seek_to_beginning(partition)
    assert (await asyncio.wait_for(consumer.getone(), DEADLINE_S)).value == b"0"
    await consumer.stop()


CHECKS = [
    ("kafka-python: topics", topics),
    *((f"kafka-python: produce {codec}", lambda codec=codec: round_trip(codec)) for codec in CODECS),
    ("kafka-python: message too large", too_large), ("kafka-python: seek by offset and time", seek),
    ("kafka-python: commit, restart, list, describe and delete the group", commits), ("kafka-python: group of 3", group),
    *((f"aiokafka: produce {codec}{' idempotent' if idempotent else ''}",
       lambda codec=codec, idempotent=idempotent: asyncio.run(aio_round_trip(codec, idempotent)))
      for codec in CODECS for idempotent in (False, True)),
    ("aiokafka: group of 3 static members", lambda: asyncio.run(aio_group())),
    ("aiokafka: seek by offset and time", lambda: asyncio.run(aio_seek()))]


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
