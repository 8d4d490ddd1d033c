"""ListOffsets, OffsetForLeaderEpoch."""

from case import case, requests
from records import GZIP, THEN, batch, record


def at(name, *timestamps, epoch=-1, isolation=0, replica=-1, timeout=30_000):
    return of((name, [(0, timestamp) for timestamp in timestamps]), epoch=epoch, isolation=isolation, replica=replica, timeout=timeout)


def of(*topics, epoch=-1, isolation=0, replica=-1, timeout=30_000):
    return {"ReplicaId": replica, "IsolationLevel": isolation, "TimeoutMs": timeout, "Topics": [
        {"Name": name, "Partitions": [{"PartitionIndex": index, "Timestamp": timestamp, "CurrentLeaderEpoch": epoch}
                                      for index, timestamp in partitions]} for name, partitions in topics]}


def timed(c):
    """Records 0-2 at THEN, +10, +20 (gzip); 3 at +5; 4-5 at +40."""
    raw = b"".join(record(index, timestamp_delta=index * 10) for index in range(3))
    return c.topic(2, batches=[batch([b""] * 3, raw=raw, codec=GZIP, max_timestamp=THEN + 20), batch(timestamp=THEN + 5),
                               batch([b"a", b"b"], timestamp=THEN + 40)])


requests("ListOffsets", {
    "times": lambda c: [at(timed(c) if delta == -1 else c.name(), THEN + delta) for delta in (-1, 0, 1, 6, 10, 11, 20, 21, 40, 41)],
    "special times": lambda c: [at(timed(c) if time == -1 else c.name(), time) for time in (-1, -2, -3, -4, -5, -6, -7, -99)],
    "extreme times": lambda c: [at(timed(c) if time == 0 else c.name(), time) for time in (0, (1 << 63) - 1, -(1 << 63))],
    "empty log": lambda c: [at(c.topic() if time == -1 else c.name(), time) for time in (-1, -2, -3, -4, -5, -6, 0, THEN)],
    "unknown topic": lambda c: at("nope", -1),
    "bad names": lambda c: [at("", -1), at("a b", -1)],
    "unknown partitions": lambda c: of((timed(c), [(0, -1), (1, -1), (2, -1), (-1, -1), (2_147_483_647, -1)])),
    "a partition twice": lambda c: at(timed(c), -1, -2),
    "a topic twice": lambda c: of((timed(c), [(0, -1)]), (c.name(), [(0, -1), (1, -1)])),
    "leader epochs": lambda c: [at(timed(c) if epoch == 0 else c.name(), -1, epoch=epoch) for epoch in (0, 1, -1, -2, 99)],
    "isolation": lambda c: [at(timed(c) if not level else c.name(), -1, isolation=level) for level in (0, 1)],
    "replicas": lambda c: [at(timed(c) if replica == -2 else c.name(), -1, replica=replica) for replica in (-2, -3)],
    "timeouts": lambda c: [at(timed(c) if timeout == 0 else c.name(), -1, timeout=timeout) for timeout in (0, -1, 2_147_483_647)],
    "no partitions": lambda c: of((c.topic(), [])),
    "no topics": lambda c: of(),
    "null topics": lambda c: {"ReplicaId": -1, "Topics": None},
})


@case("ListOffsets")
def after_records_are_deleted(c):
    topic = timed(c)
    for offset in (1, 4, 6):
        c.setup("DeleteRecords", {"TimeoutMs": 30_000, "Topics": [
            {"Name": topic, "Partitions": [{"PartitionIndex": 0, "Offset": offset}]}]})
        for time in (-1, -2, -3, -4, 0, THEN, THEN + 40):
            c.ask(at(topic, time))


def ends(name, *epochs, current=-1, replica=-1, index=0):
    return {"ReplicaId": replica, "Topics": [{"Topic": name, "Partitions": [
        {"Partition": index, "LeaderEpoch": epoch, "CurrentLeaderEpoch": current} for epoch in epochs]}]}


requests("OffsetForLeaderEpoch", {
    "epochs": lambda c: [ends(timed(c) if epoch == 0 else c.name(), epoch) for epoch in (0, 1, -1, 2_147_483_647)],
    "current epochs": lambda c: [ends(timed(c) if epoch == 0 else c.name(), 0, current=epoch) for epoch in (0, 1, -1, -2)],
    "empty log": lambda c: [ends(c.topic() if epoch == 0 else c.name(), epoch) for epoch in (0, 1, -1)],
    "unknown topic": lambda c: ends("nope", 0),
    "bad names": lambda c: [ends("", 0), ends("a b", 0)],
    "unknown partition": lambda c: [ends(c.topic(), 0, index=1), ends(c.name(), 0, index=-1)],
    "a partition twice": lambda c: ends(timed(c), 0, 1),
    "replicas": lambda c: [ends(timed(c) if replica == -2 else c.name(), 0, replica=replica) for replica in (-2, -3, 1, 5)],
    "no topics": lambda c: {"Topics": []},
})
