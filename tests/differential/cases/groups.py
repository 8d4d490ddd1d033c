"""The classic group protocol, and what is told of groups."""

from case import case, requests


def join(group, member="", instance=None, protocols=(("range", b"m"),), kind="consumer", session=30_000, rebalance=30_000, reason=None):
    return {"GroupId": group, "SessionTimeoutMs": session, "RebalanceTimeoutMs": rebalance, "MemberId": member,
            "GroupInstanceId": instance, "ProtocolType": kind, "Reason": reason,
            "Protocols": [{"Name": name, "Metadata": metadata} for name, metadata in protocols]}


def sync(group, generation, member, assignments=(), instance=None, kind="consumer", protocol="range"):
    return {"GroupId": group, "GenerationId": generation, "MemberId": member, "GroupInstanceId": instance, "ProtocolType": kind,
            "ProtocolName": protocol, "Assignments": [{"MemberId": one, "Assignment": data} for one, data in assignments]}


def beat(group, generation, member, instance=None):
    return {"GroupId": group, "GenerationId": generation, "MemberId": member, "GroupInstanceId": instance}


def leave(group, *members):
    """Members are pairs of member id and instance id; old versions know one."""
    return {"GroupId": group, "MemberId": members[0][0] if members else "", "Members": [
        {"MemberId": member, "GroupInstanceId": instance} for member, instance in members]}


def joined(c, group, see=False, **more):
    """Joins as a new member, with the id that the broker asks to use; gives the last answer."""
    def ask(body):
        return c.ask(body, "JoinGroup") if see else c.setup("JoinGroup", body)
    answer = ask(join(group, **more))
    if answer["ErrorCode"] == 79:
        answer = ask(join(group, member=answer["MemberId"], **more))
    return answer


def stable(c, group, **more):
    """A group with one member, synced; gives (member, generation)."""
    answer = joined(c, group, **more)
    member, generation = answer["MemberId"], answer["GenerationId"]
    kind, instance = more.get("kind", "consumer"), more.get("instance")
    c.setup("SyncGroup", sync(group, generation, member, [(member, b"assigned")], instance, kind, answer["ProtocolName"]))
    return member, generation


def gone(c, group, *members):
    c.setup("LeaveGroup", leave(group, *((member, None) for member in members)))


# First, while there are no other groups.
@case("ListGroups")
def filters(c):
    names = [c.name(f"-{index}") for index in range(3)]
    made = [stable(c, names[0])[0], joined(c, names[1], kind="connect")["MemberId"], stable(c, names[2])[0]]
    gone(c, names[2], made[2])
    for states, types in (([], []), (["Stable"], []), (["stable"], []), (["Empty", "CompletingRebalance"], []), (["Dead"], []),
                          (["Nope"], []), ([""], []), ([], ["classic"]), ([], ["CLASSIC"]), ([], ["consumer"]), ([], ["nope"]),
                          (["Stable"], ["classic", "share"])):
        c.ask({"StatesFilter": states, "TypesFilter": types})
    for name, member in zip(names, made):
        gone(c, name, member)
        c.setup("DeleteGroups", {"GroupsNames": [name]})


@case("JoinGroup")
def new_member(c):
    answer = c.ask(join(c.name()))
    if answer["ErrorCode"] == 79:
        answer = c.ask(join(c.name(), member=answer["MemberId"]))
    c.ask(sync(c.name(), answer["GenerationId"], answer["MemberId"], [(answer["MemberId"], b"x")]), "SyncGroup")
    c.ask({"Groups": [c.name()]}, "DescribeGroups")
    c.ask(join(c.name(), member=answer["MemberId"], protocols=[("range", b"other")]))


@case("JoinGroup")
def two_protocols(c):
    answer = c.ask(join(c.name(), protocols=[("a", b"1"), ("b", b"2")]))
    if answer["ErrorCode"] == 79:
        c.ask(join(c.name(), member=answer["MemberId"], protocols=[("a", b"1"), ("b", b"2")]))


