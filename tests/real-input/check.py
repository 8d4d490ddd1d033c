"""What must hold of the flights that went in and came out: check.py FLIGHTS DIRECTORY FROM.

produced.tsv has the rows as they were acknowledged, GROUP.first and GROUP.again what the members of a group did, in
one order, a line each:

    A partition                                       a member was assigned the partition
    R partition offset timestamp row key value        a record was read
    C partition offset                                a commit was acknowledged
    W partition offset                                the group was rewound to the offset
    E partition offset                                the group's committed offset when it had read everything
"""

import collections
import pathlib
import sys

import flights

path, directory, start = sys.argv[1], pathlib.Path(sys.argv[2]), flights.milliseconds(sys.argv[3])
passed = failed = 0


def check(name, problems):
    global passed, failed
    problems = list(problems)
    if problems:
        failed += 1
        print(f"FAILED  {name}: {len(problems)} problems")
        for problem in problems[:5]:
            print(f"        {problem}")
    else:
        passed += 1
        print(f"ok      {name}")


def acknowledged(rows):
    """The row at each offset of each partition, and what is wrong with what was acknowledged."""
    partitions, problems, seen = collections.defaultdict(dict), [], collections.Counter()
    for line in open(directory / "produced.tsv"):
        row, partition, offset = map(int, line.split("\t"))
        seen[row] += 1
        if offset in partitions[partition]:
            problems.append(f"partition {partition}, offset {offset}: rows {partitions[partition][offset]} and {row}")
        partitions[partition][offset] = row
    problems += [f"row {row} was acknowledged {seen[row]} times" for row in range(len(rows)) if seen[row] != 1]
    logs = {}
    for partition, offsets in sorted(partitions.items()):
        if sorted(offsets) != list(range(len(offsets))):
            problems.append(f"partition {partition}: {len(offsets)} records up to offset {max(offsets)}")
        logs[partition] = [offsets[offset] for offset in sorted(offsets)]
    return logs, problems


def in_order(rows, logs):
    """Every key is in one partition, its rows in the order in which they were sent."""
    last = {}
    for partition, log in logs.items():
        for row in log:
            key = rows[row][0]
            before, row_before = last.get(key, (partition, -1))
            if before != partition:
                yield f"{key} is in partitions {before} and {partition}"
            if row <= row_before:
                yield f"{key}: row {row} follows row {row_before}"
            last[key] = partition, row


class Reading:
    """One reading of a group from offsets to the end of every partition."""

    def __init__(self, rows, logs, file, begin):
        self.rows, self.logs, self.file = rows, logs, file
        # The offset behind what has been read, what a member is to read next, and what is committed.
        self.end, self.next, self.committed = dict(begin), dict(begin), dict(begin)
        self.fresh, self.final = set(), {}
        self.assigned = 0

    def problems(self):
        for number, line in enumerate(open(directory / self.file), 1):
            kind, partition, *rest = line.rstrip("\n").split("\t")
            for problem in getattr(self, kind)(int(partition), *rest):
                yield f"{self.file}, line {number}, partition {partition}: {problem}"
        for partition, log in self.logs.items():
            if self.end[partition] != len(log):
                yield f"{self.file}: partition {partition} was read to {self.end[partition]} of {len(log)}"
            if self.final.get(partition) != len(log):
                yield f"{self.file}: partition {partition} is committed to {self.final.get(partition)} of {len(log)}"

    def A(self, partition):
        self.assigned += 1
        self.fresh.add(partition)
        return ()

    def R(self, partition, offset, timestamp, row, key, value):
        offset, row = int(offset), int(row)
        if self.logs[partition][offset:offset + 1] != [row]:
            yield f"offset {offset} holds row {row}, which was acknowledged elsewhere"
        if self.rows[row] != (key, int(timestamp), value):
            yield f"offset {offset} holds {key}, {timestamp}, {value} instead of {self.rows[row]}"
        if partition in self.fresh:
            # A new owner goes on where the last one has committed; what is read twice was not committed.
            self.fresh.discard(partition)
            if not self.committed[partition] <= offset <= self.end[partition]:
                yield f"read on from {offset}, and {self.committed[partition]} is committed, {self.end[partition]} read"
        elif offset != self.next[partition]:
            yield f"offset {offset} follows {self.next[partition] - 1}"
        self.next[partition] = offset + 1
        self.end[partition] = max(self.end[partition], offset + 1)

    def C(self, partition, offset):
        self.committed[partition] = int(offset)
        if int(offset) > self.end[partition]:
            yield f"{offset} was committed before it was read"

    def E(self, partition, offset):
        self.final[partition] = int(offset)
        return ()


def rewound(rows, logs):
    """The first offset of each partition whose timestamp is not before `start`."""
    return {partition: next((offset for offset, row in enumerate(log) if rows[row][1] >= start), len(log))
            for partition, log in logs.items()}


def rewinds(group, expected):
    found = {}
    for line in open(directory / f"{group}.rewound-to"):
        _, partition, offset = line.split("\t")
        found[int(partition)] = int(offset)
    return [] if found == expected else [f"rewound to {found} instead of {expected}"]


rows = flights.rows(path)
check(f"the data set has {flights.ROWS} flights", [] if len(rows) == flights.ROWS else [f"it has {len(rows)}"])
logs, problems = acknowledged(rows)
check(f"each was acknowledged once, at an offset of its own, in {len(logs)} partitions", problems)
check("each key is in one partition, in order", in_order(rows, logs))
times = rewound(rows, logs)
for group in "java", "go":
    first = Reading(rows, logs, f"{group}.first", dict.fromkeys(logs, 0))
    check(f"{group}: every flight came out, in order, nothing that was committed twice", first.problems())
    check(f"{group}: rewound to {sys.argv[3]}", rewinds(group, times))
    check(f"{group}: partitions changed hands when a member left", [] if first.assigned > len(logs) else ["none did"])
    again = Reading(rows, logs, f"{group}.again", times)
    check(f"{group}: every flight since then came out again, in order", again.problems())
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
