"""CreateTopics, CreatePartitions, DeleteTopics, DeleteRecords."""

import uuid

from case import case, requests
from records import batch

STRANGER = uuid.UUID("11111111-2222-3333-4444-555555555555")


def topic(name, partitions=1, replicas=1, assignments=(), **configs):
    return {
        "Name": name, "NumPartitions": partitions, "ReplicationFactor": replicas,
        "Assignments": [{"PartitionIndex": index, "BrokerIds": list(ids)} for index, ids in assignments],
        "Configs": [{"Name": key.replace("_", "."), "Value": value} for key, value in configs.items()]}


def assigned(name, *assignments):
    return topic(name, -1, -1, assignments)


def create(*topics, only_validate=False, timeout=30_000):
    return {"Topics": list(topics), "timeoutMs": timeout, "validateOnly": only_validate}


def then_there(*names):
    return {"Topics": [{"Name": name} for name in names], "AllowAutoTopicCreation": False}


requests("CreateTopics", {
    "one": lambda c: create(topic(c.name(), 3)),
    "defaults": lambda c: create(topic(c.name(), -1, -1)),
    "existing": lambda c: create(topic(c.topic())),
    "existing and only validated": lambda c: create(topic(c.topic()), only_validate=True),
    "twice in a request": lambda c: create(topic(c.name()), topic(c.name()), topic(c.name("-other"))),
    "no topics": lambda c: create(),
    "null topics": lambda c: {"Topics": None},
    "bad names": lambda c: create(*(topic(name) for name in ("", ".", "..", "a b", "x" * 250, "ü"))),
    "internal names": lambda c: create(topic("__consumer_offsets"), topic("__cluster_metadata")),
    "counts that cannot be": lambda c: create(
        topic(c.name("-a"), 0), topic(c.name("-b"), -2), topic(c.name("-c"), 1, 0), topic(c.name("-d"), 1, -2),
        topic(c.name("-e"), 1, 2), topic(c.name("-f"), 1, 32767), topic(c.name("-g"), -2147483648)),
    "too many partitions": lambda c: create(topic(c.name(), 2_147_483_647)),
    "more than may be created at once": lambda c: create(topic(c.name(), 10_001)),
    "assignments": lambda c: create(assigned(c.name("-a"), (0, [1]), (1, [1]))),
    "assignments in another order": lambda c: create(assigned(c.name("-a"), (1, [1]), (0, [1]))),
    "bad assignments": lambda c: create(
        assigned(c.name("-b"), (0, [1, 1])), assigned(c.name("-c"), (0, [2])), assigned(c.name("-d"), (0, [])),
        assigned(c.name("-e"), (1, [1])), assigned(c.name("-f"), (0, [1]), (2, [1])),
        assigned(c.name("-g"), (0, [1]), (0, [1])), assigned(c.name("-h"), (-1, [1])),
        assigned(c.name("-i"), (0, [1]), (1, [1, 2])), assigned(c.name("-j"), (0, [-1]))),
    "counts and assignments": lambda c: create(
        topic(c.name("-a"), 1, -1, [(0, [1])]), topic(c.name("-b"), -1, 1, [(0, [1])]), topic(c.name("-c"), 5, 1, [(0, [1])])),
    "configs": lambda c: create(topic(c.name(), retention_ms="1000", cleanup_policy="compact,delete", min_insync_replicas="1")),
    "bad configs": lambda c: create(
        topic(c.name("-a"), no_such="1"), topic(c.name("-b"), retention_ms="x"), topic(c.name("-c"), segment_bytes="1"),
        topic(c.name("-d"), cleanup_policy="shred"), topic(c.name("-e"), cleanup_policy=""),
        topic(c.name("-f"), compression_type="zip"), topic(c.name("-g"), min_insync_replicas="0"),
        topic(c.name("-h"), retention_ms=""), topic(c.name("-i"), max_message_bytes=" 1000 "),
        topic(c.name("-j"), min_compaction_lag_ms="20", max_compaction_lag_ms="10"),
        topic(c.name("-k"), remote_storage_enable="true"), topic(c.name("-l"), preallocate="maybe"),
        topic(c.name("-m"), compression_gzip_level="10"), topic(c.name("-n"), retention_ms="-2"),
        topic(c.name("-o"), message_timestamp_type="Never"), topic(c.name("-p"), local_retention_ms="99999999999999")),
    "null config": lambda c: create(topic(c.name(), retention_ms=None)),
    "a config twice": lambda c: create(topic(c.name()) | {"Configs": [
        {"Name": "retention.ms", "Value": "1000"}, {"Name": "retention.ms", "Value": "2000"}]}),
    "a long time": lambda c: create(topic(c.name()), timeout=2_147_483_647),
})


@case("CreateTopics")
def only_validated(c):
    c.ask(create(topic(c.name(), 2, retention_ms="5"), topic(c.name("-b"), -1, -1), only_validate=True))
    c.settle()
    c.ask(then_there(c.name()), "Metadata")


@case("CreateTopics")
def names_that_collide(c):
    c.topic(suffix="a.b")
    c.ask(create(topic(c.name("a_b"))))
    c.ask(create(topic(c.name("c.d")), topic(c.name("c_d"))))