requests("JoinGroup", {
    "unknown member": lambda c: join(c.name(), member="nobody"),
    "empty group": lambda c: join(""),
    "null group": lambda c: join(None),
    "no protocols": lambda c: join(c.name(), protocols=()),
    "no kind": lambda c: join(c.name(), kind=""),
    "null protocols": lambda c: join(c.name()) | {"Protocols": None},
    "session timeouts": lambda c: [join(c.name(), session=timeout) for timeout in (0, -1, 999, 1_800_001, 2_147_483_647)],
    "instances": lambda c: [join(c.name(f"-{index}"), instance=instance)
                            for index, instance in enumerate(("", ".", "..", "a b", "ü", "x" * 250))],
    "unknown member with an instance": lambda c: join(c.name(), member="nobody", instance="i"),
    "a kind of its own": lambda c: join(c.name(), kind="connect"),
})


@case("JoinGroup")
def members_of_a_group_that_is_there(c):
    group = c.name()
    member, _ = stable(c, group)
    c.ask(join(group, kind="connect"))
    c.ask(join(group, protocols=[("other", b"")]))
    c.ask(join(group, member="nobody"))
    c.ask(join(group, kind="connect", member=member))
    c.ask(join(group, protocols=[("other", b"")], member=member))
    c.ask(join(group, protocols=(), member=member))
    c.ask(join(group, member=member, instance="i"))


@case("JoinGroup")
def static_member_comes_again(c):
    group = c.name()
    first = c.ask(join(group, instance="i"))
    c.ask(sync(group, first["GenerationId"], first["MemberId"], [(first["MemberId"], b"x")],
               "i" if c.version >= 5 else None), "SyncGroup")
    if c.version < 5:
        return
    second = c.ask(join(group, instance="i"))
    c.ask(beat(group, first["GenerationId"], first["MemberId"], "i"), "Heartbeat")
    c.ask(sync(group, first["GenerationId"], first["MemberId"], [], "i"), "SyncGroup")
    c.ask(join(group, member=first["MemberId"], instance="i"))
    c.ask(join(group, member=second["MemberId"], instance="j"))
    c.ask(sync(group, second["GenerationId"], second["MemberId"], [], "i"), "SyncGroup")
    c.ask(beat(group, second["GenerationId"], second["MemberId"], "i"), "Heartbeat")
    c.ask({"Groups": [group]}, "DescribeGroups")
    c.ask(join(group, instance="i", protocols=[("range", b"changed")]))
    c.ask({"Groups": [group]}, "DescribeGroups")


def members(c, group, count, state="PreparingRebalance"):
    """Waits until a group has so many members."""
    c.until("DescribeGroups", {"Groups": [group]}, lambda answer: len(answer["Groups"][0]["Members"]) == count
            and answer["Groups"][0]["GroupState"] == state)


@case("JoinGroup")
def second_member(c):
    group = c.name()
    first, generation = stable(c, group, protocols=[("a", b"1"), ("b", b"1")])
    other = c.connect()
    c.send(join(group, protocols=[("b", b"2"), ("a", b"2")]), on=other)
    if c.version >= 4:
        second = c.receive(on=other)
        c.send(join(group, member=second["MemberId"], protocols=[("b", b"2"), ("a", b"2")]), on=other)
    members(c, group, 2)
    c.ask(beat(group, generation, first), "Heartbeat")
    c.ask(sync(group, generation, first), "SyncGroup")
    leader = c.ask(join(group, member=first, protocols=[("a", b"1"), ("b", b"1")]))
    follower = c.receive(on=other)
    c.send(sync(group, leader["GenerationId"], follower["MemberId"], protocol="b"), "SyncGroup", on=other)
    c.ask(sync(group, leader["GenerationId"], first, [(first, b"x")], protocol=leader["ProtocolName"]), "SyncGroup")
    c.receive("SyncGroup", on=other)
    c.ask({"Groups": [group]}, "DescribeGroups")
    gone(c, group, first)
    c.ask(beat(group, leader["GenerationId"], follower["MemberId"]), "Heartbeat")
    c.ask({"Groups": [group]}, "DescribeGroups")


@case("SyncGroup")
def after_a_join(c):
    group = c.name()
    answer = joined(c, group)
    member, generation = answer["MemberId"], answer["GenerationId"]
    for body in (
        sync(group, generation + 1, member), sync(group, -1, member), sync(group, generation, "nobody"), sync(group, generation, ""),
        sync(group, generation, member, instance="i"), sync(group, generation, member, kind="connect"),
        sync(group, generation, member, protocol="other"), sync(group, generation, member, kind=None, protocol=None),
        sync(group, generation, member, [(member, b"late"), ("nobody", b"y")]), sync(group, generation, member),
    ):
        c.ask(body)


