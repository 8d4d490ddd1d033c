"""Produces the flights, idempotently: produce.py BROKER FLIGHTS DIRECTORY PARTITIONS.

Writes produced.tsv: of every record that was acknowledged its row, partition and offset. At a third and at two thirds
of the rows it says so by a file, and keeps its requests flowing, but slowly, until the broker was killed.
"""

import pathlib
import sys

import confluent_kafka
import confluent_kafka.admin

import flights

broker, path, directory, partitions = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
POINTS = {flights.ROWS // 3: "third", 2 * flights.ROWS // 3: "two-thirds"}
# Rows after a point that may go out before the broker is killed.
SLOW_ROWS = flights.ROWS // 4

admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": broker})
new = confluent_kafka.admin.NewTopic("flights", partitions, 1, config={"retention.ms": "-1", "segment.bytes": "4194304"})
admin.create_topics([new])["flights"].result(60)

producer = confluent_kafka.Producer({
    "bootstrap.servers": broker, "enable.idempotence": True, "acks": "all", "compression.type": "lz4", "linger.ms": 5,
    "partitioner": "murmur2_random", "message.timeout.ms": 120_000, "reconnect.backoff.max.ms": 500,
})
produced = open(directory / "produced.tsv", "w")
failures = []


def done(row):
    def report(error, message):
        if error:
            failures.append(f"row {row}: {error}")
        else:
            produced.write(f"{row}\t{message.partition()}\t{message.offset()}\n")
    return report


def send(row, key, timestamp, value):
    while True:
        try:
            producer.produce("flights", value, key, on_delivery=done(row), timestamp=timestamp, headers={"row": str(row)})
            return
        except BufferError:
            producer.poll(0.1)


killed, slow_until = None, 0
for row, (key, timestamp, value) in enumerate(flights.rows(path)):
    send(row, key, timestamp, value)
    if row in POINTS:
        (directory / f"producer.{POINTS[row]}").touch()
        killed, slow_until = directory / f"{POINTS[row]}.killed", row + SLOW_ROWS
    if killed and row % 100 == 0:
        producer.poll(0.01)
        while row >= slow_until and not killed.exists():
            producer.poll(0.01)
        if killed.exists():
            killed = None
    producer.poll(0)
left = producer.flush(120)
produced.close()
if failures or left:
    sys.exit(f"{len(failures)} rows were not acknowledged and {left} are left: {failures[:3]}")
