"""OffsetCommit, OffsetFetch, OffsetDelete."""

import uuid

from case import case, requests
from cases.groups import gone, stable

STRANGER = uuid.UUID("11111111-2222-3333-4444-555555555555")


def commit(c, group, *topics, member="", generation=-1, instance=None, retention=-1):
    """A topic is its name and (partition, offset) or (partition, offset, metadata[, leader epoch])."""
    def partition(index, offset, metadata="", epoch=-1):
        return {"PartitionIndex": index, "CommittedOffset": offset, "CommittedMetadata": metadata, "CommittedLeaderEpoch": epoch}
    return {"GroupId": group, "GenerationIdOrMemberEpoch": generation, "MemberId": member, "GroupInstanceId": instance,
            "RetentionTimeMs": retention, "Topics": [
                {"Name": name, "TopicId": c.ids.get(name, STRANGER), "Partitions": [partition(*one) for one in partitions]}
                for name, partitions in topics]}


def fetch(c, group, *topics, everything=False, stable=False, member=None, epoch=-1):
    asked = None if everything else [
        {"Name": name, "TopicId": c.ids.get(name, STRANGER), "PartitionIndexes": list(indexes)} for name, indexes in topics]
    old = asked and [{key: value for key, value in topic.items() if key != "TopicId"} for topic in asked]
    return {"GroupId": group, "Topics": [] if everything and c.version < 2 else old if asked else asked,
            "Groups": [{"GroupId": group, "Topics": asked, "MemberId": member, "MemberEpoch": epoch}], "RequireStable": stable}


def committed(c, group, *topics, **more):
    c.setup("OffsetCommit", commit(c, group, *topics, **more), 9)
    return group


@case("OffsetCommit")
def of_no_member(c):
    topic = c.topic(3)
    c.ask(commit(c, c.name(), (topic, [(0, 5), (1, 6, "meta", 3), (2, 7, None), (3, 8), (-1, 9)]), ("nope", [(0, 1)])))
    c.ask({"Groups": [{"GroupId": c.name(), "Topics": None}]}, "OffsetFetch")
    c.ask({"Groups": [c.name()]}, "DescribeGroups")
    c.ask(commit(c, c.name(), (topic, [(0, -1), (1, -5), (2, (1 << 63) - 1)])))
    c.ask({"Groups": [{"GroupId": c.name(), "Topics": None}]}, "OffsetFetch")


requests("OffsetCommit", {
    "unknown topic": lambda c: commit(c, c.name(), ("nope", [(0, 1)])),
    "bad names": lambda c: commit(c, c.name(), ("", [(0, 1)]), ("a b", [(0, 1)])),
    "empty group": lambda c: commit(c, "", (c.topic(), [(0, 1)])),
    "member of an unknown group": lambda c: commit(c, c.name(), (c.topic(), [(0, 1)]), member="m", generation=1),
    "generation of an unknown group": lambda c: commit(c, c.name(), (c.topic(), [(0, 1)]), generation=1),
    "member without a generation": lambda c: commit(c, c.name(), (c.topic(), [(0, 1)]), member="m"),
    "instance without a member": lambda c: commit(c, c.name(), (c.topic(), [(0, 1)]), instance="i"),
    "much metadata": lambda c: commit(c, c.name(), (c.topic(2), [(0, 1, "x" * 4096), (1, 1, "x" * 4097)])),
    "no topics": lambda c: commit(c, c.name()),
    "no partitions": lambda c: commit(c, c.name(), (c.topic(), [])),
    "a partition twice": lambda c: [commit(c, c.name(), (c.topic(), [(0, 1), (0, 2)])), commit(c, c.name(), (c.name(), [(0, 3)]), (c.name(), [(0, 4)]))],
    "two topics": lambda c: commit(c, c.name(), (c.topic(suffix="-a"), [(0, 1), (7, 1)]), ("nope", [(0, 1), (1, 1)]), (c.topic(suffix="-b"), [(0, 1)])),
    "null topics": lambda c: commit(c, c.name()) | {"Topics": None},
})


@case("OffsetCommit")
def of_members(c):
    topic, group = c.topic(), c.name()
    member, generation = stable(c, group)
    for more in ({"member": member, "generation": generation}, {"member": member, "generation": generation + 1},
                 {"member": member, "generation": -1}, {"member": "nobody", "generation": generation}, {"generation": generation}, {},
                 {"member": member, "generation": generation, "instance": "i"}):
        c.ask(commit(c, group, (topic, [(0, 1)]), **more))
    gone(c, group, member)
    c.ask(commit(c, group, (topic, [(0, 2)]), member=member, generation=generation))
    c.ask(commit(c, group, (topic, [(0, 3)])))


@case("OffsetCommit")
def of_static_members(c):
    topic, group = c.topic(), c.name()
    member, generation = stable(c, group, instance="i")
    for one, instance in ((member, "i"), ("nobody", "i"), (member, "j"), (member, None)):
        c.ask(commit(c, group, (topic, [(0, 1)]), member=one, generation=generation, instance=instance))


