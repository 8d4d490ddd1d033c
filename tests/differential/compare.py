"""How two answers are compared: what differs by nature gets the same name on both sides, the rest must be equal."""

import re
import time
import uuid
from base64 import urlsafe_b64encode
from fnmatch import fnmatchcase
from pathlib import Path

from records import describe
from schema import ZERO

UNORDERED = {
    # API: field to what its elements are sorted by. The reference release gives these in the order of a hash table, or,
    # for Fetch, in that of its session, in which the partitions take turns.
    "CreateTopics": {"Topics": ("Name", "ErrorCode")},
    "CreatePartitions": {"Results": ("Name",)},
    "DeleteGroups": {"Results": ("GroupId", "ErrorCode")},
    "DeleteRecords": {"Topics": ("Name",), "Partitions": ("PartitionIndex",)},
    "DeleteTopics": {"Responses": ("Name", "TopicId", "ErrorCode")},
    "DescribeConfigs": {"Configs": ("Name",)},
    "DescribeGroups": {"Groups": ("GroupId", "ErrorCode"), "Members": ("MemberMetadata",)},
    "DescribeLogDirs": {"Topics": ("Name",), "Partitions": ("PartitionIndex",)},
    "DescribeProducers": {"ActiveProducers": ("ProducerId",)},
    "Fetch": {"Responses": ("Topic", "TopicId"), "Partitions": ("PartitionIndex",)},
    "IncrementalAlterConfigs": {"Responses": ("ResourceName", "ResourceType")},
    "AlterConfigs": {"Responses": ("ResourceName", "ResourceType")},
    "JoinGroup": {"Members": ("Metadata",)},
    "ListConfigResources": {"ConfigResources": ("ResourceName", "ResourceType")},
    "ListGroups": {"Groups": ("GroupId",)},
    "ListOffsets": {"Topics": ("Name",), "Partitions": ("PartitionIndex",)},
    "Metadata": {"Topics": ("Name",)},
    "OffsetDelete": {"Topics": ("Name",), "Partitions": ("PartitionIndex",)},
    "OffsetFetch": {"Topics": ("Name",), "Partitions": ("PartitionIndex",)},
    "Produce": {"Responses": ("Name", "TopicId"), "PartitionResponses": ("Index",)},
    "OffsetForLeaderEpoch": {"Topics": ("Topic",), "Partitions": ("Partition",)},
}
MESSAGES = {"ErrorMessage", "BatchIndexErrorMessage"}
"""Texts for people: that something is said is compared, and not its words."""
OF_THE_MACHINE = {"TotalBytes", "UsableBytes", "FinalizedFeaturesEpoch"}
TIMES = {"Timestamp", "MaxTimestamp", "LogAppendTimeMs", "LastTimestamp", "IssueTimestampMs"}
NUMBERED = {"ProducerId": "producer", "SessionId": "session"}
UUID_TEXT = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Normalizer:
    """Gives what one broker answered in one case its comparable form."""

    def __init__(self, hidden):
        self.hidden, self.names = hidden, {}
        self.now_ms = time.time() * 1000

    def nth(self, kind, value):
        """`kind-n` for the nth value of that kind."""
        known = self.names.setdefault(kind, {})
        return known.setdefault(value, f"{kind}-{len(known) + 1}")

    def place(self, value):
        """What an element of no order is sorted by. The ids of a case's topics are random: theirs is the order in which
        the topics were created."""
        return self.names.get("uuid", {}).get(value, str(value))

    def merged(self, topics):
        """The topics of a Fetch answer, each once: the reference release repeats them as its order of partitions has it."""
        merged = {}
        for topic in topics:
            first = merged.setdefault(topic.get("Topic", topic.get("TopicId")), topic | {"Partitions": []})
            first["Partitions"] += topic["Partitions"]
        return list(merged.values())

    def answer(self, api, value, field=None):
        if isinstance(value, dict):
            return {key: self.answer(api, this, key) for key, this in value.items()}
        if isinstance(value, list):
            if (api, field) == ("Fetch", "Responses"):
                value = self.merged(value)
            by = UNORDERED.get(api, {}).get(field)
            if by and all(isinstance(element, dict) for element in value):
                value = sorted(value, key=lambda element: [self.place(element.get(name)) for name in by])
            return [self.answer(api, element, field) for element in value]
        if isinstance(value, uuid.UUID):
            return "zero" if value == ZERO else self.nth("uuid", value)
        if isinstance(value, bytes):
            return self.records(api, value) if field == "Records" else value.hex()
        if isinstance(value, str):
            return "text" if field in MESSAGES and value else self.text(value)
        return self.number(field, value)

    def number(self, field, value):
        if field in OF_THE_MACHINE and value > 0:
            return "of the machine"
        if field in NUMBERED and value > 0:
            return self.nth(NUMBERED[field], value)
        if field in TIMES and abs(value - self.now_ms) < 3_600_000:
            return "now"
        return self.text(str(value)) if field == "Port" else value

    def text(self, value):
        for hidden, name in self.hidden.items():
            value = value.replace(hidden, name)
        for known, name in self.names.get("uuid", {}).items():
            value = value.replace(urlsafe_b64encode(known.bytes).decode().rstrip("="), name)
        return UUID_TEXT.sub(lambda found: self.nth("member", found[0]), value)

    def records(self, api, data):
        batches = describe(data)
        return [self.answer(api, one) for one in batches]


def differences(path, reference, ottla):
    """(path, value of the reference, value of Ottla) wherever the two differ."""
    if isinstance(reference, dict) and isinstance(ottla, dict):
        for key in reference:
            yield from differences(f"{path}.{key}", reference[key], ottla[key]) if key in ottla else [
                (f"{path}.{key}", reference[key], "absent")]
        yield from ((f"{path}.{key}", "absent", ottla[key]) for key in ottla if key not in reference)
    elif isinstance(reference, list) and isinstance(ottla, list) and len(reference) == len(ottla):
        for index, pair in enumerate(zip(reference, ottla)):
            yield from differences(f"{path}[{index}]", *pair)
    elif reference != ottla:
        yield path, reference, ottla


class Allowed:
    """The differences that are allowed, and which of them occurred."""

    def __init__(self):
        lines = (Path(__file__).parent / "allowed").read_text().splitlines()
        rows = [line for line in lines if line and not line.startswith("#")]
        self.rows = [[cell.strip() for cell in row.split("|")] for row in rows]
        assert all(len(row) == 5 and row[4] for row in self.rows), "allowed: API | versions | case | path | reason"
        self.used = set()

    def covers(self, api, version, name, difference):
        """Whether a row allows this difference."""
        for index, (row_api, row_versions, row_case, row_path, _) in enumerate(self.rows):
            lowest, _, highest = row_versions.partition("-")
            in_range = row_versions == "*" or int(lowest) <= version <= int(highest or lowest)
            row_place, colon, row_values = row_path.partition(": ")
            place, _, values = re.sub(r"\[\d+\]", "", difference).partition(": ")
            if in_range and api in row_api.split(", ") and fnmatchcase(name, row_case) and fnmatchcase(place, row_place) and (
                    not colon or fnmatchcase(values, row_values)):
                self.used.add(index)
                return True
        return False

    def unused(self):
        return [" | ".join(row) for index, row in enumerate(self.rows) if index not in self.used]
