"""Fetch: offsets, epochs, limits, sessions (KIP-227)."""

import uuid

from case import case, requests
from records import THEN, batch

STRANGER = uuid.UUID("11111111-2222-3333-4444-555555555555")
MUCH = 1 << 20


def part(index=0, offset=0, most=MUCH, epoch=-1, last_epoch=-1, start=-1):
    return {"Partition": index, "FetchOffset": offset, "PartitionMaxBytes": most, "CurrentLeaderEpoch": epoch,
            "LastFetchedEpoch": last_epoch, "LogStartOffset": start}


def fetch(c, *topics, wait=0, least=1, most=MUCH, isolation=0, session=(0, -1), forgotten=(), replica=-1):
    """A topic is a pair of its name and its partitions; what is forgotten, of its name and indexes."""
    def named(name, field, value):
        return {"Topic": name, "TopicId": c.ids.get(name, STRANGER), field: value}
    return {"ReplicaId": replica, "ReplicaState": {"ReplicaId": replica, "ReplicaEpoch": -1}, "MaxWaitMs": wait, "MinBytes": least,
            "MaxBytes": most, "IsolationLevel": isolation, "SessionId": session[0], "SessionEpoch": session[1],
            "Topics": [named(name, "Partitions", list(partitions)) for name, partitions in topics],
            "ForgottenTopicsData": [named(name, "Partitions", list(indexes)) for name, indexes in forgotten]}


def three(c, suffix="", partitions=1):
    """A topic with three batches: offsets 0-2, 3, 4-5."""
    return c.topic(partitions, suffix, [batch([b"a", b"b", b"c"]), batch([b"d" * 50], timestamp=THEN + 5), batch([b"e", b"f"])])


requests("Fetch", {
    "offsets": lambda c: [fetch(c, (three(c) if offset == 0 else c.name(), [part(offset=offset)])) for offset in
                          (0, 1, 2, 3, 5, 6, 7, -1, 1 << 62)],
    "unknown topic": lambda c: fetch(c, ("nope", [part()])),
    "bad names": lambda c: [fetch(c, ("", [part()])), fetch(c, ("a b", [part()]))],
    "unknown partitions": lambda c: fetch(c, (three(c), [part(0), part(1), part(-1), part(2_147_483_647)])),
    "leader epochs": lambda c: [fetch(c, (three(c) if epoch == 0 else c.name(), [part(epoch=epoch)])) for epoch in (0, 1, 99, -1, -2)],
    "last fetched epochs": lambda c: [fetch(c, (three(c) if not epoch else c.name(), [part(offset=offset, last_epoch=epoch)]))
                                      for epoch, offset in ((0, 3), (5, 3), (-1, 3), (-2, 3))]
    + [fetch(c, (c.name(), [part(offset=9, last_epoch=0)])), fetch(c, (c.name(), [part(offset=6, last_epoch=0)]))],
    "empty log": lambda c: fetch(c, (c.topic(), [part()])),
    "limits of a partition": lambda c: [fetch(c, (three(c) if most == 0 else c.name(), [part(most=most)]))
                                        for most in (0, 1, 70, 100, 150, 200, 2_147_483_647)],
    "limits of a request": lambda c: [fetch(c, (three(c) if most == 0 else c.name(), [part()]), most=most)
                                      for most in (0, 1, 70, 100, 150, 200, 2_147_483_647)],
    "limits over partitions": lambda c: [
        fetch(c, (three(c, "-a") if most == 1 else c.name("-a"), [part()]), (three(c, "-b") if most == 1 else c.name("-b"), [part(most=each)]),
              most=most) for most in (1, 150, 230, 400) for each in ((MUCH,) if most == 1 else (MUCH, 100))],
    "first partition is empty": lambda c: fetch(c, (c.topic(suffix="-a"), [part()]), (three(c, "-b"), [part(most=1)]), (
        three(c, "-c"), [part(most=1)]), most=1),
    "isolation": lambda c: [fetch(c, (three(c) if not level else c.name(), [part()]), isolation=level) for level in (0, 1)],
    "negative limits and no such isolation": lambda c: [fetch(c, (three(c), [part(most=-1)])), fetch(c, (c.name(), [part()]), most=-1),
                                                        fetch(c, (c.name(), [part()]), isolation=2)],
    "errors for who reads what is committed": lambda c: fetch(
        c, (c.topic(3), [part(0, 9), part(1, epoch=9), part(7), part(2)]), ("nope", [part()]), isolation=1),
    "waits for nothing": lambda c: [fetch(c, (c.topic() if wait == 1 else c.name(), [part()]), wait=wait, least=least)
                                    for wait, least in ((1, 1), (0, 1), (-1, 1))],
    "an error of a leader does not wait": lambda c: fetch(c, (c.topic(2), [part(), part(1, 7)]), wait=60_000),
    "only what is unknown does not wait": lambda c: fetch(c, (c.topic(), [part(7), part(8)]), wait=60_000),
    "enough does not wait": lambda c: fetch(c, (three(c), [part()]), wait=60_000, least=1),
    "minimum of zero does not wait": lambda c: [fetch(c, (c.topic(), [part()]), wait=60_000, least=0), fetch(
        c, (c.name(), [part()]), wait=60_000, least=-1)],
    "a partition twice": lambda c: fetch(c, (three(c), [part(), part(offset=3)])),
    "a topic twice": lambda c: fetch(c, (three(c, partitions=2), [part()]), (c.name(), [part(1)])),
    "nothing": lambda c: fetch(c, wait=60_000),
    "no partitions": lambda c: fetch(c, (c.topic(), []), wait=60_000),
    "null topics": lambda c: fetch(c) | {"Topics": None},
    "replicas": lambda c: [fetch(c, (three(c) if replica == -2 else c.name(), [part()]), replica=replica) for replica in (-2, -3)],
    "below the start of the log": lambda c: [fetch(c, (cut(c), [part(offset=offset)])) for offset in (0, 2, 3)],
    "several topics": lambda c: fetch(c, (three(c, "-a", 3), [part(2), part(0), part(1)]), ("nope", [part()]), (three(c, "-b"), [part()])),
    "internal topic": lambda c: fetch(c, ("__cluster_metadata", [part()])),
})