@case("OffsetFetch")
def what_was_committed(c):
    topic = c.topic(3)
    group = committed(c, c.name(), (topic, [(0, 5, "m", 2), (1, 6, None)]))
    for body in (
        fetch(c, group, (topic, [0, 1, 2])), fetch(c, group, everything=True), fetch(c, group, (topic, [1, 5, -1])), fetch(c, group),
        fetch(c, group, ("nope", [0])), fetch(c, group, (topic, [])), fetch(c, group, (topic, [0, 0])),
        fetch(c, group, (topic, [0]), (topic, [1])), fetch(c, group, (topic, [0]), stable=True), fetch(c, "nobody", (topic, [0])),
        fetch(c, "nobody", everything=True), fetch(c, "", (topic, [0])), fetch(c, "", everything=True),
        fetch(c, group, ("", [0]), ("a b", [0])), fetch(c, group, ("nope", [0]), (topic, [0]), ("none", [1])),
    ):
        c.ask(body)


@case("OffsetFetch", range(8, 11))
def several_groups(c):
    topic = c.topic(2)
    a, b = committed(c, c.name("-a"), (topic, [(0, 5)])), committed(c, c.name("-b"), (topic, [(1, 6)]))
    named = [{"Name": topic, "TopicId": c.ids[topic], "PartitionIndexes": [0, 1]}]
    c.ask({"Groups": [{"GroupId": a, "Topics": named}, {"GroupId": b, "Topics": None}, {"GroupId": "nobody", "Topics": None}]})
    c.ask({"Groups": [{"GroupId": a, "Topics": named}, {"GroupId": a, "Topics": None}]})
    c.ask({"Groups": []})
    c.ask({"Groups": None})


@case("OffsetFetch", range(9, 11))
def of_members(c):
    topic, group = c.topic(), c.name()
    member, generation = stable(c, group)
    for one, epoch in ((member, generation), (member, generation + 1), ("nobody", generation), ("nobody", -1), ("", -1), (None, 5), ("", 5)):
        c.ask(fetch(c, group, (topic, [0]), member=one, epoch=epoch))
        c.ask(fetch(c, group, everything=True, member=one, epoch=epoch))


@case("OffsetFetch")
def of_a_topic_that_is_gone(c):
    topic = c.topic()
    group = committed(c, c.name(), (topic, [(0, 5)]))
    c.setup("DeleteTopics", {"Topics": [{"Name": topic}], "TimeoutMs": 30_000})
    c.until("OffsetFetch", {"Groups": [{"GroupId": group, "Topics": None}]}, lambda answer: not answer["Groups"][0]["Topics"], 9)
    c.ask(fetch(c, group, (topic, [0])))
    c.ask(fetch(c, group, everything=True))


def delete(group, *topics):
    return {"GroupId": group, "Topics": [{"Name": name, "Partitions": [{"PartitionIndex": index} for index in indexes]}
                                         for name, indexes in topics]}


@case("OffsetDelete")
def offsets_are_deleted(c):
    topic = c.topic(3)
    group = committed(c, c.name(), (topic, [(0, 5), (1, 6)]))
    for body in (delete(group, (topic, [0, 2])), delete(group, (topic, [0, 7, -1]), ("nope", [0])), delete(group),
                 delete(group, (topic, [])), delete(group, (topic, [1, 1]))):
        c.ask(body)
    c.ask({"Groups": [{"GroupId": group, "Topics": None}]}, "OffsetFetch")
    c.ask(delete(group, (topic, [0])))


SUBSCRIPTION = b"\0\1\0\0\0\1\0\5topic\xff\xff\xff\xff\0\0\0\0"


@case("OffsetDelete")
def of_groups_with_members(c):
    topic, group = c.topic(), c.name()
    c.setup("OffsetCommit", commit(c, group, (topic, [(0, 5)])), 9)
    name = topic.encode()
    subscribed = b"\0\1\0\0\0\1" + len(name).to_bytes(2, "big") + name + b"\xff\xff\xff\xff\0\0\0\0"
    stable(c, group, protocols=[("range", subscribed)])
    c.ask(delete(group, (topic, [0])))
    other, connect = c.name("-other"), c.name("-connect")
    c.setup("OffsetCommit", commit(c, other, (topic, [(0, 5)])), 9)
    stable(c, other, protocols=[("range", SUBSCRIPTION)])
    c.ask(delete(other, (topic, [0])))
    stable(c, connect, kind="connect")
    c.ask(delete(connect, (topic, [0])))


requests("OffsetDelete", {
    "unknown group": lambda c: delete(c.name(), (c.topic(), [0])),
    "empty group": lambda c: delete("", (c.topic(), [0])),
    "null topics": lambda c: {"GroupId": c.name(), "Topics": None},
})
