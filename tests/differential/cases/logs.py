"""DescribeLogDirs, DescribeProducers, InitProducerId."""

from case import case, requests
from records import batch


def dirs(*topics):
    return {"Topics": [{"Topic": name, "Partitions": list(partitions)} for name, partitions in topics]}


requests("DescribeLogDirs", {
    "a topic": lambda c: dirs((c.topic(2, batches=[batch([b"abc"]), batch()]), [0, 1])),
    "a partition": lambda c: dirs((c.topic(2), [1])),
    "unknown partitions": lambda c: dirs((c.topic(1), [0, 1, -1]), ("nope", [0])),
    "no partitions": lambda c: dirs((c.topic(1), [])),
    "a topic twice": lambda c: dirs((c.topic(2), [0]), (c.name(), [0, 1])),
    "no topics": lambda c: dirs(),
    "bad name": lambda c: dirs(("a b", [0]), ("", [0])),
})


def producers(name, *partitions):
    return {"Topics": [{"Name": name, "PartitionIndexes": list(partitions)}]}


@case("DescribeProducers")
def active_producers(c):
    topic = c.topic(2)
    for epoch in (0, 1):
        producer = c.producer()
        c.append(topic, batch([b"a", b"b"], producer=producer, epoch=epoch, sequence=0))
    c.append(topic, batch([b"a"], producer=producer, epoch=epoch, sequence=2))
    c.ask(producers(topic, 0, 1))


requests("DescribeProducers", {
    "unknown topic": lambda c: producers("nope", 0),
    "bad name": lambda c: [producers("", 0), producers("a b", 0)],
    "unknown partition": lambda c: producers(c.topic(), 0, 1, -1),
    "a partition twice": lambda c: producers(c.topic(), 0, 0),
    "no partitions": lambda c: producers(c.topic()),
    "no topics": lambda c: {"Topics": []},
    "null topics": lambda c: {"Topics": None},
})

requests("InitProducerId", {
    "idempotent": lambda c: {"TransactionalId": None, "TransactionTimeoutMs": 60_000},
    "two": lambda c: [{"TransactionalId": None, "TransactionTimeoutMs": 60_000}] * 2,
    "empty transactional id": lambda c: {"TransactionalId": "", "TransactionTimeoutMs": 60_000},
    "timeouts are not looked at": lambda c: [
        {"TransactionalId": None, "TransactionTimeoutMs": timeout} for timeout in (0, -1, 2_147_483_647)],
})
requests("InitProducerId", {
    "a producer id of its own": lambda c: {"TransactionalId": None, "TransactionTimeoutMs": 60_000, "ProducerId": 5, "ProducerEpoch": 3},
    "a producer id without an epoch": lambda c: {"TransactionalId": None, "TransactionTimeoutMs": 60_000, "ProducerId": 5},
    "an epoch without a producer id": lambda c: {"TransactionalId": None, "TransactionTimeoutMs": 60_000, "ProducerEpoch": 5},
}, range(3, 6))
