"""Metadata, DescribeTopicPartitions, DescribeCluster: what is there. Listings first, while there is little."""

import uuid

from case import case, requests

STRANGER = uuid.UUID("11111111-2222-3333-4444-555555555555")
BAD_NAMES = ["", ".", "..", "a b", "a/b", "ü", "x" * 250, "x" * 249 + "\0"]


def asked(*names, create=False, **more):
    return {"Topics": [{"Name": name} for name in names], "AllowAutoTopicCreation": create} | more


requests("Metadata", {
    "all topics": lambda c: {"Topics": None},
    "no topics": lambda c: {"Topics": []},
    "unknown topic": lambda c: asked(c.name("-nope")),
    "bad names": lambda c: asked(*BAD_NAMES),
    "bad names to be created": lambda c: asked(*BAD_NAMES, create=True),
    "a topic twice": lambda c: asked(*[c.topic()] * 2),
    "an unknown topic twice": lambda c: asked(c.name("-nope"), c.name("-nope")),
    "several": lambda c: asked(c.topic(3), c.name("-nope"), c.topic(1, "b")),
    "internal topic": lambda c: asked("__consumer_offsets", "__transaction_state"),
    "authorized operations": lambda c: asked(
        c.topic(), c.name("-nope"), IncludeClusterAuthorizedOperations=True, IncludeTopicAuthorizedOperations=True),
    "null name": lambda c: asked(None),
})
requests("Metadata", {
    "by id": lambda c: {"Topics": [{"Name": None, "TopicId": c.ids[c.topic(2)]}]},
    "by unknown id": lambda c: {"Topics": [{"Name": None, "TopicId": STRANGER}]},
    "by name and id": lambda c: {"Topics": [{"Name": c.topic(), "TopicId": c.ids[c.name()]}]},
    "by name and another id": lambda c: {"Topics": [{"Name": c.topic(), "TopicId": STRANGER}]},
    "by name and again by id": lambda c: {"Topics": [{"Name": c.topic()}, {"Name": None, "TopicId": c.ids[c.name()]}]},
    "authorized operations of what is not there": lambda c: [
        {"Topics": topics, "AllowAutoTopicCreation": False, "IncludeTopicAuthorizedOperations": True}
        for topics in ([{"Name": None, "TopicId": STRANGER}], [{"Name": "a b"}, {"Name": c.name()}])],
    "by id twice": lambda c: {"Topics": [{"Name": None, "TopicId": c.ids[c.topic()]}] * 2},
}, range(10, 14))


@case("Metadata")
def missing_topic_is_created(c):
    wanted = asked(c.name(), create=True)
    c.setup("Metadata", wanted, c.version)
    c.leads(c.name())
    c.ask(wanted)


@case("Metadata")
def names_that_collide_are_not_created(c):
    c.topic(suffix="a.b_c")
    c.setup("Metadata", asked(c.name("a_b.c"), create=True), c.version)
    c.settle()
    c.ask(asked(c.name("a_b.c")))


@case("Metadata")
def deleted_topic(c):
    topic = c.topic()
    c.setup("DeleteTopics", {"Topics": [{"Name": topic}], "TimeoutMs": 30_000})
    c.settle()
    c.ask({"Topics": [{"Name": topic}], "AllowAutoTopicCreation": False})
    if c.version >= 10:
        c.ask({"Topics": [{"Name": None, "TopicId": c.ids[topic]}]})


requests("DescribeCluster", {
    "brokers": lambda c: {},
    "fenced brokers too": lambda c: {"IncludeFencedBrokers": True},
    "authorized operations": lambda c: {"IncludeClusterAuthorizedOperations": True},
    "controllers": lambda c: {"EndpointType": 2},
    "an endpoint type that does not exist": lambda c: {"EndpointType": 3},
})


def partitions_of(*names, limit=2000, cursor=None):
    at = cursor and {"TopicName": cursor[0], "PartitionIndex": cursor[1]}
    return {"Topics": [{"Name": name} for name in names], "ResponsePartitionLimit": limit, "Cursor": at}


@case("DescribeTopicPartitions")
def topics_with_cursors(c):
    a, b, d = (c.topic(count, suffix) for count, suffix in ((3, "-a"), (4, "-b"), (2, "-d")))
    for body in (
        partitions_of(a), partitions_of(b, a), partitions_of(a, a), partitions_of(a, "nope", d), partitions_of("nope"),
        partitions_of(*BAD_NAMES), partitions_of("nope", a, limit=1), partitions_of(a, b, d, limit=3),
        partitions_of(a, b, d, limit=4), partitions_of(a, b, d, limit=7), partitions_of(a, b, d, limit=9),
        partitions_of(a, limit=0), partitions_of(a, limit=-1), partitions_of(a, limit=2_147_483_647),
        partitions_of(a, b, d, limit=3, cursor=(b, 0)), partitions_of(a, b, d, limit=3, cursor=(b, 2)),
        partitions_of(a, b, d, cursor=(b, 4)), partitions_of(a, b, d, cursor=(b, 100)),
        partitions_of(a, b, d, cursor=(b, -1)), partitions_of(a, b, d, cursor=(c.name("-c"), 1)),
        partitions_of(a, b, d, cursor=(c.name("-z"), 0)), partitions_of(a, cursor=("", 0)), partitions_of(d, cursor=(a, 2)),
        partitions_of("nope", d, cursor=("nope", 0)),
    ):
        c.ask(body)


@case("DescribeTopicPartitions")
def every_topic_with_a_limit(c):
    first = c.ask(partitions_of(limit=3))
    if isinstance(first, dict) and first["NextCursor"]:
        c.ask({"Topics": [], "ResponsePartitionLimit": 5, "Cursor": first["NextCursor"]})


requests("DescribeTopicPartitions", {
    "null topics": lambda c: {"Topics": None},
    "null name": lambda c: {"Topics": [{"Name": None}]},
    "an internal topic": lambda c: partitions_of("__consumer_offsets"),
})

requests("FindCoordinator", {
    "group": lambda c: {"Key": "g", "CoordinatorKeys": ["g"]},
    "several groups": lambda c: {"Key": "h", "CoordinatorKeys": ["g", "h", "g"]},
    "no keys": lambda c: {"Key": "h", "CoordinatorKeys": []},
    "empty group": lambda c: {"Key": "", "CoordinatorKeys": [""]},
    "null key": lambda c: {"Key": None, "CoordinatorKeys": [None]},
})
requests("FindCoordinator", {
    "key of a share group": lambda c: {"Key": "g", "KeyType": 2, "CoordinatorKeys": ["g", "", "g:a:0", "g:AAAAAAAAAAAAAAAAAAAAAQ:0"]},
    "unknown key type": lambda c: {"Key": "g", "KeyType": 9, "CoordinatorKeys": ["g"]},
    "negative key type": lambda c: {"Key": "g", "KeyType": -1, "CoordinatorKeys": ["g"]},
}, range(1, 7))
