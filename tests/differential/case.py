"""What a case is, and what it can do."""

import json
import re
import time

from broker import PATIENCE_S, Connection, frame
from records import batch

CASES = []
"""Every case in the order in which they run: (API, name, versions or None for all, steps)."""


def case(api, versions=None):
    """Makes a function of a context a case of an API; its name is the case's."""
    def add(steps):
        CASES.append((api, steps.__name__.replace("_", " "), versions, steps))
        return steps
    return add


def requests(api, bodies, versions=None):
    """Cases that are requests only: name to the body, or the list of bodies, that a function of a context gives."""
    for name, make in bodies.items():
        def steps(c, make=make):
            made = make(c)
            for body in made if isinstance(made, list) else [made]:
                c.ask(body)
        CASES.append((api, name, versions, steps))


PROBE = 1_000_003
"""Correlation id of the request that shows whether the one before it was answered."""


class Unprepared(Exception):
    """The set-up of a case did not go as it must."""


class Context:
    """One case in one version on one broker. What `ask` and its like see is compared; set-up is not."""

    def __init__(self, broker, latest, api, name, version):
        self.broker, self.latest, self.api, self.version = broker, latest, api, version
        self.seen, self.ids, self.open = [], {}, []
        self.unique = re.sub("[^A-Za-z0-9]", "-", f"{api}-{version}-{name}")
        self.connection = self.connect()

    def connect(self):
        """Another connection."""
        self.open.append(Connection(self.broker.port))
        return self.open[-1]

    def close(self):
        for connection in self.open:
            connection.close()

    # What is compared.

    def ask(self, body, api=None, version=None, on=None):
        """Asks the API and version of the case, or another in its latest version, and compares the answer."""
        self.send(body, api, version, on)
        return self.receive(api, version, on)

    def send(self, body, api=None, version=None, on=None):
        api, version = self.which(api, version)
        (on or self.connection).send(frame(api, version, body))

    def receive(self, api=None, version=None, on=None):
        """The answer to what was sent."""
        api, version = self.which(api, version)
        answer = (on or self.connection).receive(api, version)
        self.seen.append((api, version, answer))
        return answer

    def raw(self, data, api=None, version=None):
        """Sends a whole frame, and after it a request that is in order: compares what comes to each."""
        self.connection.send(data + frame("Heartbeat", 0, {}, correlation_id=PROBE))
        if isinstance(self.receive(api, version), dict):
            self.receive("Heartbeat", 0)

    def silent(self, body):
        """Sends a request that is not to be answered."""
        self.raw(frame(self.api, self.version, body))

    def which(self, api, version):
        if api is None:
            return self.api, self.version
        return api, self.latest[api] if version is None else version

    # Set-up.

    def name(self, suffix=""):
        """A name that no other case has."""
        return self.unique + suffix

    def setup(self, api, body, version=None):
        """Asks what is not compared."""
        answer = self.broker.connection.ask(api, self.latest[api] if version is None else version, body)
        if not isinstance(answer, dict):
            raise Unprepared(f"{api} {body}: {answer}")
        return answer

    def until(self, api, body, is_there, version=None):
        """Asks until the answer is as wanted."""
        end = time.monotonic() + PATIENCE_S
        while not is_there(answer := self.setup(api, body, version)):
            if time.monotonic() > end:
                raise Unprepared(f"{api} {body}: at last {answer}")
            time.sleep(0.002)
        return answer

    def topic(self, partitions=1, suffix="", batches=(), **configs):
        """A new topic, ready for use; its id is in `ids`. The batches are appended to partition 0."""
        name = self.name(suffix)
        settings = [{"Name": key.replace("_", "."), "Value": str(value)} for key, value in configs.items()]
        made = self.setup("CreateTopics", {"timeoutMs": 30_000, "Topics": [
            {"Name": name, "NumPartitions": partitions, "ReplicationFactor": 1, "Configs": settings}]})["Topics"][0]
        if made["ErrorCode"]:
            raise Unprepared(f"CreateTopics {name}: {made}")
        self.ids[name] = made["TopicId"]
        self.leads(name, partitions)
        for data in batches:
            self.append(name, data)
        return name

    def leads(self, topic, partitions=1):
        """Waits until the broker leads the partitions of a topic."""
        asked = [{"PartitionIndex": index, "Timestamp": -2} for index in range(partitions)]
        self.until("ListOffsets", {"ReplicaId": -1, "Topics": [{"Name": topic, "Partitions": asked}]},
                   lambda answer: not any(one["ErrorCode"] for one in answer["Topics"][0]["Partitions"]))

    def append(self, topic, data=None, partition=0):
        """Appends a batch."""
        answer = self.setup("Produce", {"Acks": -1, "TimeoutMs": 30_000, "TopicData": [{"Name": topic, "PartitionData": [
            {"Index": partition, "Records": batch() if data is None else data}]}]}, 12)
        made = answer["Responses"][0]["PartitionResponses"][0]
        if made["ErrorCode"]:
            raise Unprepared(f"Produce: {made}")
        return made["BaseOffset"]

    def settle(self):
        """Waits until the broker has heard of everything that its controller has decided."""
        self.topic(suffix=f"-settled-{len(self.ids)}")

    def producer(self):
        """A new producer id."""
        return self.until("InitProducerId", {"TransactionalId": None, "TransactionTimeoutMs": 60_000},
                          lambda answer: not answer["ErrorCode"])["ProducerId"]


def shown(value):
    """A value on one line."""
    text = json.dumps(value, default=str)
    return text if len(text) < 400 else f"{text[:400]}... ({len(text)} characters)"