def cut(c):
    """The topic with three batches whose first two records are deleted."""
    if c.name() not in c.ids:
        three(c)
        c.setup("DeleteRecords", {"TimeoutMs": 30_000, "Topics": [
            {"Name": c.name(), "Partitions": [{"PartitionIndex": 0, "Offset": 2}]}]})
    return c.name()


@case("Fetch", range(13, 19))
def zero_topic_id(c):
    c.ids["nil"] = uuid.UUID(int=0)
    c.ask(fetch(c, ("nil", [part()])))


@case("Fetch")
def waits_until_there_is_something(c):
    topic = c.topic()
    c.send(fetch(c, (topic, [part()]), wait=60_000))
    c.append(topic)
    c.receive()


@case("Fetch")
def waits_in_spite_of_what_is_unknown(c):
    topic = c.topic()
    c.send(fetch(c, (topic, [part(), part(7)]), wait=60_000))
    c.append(topic)
    c.receive()


@case("Fetch")
def deleted_topic(c):
    topic = three(c)
    c.setup("DeleteTopics", {"Topics": [{"Name": topic}], "TimeoutMs": 30_000})
    c.settle()
    c.ask(fetch(c, (topic, [part()])))


def session_of(answer):
    return answer["SessionId"] if isinstance(answer, dict) else 0


@case("Fetch", range(7, 19))
def session(c):
    a, b = three(c, "-a"), c.topic(2, "-b")
    full = [(a, [part()]), (b, [part(0), part(1)])]
    this = session_of(c.ask(fetch(c, *full, session=(0, 0))))
    c.ask(fetch(c, session=(this, 1)))
    c.ask(fetch(c, (a, [part(offset=6)]), session=(this, 2)))
    c.ask(fetch(c, session=(this, 3)))
    c.append(b, batch([b"new"]), 1)
    c.ask(fetch(c, session=(this, 4)))
    c.ask(fetch(c, session=(this, 5)))
    c.ask(fetch(c, (b, [part(1, 1)]), session=(this, 6)))
    c.append(a, batch([b"new"]))
    c.ask(fetch(c, session=(this, 7), forgotten=[(a, [0])]))
    c.ask(fetch(c, (a, [part(offset=6)]), session=(this, 8)))
    c.ask(fetch(c, (a, [part(5)]), session=(this, 9)))
    c.ask(fetch(c, session=(this, 10)))
    c.ask(fetch(c, session=(this, 11), forgotten=[(a, [5, 9]), ("nope", [0])]))
    c.ask(fetch(c, (a, [part(offset=99)]), session=(this, 12)))
    c.ask(fetch(c, (a, [part(offset=7)]), session=(this, 13), forgotten=[(b, [0, 1])]))
    c.ask(fetch(c, session=(this, 14)))
    c.ask(fetch(c, session=(this, 14)))
    c.ask(fetch(c, session=(this, 16)))
    c.ask(fetch(c, (a, [part(offset=6)]), session=(this, -1)))
    c.ask(fetch(c, session=(this, 15)))


@case("Fetch", range(7, 19))
def sessions_that_do_not_exist(c):
    topic = three(c)
    for number, epoch in ((1, 1), (0, 1), (0, 5), (-1, 1), (1, -1), (0, -1), (0, -2), (1, -2), (1_000_000_007, 7), (1, 0)):
        c.ask(fetch(c, (topic, [part()]), session=(number, epoch)))


@case("Fetch", range(7, 19))
def empty_session(c):
    this = session_of(c.ask(fetch(c, session=(0, 0))))
    c.ask(fetch(c, session=(this, 1)))


@case("Fetch", range(7, 19))
def session_begun_anew(c):
    topic = three(c)
    this = session_of(c.ask(fetch(c, (topic, [part()]), session=(0, 0))))
    c.ask(fetch(c, (topic, [part(offset=3)]), session=(this, 0)))
    c.ask(fetch(c, session=(this, 1)))


@case("Fetch", range(7, 19))
def session_with_unknown_topics(c):
    topic = three(c)
    this = session_of(c.ask(fetch(c, ("nope", [part()]), (topic, [part(), part(4)]), session=(0, 0))))
    c.ask(fetch(c, session=(this, 1)))
    c.ask(fetch(c, session=(this, 2)))


@case("Fetch", range(7, 19))
def session_whose_topic_goes(c):
    topic = three(c)
    this = session_of(c.ask(fetch(c, (topic, [part()]), session=(0, 0))))
    c.setup("DeleteTopics", {"Topics": [{"Name": topic}], "TimeoutMs": 30_000})
    c.settle()
    c.ask(fetch(c, session=(this, 1)))
    c.ids.pop(topic)
    three(c)
    c.ask(fetch(c, session=(this, 2)))