def more(*topics, only_validate=False, timeout=30_000):
    return {"Topics": [{"Name": name, "Count": count, "Assignments": assignments and [{"BrokerIds": ids} for ids in assignments]}
                       for name, count, assignments in topics], "TimeoutMs": timeout, "ValidateOnly": only_validate}


@case("CreatePartitions")
def added(c):
    c.ask(more((c.topic(2), 4, None)))
    c.leads(c.name(), 4)
    c.ask(then_there(c.name()), "Metadata")


@case("CreatePartitions")
def only_validated(c):
    c.ask(more((c.topic(2), 4, None), only_validate=True))
    c.settle()
    c.ask(then_there(c.name()), "Metadata")


requests("CreatePartitions", {
    "unknown topic": lambda c: more(("nope", 2, None), ("", 2, None), ("a b", 2, None)),
    "fewer": lambda c: more((c.topic(3), 2, None)),
    "the same": lambda c: more((c.topic(3), 3, None)),
    "none and less": lambda c: [more((c.topic(1), 0, None)), more((c.name(), -1, None))],
    "a great many": lambda c: more((c.topic(1), 2_147_483_647, None)),
    "twice in a request": lambda c: more((c.topic(1), 2, None), (c.name(), 3, None), ("nope", 2, None)),
    "no topics": lambda c: more(),
    "null topics": lambda c: {"Topics": None},
    "assignments": lambda c: more((c.topic(1), 3, [[1], [1]])),
    "no assignments": lambda c: more((c.topic(1), 3, [])),
    "assignments of another number": lambda c: [more((c.topic(1), 3, [[1]])), more((c.name(), 2, [[1], [1]]))],
    "bad assignments": lambda c: [more((c.topic(1) if ids == [2] else c.name(), 2, [ids]))
                                  for ids in ([2], [1, 1], [], [1, 2], [-1])],
    "internal topic": lambda c: more(("__consumer_offsets", 4, None)),
})


def delete(*names, timeout=30_000):
    return {"Topics": [{"Name": name} for name in names], "TopicNames": list(names), "TimeoutMs": timeout}


def delete_ids(*topics):
    return {"Topics": [{"Name": name, "TopicId": topic_id} for name, topic_id in topics], "TimeoutMs": 30_000}


@case("DeleteTopics")
def deleted(c):
    names = [c.topic(2, "-a"), c.topic(1, "-b")]
    c.ask(delete(*names, "nope"))
    c.settle()
    c.ask(then_there(*names), "Metadata")
    c.ask(delete(*names))


requests("DeleteTopics", {
    "unknown": lambda c: delete("nope", "", "a b"),
    "twice in a request": lambda c: delete(c.topic(), c.name(), "nope", "nope"),
    "none": lambda c: delete(),
    "null": lambda c: {"Topics": None, "TopicNames": None},
})
requests("DeleteTopics", {
    "by id": lambda c: delete_ids((None, c.ids[c.topic()]), (None, STRANGER)),
    "by id twice": lambda c: delete_ids(*[(None, c.ids[c.topic()])] * 2, *[(None, STRANGER)] * 2),
    "by name and id of the same": lambda c: delete_ids((c.topic(), uuid.UUID(int=0)), (None, c.ids[c.name()])),
    "by name and id at once": lambda c: delete_ids((c.topic(), c.ids[c.name()])),
    "by nothing": lambda c: delete_ids((None, uuid.UUID(int=0))),
}, range(6, 7))


def cut(name, *offsets, timeout=30_000):
    return {"Topics": [{"Name": name, "Partitions": [{"PartitionIndex": index, "Offset": offset} for index, offset in offsets]}],
            "TimeoutMs": timeout}


@case("DeleteRecords")
def cut_more_and_more(c):
    name = c.topic(batches=[batch([b"a", b"b", b"c"]), batch([b"d", b"e"])])
    for offset in (0, 1, 3, 2, 4, 5, 6, -1, -1, -2, -9):
        c.ask(cut(name, (0, offset)))
    c.append(name)
    c.ask(cut(name, (0, -1)))
    c.ask({"ReplicaId": -1, "Topics": [{"Name": name, "Partitions": [
        {"PartitionIndex": 0, "Timestamp": -2}]}]}, "ListOffsets")


requests("DeleteRecords", {
    "unknown topic": lambda c: cut("nope", (0, 0)),
    "bad name": lambda c: [cut("a b", (0, 0)), cut("", (0, 0))],
    "unknown partition": lambda c: cut(c.topic(), (0, 0), (1, 0), (-1, 0), (2_147_483_647, 0)),
    "beyond the end": lambda c: cut(c.topic(), (0, 1)),
    "empty log to its end": lambda c: cut(c.topic(), (0, -1)),
    "a partition twice": lambda c: cut(c.topic(batches=[batch([b"a", b"b"])]), (0, 1), (0, 2)),
    "no partitions": lambda c: cut(c.topic()),
    "no topics": lambda c: {"Topics": []},
    "internal topic": lambda c: cut("__consumer_offsets", (0, 0)),
    "compacted topic": lambda c: cut(c.topic(batches=[batch()], cleanup_policy="compact"), (0, 1)),
    "no time": lambda c: cut(c.topic(batches=[batch()]), (0, 1), timeout=0),
})