requests("SyncGroup", {
    "unknown group": lambda c: sync(c.name(), 1, "m"),
    "empty group": lambda c: sync("", 1, "m"),
    "no kind and protocol": lambda c: sync(c.name(), 1, "m", kind=None, protocol=None),
    "no protocol": lambda c: sync(c.name(), 1, "m", protocol=None),
    "instance and unknown group": lambda c: sync(c.name(), 1, "m", instance="i"),
})


@case("SyncGroup")
def no_assignment_for_a_member(c):
    answer = joined(c, c.name())
    c.ask(sync(c.name(), answer["GenerationId"], answer["MemberId"], []))


@case("Heartbeat")
def of_a_member(c):
    group = c.name()
    member, generation = stable(c, group)
    for body in (beat(group, generation, member), beat(group, generation + 1, member), beat(group, generation - 1, member),
                 beat(group, -1, member), beat(group, generation, "nobody"), beat(group, generation, ""),
                 beat(group, generation, member, "i"), beat(group, -1, "nobody")):
        c.ask(body)
    gone(c, group, member)
    c.ask(beat(group, generation, member))


@case("Heartbeat")
def before_the_sync(c):
    answer = joined(c, c.name())
    c.ask(beat(c.name(), answer["GenerationId"], answer["MemberId"]))


requests("Heartbeat", {
    "unknown group": lambda c: beat(c.name(), 1, "m"),
    "empty group": lambda c: beat("", 1, "m"),
    "null group": lambda c: beat(None, 1, "m"),
    "unknown instance": lambda c: beat(c.name(), 1, "m", "i"),
})


@case("LeaveGroup")
def members_leave(c):
    group = c.name()
    member, _ = stable(c, group)
    c.ask(leave(group, ("nobody", None)))
    c.ask(leave(group, ("", None)))
    c.ask(leave(group, (member, "i")))
    c.ask(leave(group, ("", "i")))
    c.ask(leave(group, (member, None), (member, None), ("nobody", None)))
    c.ask(leave(group, (member, None)))
    c.ask({"Groups": [group]}, "DescribeGroups")


@case("LeaveGroup")
def static_members_leave(c):
    group = c.name()
    stable(c, group, instance="i")
    c.ask(leave(group, ("nobody", "i")))
    c.ask(leave(group, ("", "j"), ("", "i")))
    c.ask({"Groups": [group]}, "DescribeGroups")


@case("LeaveGroup")
def pending_member_leaves(c):
    pending = c.setup("JoinGroup", join(c.name()))["MemberId"]
    c.ask(leave(c.name(), (pending, None)))
    c.ask(leave(c.name(), (pending, None)))


requests("LeaveGroup", {
    "unknown group": lambda c: leave(c.name(), ("m", None)),
    "empty group": lambda c: leave("", ("m", None)),
    "nobody": lambda c: leave(c.name()),
    "two of an unknown group": lambda c: leave(c.name(), ("m", None), ("n", "i")),
})


@case("DescribeGroups")
def states(c):
    names = [c.name(f"-{index}") for index in range(4)]
    member, _ = stable(c, names[0])
    joined(c, names[1], instance="i", protocols=[("range", b"x"), ("other", b"y")])
    left, _ = stable(c, names[2], kind="connect")
    gone(c, names[2], left)
    c.ask({"Groups": [*names, "", names[0]], "IncludeAuthorizedOperations": True})
    c.ask({"Groups": names[:1]})


requests("DescribeGroups", {
    "none": lambda c: {"Groups": []},
    "null": lambda c: {"Groups": None},
    "unknown": lambda c: {"Groups": [c.name(), ""], "IncludeAuthorizedOperations": True},
})


@case("DeleteGroups")
def every_state(c):
    names = [c.name(f"-{index}") for index in range(3)]
    stable(c, names[0])
    left, _ = stable(c, names[1])
    gone(c, names[1], left)
    c.ask({"GroupsNames": [*names, "", names[1], "nope"]})
    c.ask({"GroupsNames": [names[1]]})
    c.ask({"Groups": names}, "DescribeGroups")


requests("DeleteGroups", {
    "none": lambda c: {"GroupsNames": []},
    "null": lambda c: {"GroupsNames": None},
    "unknown": lambda c: {"GroupsNames": [c.name()]},
})
