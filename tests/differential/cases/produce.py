"""Produce: batches good and bad, sequences, timestamps, acks."""

import time
import uuid

from case import case, requests
from records import (CONTROL, GZIP, LOG_APPEND_TIME, LZ4, SNAPPY, THEN, TRANSACTIONAL, ZSTD, batch, message, record)


def produce(c, name, *datas, acks=-1, timeout=30_000, transactional_id=None):
    """Appends to the partitions 0, 1, ... of one topic; a pair names the partition."""
    partitions = [data if isinstance(data, tuple) else (index, data) for index, data in enumerate(datas)]
    return {"TransactionalId": transactional_id, "Acks": acks, "TimeoutMs": timeout, "TopicData": [
        {"Name": name, "TopicId": c.ids.get(name, uuid.UUID(int=77)), "PartitionData": [
            {"Index": index, "Records": data} for index, data in partitions]}]}


def to_one_topic(name, *datas, **configs):
    """Each of the batches in a request of its own; then what is in the log."""
    def steps(c):
        topic = c.topic(**configs)
        for data in datas:
            c.ask(produce(c, topic, data() if callable(data) else data))
        read_back(c, topic)
    steps.__name__ = name
    case("Produce")(steps)


def read_back(c, topic):
    c.ask({"ReplicaId": -1, "MinBytes": 1, "MaxWaitMs": 0, "Topics": [{"Topic": topic, "Partitions": [
        {"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": 1 << 20}]}]}, "Fetch", 12)
    c.ask({"ReplicaId": -1, "Topics": [{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "Timestamp": at} for at in (-1,)]}]}, "ListOffsets", 11)


GOOD = batch([b"a", b"bc", None])
to_one_topic("codecs", *(batch([b"abc" * 9], codec=codec) for codec in (0, GZIP, SNAPPY, LZ4, ZSTD)))
to_one_topic("several batches at once", GOOD + batch([b"x"]), batch() * 2)
to_one_topic("bad checksum", batch(crc=1), GOOD)
to_one_topic("bad magic", batch(magic=3), batch(magic=-1), GOOD)
to_one_topic("messages of the old formats", message(0), message(1), GOOD)
to_one_topic("bad codec", batch(codec=5), batch(codec=6), batch(codec=7), GOOD)
to_one_topic("compressed rubbish", *(batch(attributes=codec, raw=b"\0rubbish") for codec in (GZIP, SNAPPY, LZ4, ZSTD)), GOOD)
to_one_topic("no records", b"", batch([], raw=b""), batch([], raw=b"", count=0, last_delta=0), GOOD)
to_one_topic("wrong counts", batch([b"a", b"b"], count=1), batch([b"a", b"b"], count=3), batch([b"a", b"b"], count=-1),
             batch([b"a", b"b"], last_delta=0), batch([b"a", b"b"], last_delta=5), batch([b"a"], last_delta=-1),
             batch([b"a"], count=2_147_483_647), GOOD)
to_one_topic("wrong lengths", batch(length=10), batch(length=0), batch(length=-1), batch(length=1 << 30), batch()[:-1], batch()[:30],
             batch() + b"\0", GOOD)
to_one_topic("bytes after the records", batch(raw=record(0) + b"\0\0"), GOOD)
to_one_topic("wrong offset deltas", batch([b"a", b"b"], raw=record(1) + record(0)), batch([b"a", b"b"], raw=record(0) + record(0)),
             batch([b"a"], raw=record(7)), GOOD)
to_one_topic("records cut off", batch([b"a"], raw=record(0)[:-1]), batch([b"a"], raw=b"\xff\xff\xff\xff\x7f"), GOOD)
to_one_topic("attributes of records", batch([b"a"], raw=record(0, attributes=1)), GOOD)
to_one_topic("headers", batch([b"a"], raw=record(0, headers=[(b"h", b"1"), (b"h", None), (b"", b"")])),
             batch([b"a"], raw=record(0, headers=[(None, b"1")])), GOOD)
to_one_topic("base offsets and epochs of the client", batch(base_offset=77), batch(leader_epoch=9), batch(base_offset=-5), GOOD)
to_one_topic("control batches", batch(attributes=CONTROL), batch(attributes=CONTROL | TRANSACTIONAL, producer=4, epoch=0), batch(attributes=TRANSACTIONAL, producer=4, epoch=0), GOOD)
to_one_topic("unused attributes", batch(attributes=1 << 7), batch(attributes=1 << 6), batch(attributes=-32768), GOOD)
to_one_topic("too large", batch([b"x" * 300]), batch([b"x"] * 3), batch([b"x" * 60]), max_message_bytes="150")
to_one_topic("no key in a compacted topic", batch(key=None), batch(), cleanup_policy="compact")
to_one_topic("some keys in a compacted topic", batch([b"a", b"b", b"c"], raw=record(0, b"k") + record(1, None) + record(2, None)),
             cleanup_policy="compact")
to_one_topic("times of the log", batch(), batch(attributes=LOG_APPEND_TIME), message_timestamp_type="LogAppendTime")
to_one_topic("times of the client", batch(timestamp=-1), batch(timestamp=0), batch(timestamp=-2), batch(timestamp=1 << 62),
             batch(max_timestamp=THEN + 99), batch(max_timestamp=-1), batch([b"a", b"b"], raw=record(0) + record(1, timestamp_delta=-500)),
             batch(attributes=LOG_APPEND_TIME))
