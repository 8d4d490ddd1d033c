"""A node on directories of its own, and what a client sees of it."""

import os
import pathlib
import pwd
import signal
import socket
import subprocess
import threading
import time

import confluent_kafka
import confluent_kafka.admin

# How long a start or a stop may take on a busy machine, seconds.
DEADLINE_S = 120
TOPIC, GROUP, PARTITIONS = "t", "g", 2
# Ten records make 100 kB: a segment of 1 MB, the smallest there is, holds about a hundred.
VALUE_BYTES = 10_000
given, giving = set(), threading.Lock()


def free_port():
    """A port that is free and was not given before: the nodes of other cases may not have taken theirs yet."""
    with giving:
        while True:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                port = listener.getsockname()[1]
            if port not in given:
                given.add(port)
                return port


def value(partition, offset):
    text = f"{partition} {offset} "
    return (text * (VALUE_BYTES // len(text) + 1))[:VALUE_BYTES].encode()


class Node:
    """A node whose directories are under `folder`, on ports that it keeps."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.port, self.controller_port = free_port(), free_port()
        self.log_dirs = [self.folder / "data"]
        self.properties = {}
        self.lines = []
        self.as_nobody = False
        self.process = None

    @property
    def log(self):
        return self.folder / "log"

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self):
        """Starts it. Whether it serves; else it has ended."""
        properties = {
            "process.roles": "broker,controller", "node.id": "1", "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": ",".join(str(path) for path in self.log_dirs), "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "2", "group.initial.rebalance.delay.ms": "0", **self.properties,
        }
        file = self.folder / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()) + "".join(line + "\n" for line in self.lines))
        self.log.write_text("")
        out = self.folder / "out"
        with out.open("w") as stdout, self.log.open("w") as stderr:
            self.process = subprocess.Popen([self.program, "start", file], stdout=stdout, stderr=stderr, **self.user())
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            if out.read_text().startswith("ready "):
                return True
            time.sleep(0.02)
        self.end(signal.SIGKILL)
        raise TimeoutError("it neither serves nor ends\n" + self.text()[-2000:])

    def user(self):
        """Whom the broker runs as: not root, if no directory is to be writable to it."""
        if not self.as_nobody or os.getuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def end(self, how=signal.SIGTERM):
        """Ends it. Its exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(DEADLINE_S)
        return self.process.returncode if self.process else None

    def client(self, **more):
        return {"bootstrap.servers": f"127.0.0.1:{self.port}", "log_level": 0, **{name.replace("_", "."): value for name, value in more.items()}}

    def create_topic(self):
        admin = confluent_kafka.admin.AdminClient(self.client())
        new = confluent_kafka.admin.NewTopic(TOPIC, PARTITIONS, 1, config={"segment.bytes": str(1 << 20), "retention.ms": "-1"})
        admin.create_topics([new])[TOPIC].result(60)

    def topics(self):
        return set(confluent_kafka.admin.AdminClient(self.client()).list_topics(timeout=60).topics)

    def produce(self, count, firsts=(0,) * PARTITIONS):
        """Appends `count` records to every partition, and waits until each is acknowledged at its offset."""
        producer = confluent_kafka.Producer(self.client(enable_idempotence=True, linger_ms=5, batch_num_messages=5))
        wrong = []
        for partition, first in enumerate(firsts):
            for offset in range(first, first + count):
                def done(error, message, offset=offset):
                    if error or message.offset() != offset:
                        wrong.append(f"record {offset}: {error or message.offset()}")
                producer.produce(TOPIC, value(partition, offset), partition=partition, on_delivery=done)
        left = producer.flush(60)
        if wrong or left:
            raise AssertionError(f"not all records were acknowledged at their offsets: {left} are left, {wrong[:3]}")

    def ends(self):
        consumer = confluent_kafka.Consumer(self.client(group_id="none"))
        try:
            return [consumer.get_watermark_offsets(confluent_kafka.TopicPartition(TOPIC, partition), timeout=60)[1]
                    for partition in range(PARTITIONS)]
        finally:
            consumer.close()

    def read(self, partition):
        """The values of a partition by offset; an error of the broker or the client is raised."""
        consumer = confluent_kafka.Consumer(self.client(group_id="none", check_crcs=True, enable_auto_commit=False, enable_partition_eof=True))
        consumer.assign([confluent_kafka.TopicPartition(TOPIC, partition, 0)])
        found = {}
        try:
            while True:
                message = consumer.poll(30)
                if message is None:
                    raise AssertionError(f"partition {partition} gives nothing behind {len(found)} records")
                if message.error():
                    if message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        return found
                    raise confluent_kafka.KafkaException(message.error())
                found[message.offset()] = message.value()
        finally:
            consumer.close()

    def commit(self, offsets):
        consumer = confluent_kafka.Consumer(self.client(group_id=GROUP))
        consumer.commit(offsets=[confluent_kafka.TopicPartition(TOPIC, partition, offset) for partition, offset in enumerate(offsets)], asynchronous=False)
        consumer.close()

    def committed(self):
        consumer = confluent_kafka.Consumer(self.client(group_id=GROUP))
        try:
            asked = [confluent_kafka.TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
            return [found.offset for found in consumer.committed(asked, timeout=60)]
        finally:
            consumer.close()