to_one_topic("times too old", batch(), lambda: batch(timestamp=int(time.time() * 1000)), message_timestamp_before_max_ms="3600000")
to_one_topic("times too new", lambda: batch(timestamp=int(time.time() * 1000) + 7_200_000), batch())
to_one_topic("a codec of the topic's own", batch([b"abc" * 9]), compression_type="uncompressed")
to_one_topic("a codec is undone", batch([b"abc" * 9], codec=GZIP), compression_type="uncompressed")
to_one_topic("a bad time among good ones", lambda: batch([b"a", b"b", b"c"], timestamp=int(time.time() * 1000), raw=b"".join(
    record(index, timestamp_delta=delta) for index, delta in enumerate((0, 7_200_000, 7_300_000)))))


@case("Produce")
def sequences(c):
    topic, producer = c.topic(), c.producer()
    for epoch, sequence, count in (
        (0, 0, 2), (0, 2, 1), (0, 2, 1), (0, 0, 2), (0, 5, 1), (0, 1, 1), (0, 3, 2), (0, 5, 1), (0, 6, 1), (0, 7, 1), (0, 8, 1),
        (0, 0, 2), (0, 2, 1), (0, 3, 2), (0, 7, 2), (1, 5, 1), (1, 0, 1), (0, 9, 1), (1, 0, 1), (1, 1, 1), (3, 1, 1), (3, 0, 1), (2, 0, 1),
        (-1, 0, 1), (3, -1, 1), (32767, 0, 1),
    ):
        c.ask(produce(c, topic, batch([b"v"] * count, producer=producer, epoch=epoch, sequence=sequence)))
    read_back(c, topic)


@case("Produce")
def sequences_wrap(c):
    topic, producer = c.topic(), c.producer()
    for sequence, count in ((2_147_483_645, 2), (2_147_483_647, 3), (2, 1), (2_147_483_647, 3)):
        c.ask(produce(c, topic, batch([b"v"] * count, producer=producer, epoch=0, sequence=sequence)))


@case("Produce")
def producers_nobody_gave_an_id(c):
    topic = c.topic()
    for producer, epoch, sequence in ((900_000_001, 0, 5), (900_000_002, 7, 0), (-5, 0, 0), (0, -5, 0), (5, -1, -1), (-1, 0, 0), (-1, -1, 0)):
        c.ask(produce(c, topic, batch(producer=producer, epoch=epoch, sequence=sequence)))
    c.ask(produce(c, topic, batch(producer=c.producer(), epoch=0, sequence=0) * 2))
    read_back(c, topic)


requests("Produce", {
    "unknown topic": lambda c: produce(c, "nope", GOOD),
    "bad names": lambda c: [produce(c, name, GOOD) for name in ("", "a b", "x" * 250)],
    "unknown partitions": lambda c: produce(c, c.topic(), *((index, GOOD) for index in (0, 1, -1, 2_147_483_647, -2_147_483_648))),
    "acks": lambda c: [produce(c, c.topic() if acks == 2 else c.name(), GOOD, acks=acks) for acks in (2, -2, 1, -1, 32767)],
    "a wrong number of acks and an unknown topic": lambda c: produce(c, "nope", GOOD, acks=5),
    "too few replicas": lambda c: [produce(c, c.topic(min_insync_replicas="2"), GOOD), produce(c, c.name(), GOOD, acks=1)],
    "timeouts": lambda c: [produce(c, c.topic() if timeout == 0 else c.name(), GOOD, timeout=timeout)
                           for timeout in (0, -1, 2_147_483_647, -2_147_483_648)],
    "internal topic": lambda c: produce(c, "__consumer_offsets", GOOD),
    "no topics": lambda c: {"Acks": -1, "TimeoutMs": 1, "TopicData": []},
    "no partitions": lambda c: produce(c, c.topic()),
    "null topics": lambda c: {"Acks": -1, "TimeoutMs": 1, "TopicData": None},
    "good and bad partitions": lambda c: produce(c, c.topic(3), GOOD, batch(crc=1), GOOD),
    "two topics": lambda c: {"Acks": 1, "TimeoutMs": 1, "TopicData": produce(c, c.topic(suffix="-a"), GOOD)["TopicData"]
                             + produce(c, "nope", GOOD)["TopicData"] + produce(c, c.topic(suffix="-b"), GOOD)["TopicData"]},
    "a topic twice": lambda c: {"Acks": 1, "TimeoutMs": 1, "TopicData": produce(c, c.topic(2), GOOD)["TopicData"]
                                + produce(c, c.name(), (1, GOOD))["TopicData"]},
    "a partition twice": lambda c: produce(c, c.topic(), (0, batch([b"a"])), (0, batch([b"b", b"c"]))),
})


@case("Produce")
def no_acks(c):
    topic = c.topic()
    c.silent(produce(c, topic, GOOD, acks=0))
    c.silent(produce(c, topic, GOOD, acks=0))


@case("Produce")
def no_acks_and_an_error(c):
    c.silent(produce(c, "nope", GOOD, acks=0))
