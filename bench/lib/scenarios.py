"""What is measured. A scenario is a function from a stopped broker to {metric: value}; it starts
the broker on an empty data directory and leaves stopping it to the caller."""

import os
import time
from dataclasses import dataclass, field

from .brokers import BenchError, load, os_last_core

BROKER_CORE = 0
# Freed memory goes back to the host of a virtual machine after about two seconds. The pause makes
# both brokers find the machine in the same state, however quickly they start.
SETTLE_S = 4
# A just-in-time compiler gets this long, or this many records' bytes, on all cores before anything counts.
WARM_UP_S = 12
WARM_UP_BYTES = 3_000_000_000
# A consumer reads what is there this often, because reading is so much quicker than writing.
CONSUME_ROUNDS = 4
# Share of a core that other processes may take before a run is marked.
DISTURBED = 0.1


@dataclass
class Metric:
    """How a metric is shown, and whether more or less of it is better."""

    title: str
    unit: str
    more_is_better: bool = False


METRICS = {
    "records_per_s": Metric("rate", "records/s", True),
    "broker_cpu_s_per_gb": Metric("broker CPU", "s/GB"),
    "total_cpu_s_per_gb": Metric("broker and kernel threads' CPU", "s/GB"),
    "broker_cpu_s_per_million": Metric("broker CPU", "s/million records"),
    "broker_peak_mib": Metric("resident memory, peak", "MiB"),
    "p50_us": Metric("p50", "us"),
    "p99_us": Metric("p99", "us"),
    "p999_us": Metric("p99.9", "us"),
    "max_us": Metric("longest", "us"),
    "broker_busy": Metric("broker CPU", "of a core"),
    "missing": Metric("records not read", ""),
    "idle_mib": Metric("resident memory, idle", "MiB"),
    "loaded_mib": Metric("resident memory, after the load", "MiB"),
    "seconds": Metric("time", "s"),
}


@dataclass
class Context:
    """What a scenario may know of the run."""

    scale: float = 1.0
    load_core: int = field(default_factory=os_last_core)
    half_rate: float = 0.0

    def scaled(self, count):
        return max(int(count * self.scale), 1000)


@dataclass
class Stream:
    """A load of produce or consume. `bytes_total` is of values before compression."""

    record_bytes: int = 1024
    acks: int = -1
    codec: str = "none"
    partitions: int = 1
    connections: int = 1
    partitions_per_request: int = 1
    client: str = "raw"
    bytes_total: int = 1_000_000_000

    def records(self, context):
        return context.scaled(self.bytes_total // self.record_bytes)

    def produce(self, broker, context, topic, watched=True):
        return load(["produce", "--topic", topic, "--records", self.records(context),
                     "--record-bytes", self.record_bytes, "--acks", self.acks, "--codec", self.codec,
                     "--partitions-per-request", self.partitions_per_request, *self._common(broker, watched)], context.load_core)

    def consume(self, broker, context, topic):
        return load(["consume", "--topic", topic, "--records", CONSUME_ROUNDS * self.records(context),
                     "--record-bytes", self.record_bytes, *self._common(broker, True)], context.load_core)

    def _common(self, broker, watched):
        return ["--broker", broker.address, "--partitions", self.partitions, "--connections", self.connections,
                "--client", self.client, *(["--broker-pid", broker.pid] if watched else [])]


def warm_up(run):
    """Repeats a load, which returns its figures, until it is time to measure."""
    start, moved = time.monotonic(), 0
    while time.monotonic() - start < WARM_UP_S and moved < WARM_UP_BYTES:
        moved += run()["bytes"]


def settle(broker):
    """Ends what earlier phases left to write, and confines the broker to its core."""
    os.sync()
    time.sleep(SETTLE_S)
    broker.pin(BROKER_CORE)


def stream_metrics(figures):
    names = ["records_per_s", "broker_cpu_s_per_gb", "broker_cpu_s_per_million", "broker_peak_mib"]
    metrics = {name: figures[name] for name in names}
    metrics["total_cpu_s_per_gb"] = figures["broker_cpu_s_per_gb"] + figures["kernel_cpu_s_per_gb"]
    return metrics, limit_of(figures)


def limit_of(figures):
    """Which side was the limit, marked when other processes took part of the cores."""
    return figures["limit"] + ("*" if figures["disturbed"] > DISTURBED else "")


def produce(stream):
    def run(broker, context):
        broker.start()
        warm_up(lambda: stream.produce(broker, context, "warm-up"))
        settle(broker)
        return stream_metrics(stream.produce(broker, context, "measured"))
    return run


def consume(stream):
    def run(broker, context):
        broker.start()
        # Filled by raw requests whichever client reads.
        filler = Stream(**{**stream.__dict__, "client": "raw", "connections": 1})
        filler.produce(broker, context, "measured")
        warm_up(lambda: stream.consume(broker, context, "measured"))
        settle(broker)
        return stream_metrics(stream.consume(broker, context, "measured"))
    return run


LATENCY_METRICS = ["p50_us", "p99_us", "p999_us", "max_us", "broker_busy", "missing"]


def latency(rate=None, linger_ms=0):
    """At a fixed rate, or at half of what the baseline takes from the same client."""
    def run(broker, context):
        broker.start()
        options = ["--broker", broker.address, "--broker-pid", broker.pid, "--linger-ms", linger_ms]
        warm_up(lambda: load(["latency", "--topic", "warm-up", "--rate", 10_000, "--seconds", 3, *options],
                             context.load_core))
        settle(broker)
        chosen = rate or context.half_rate or half_of_maximum(broker, context)
        figures = load(["latency", "--topic", "measured", "--rate", chosen, "--seconds", max(5, int(20 * context.scale)),
                        *options], context.load_core)
        return {name: figures[name] for name in LATENCY_METRICS}, limit_of(figures)
    return run


def half_of_maximum(broker, context):
    """Half of the rate that the first broker, the baseline, takes from the same client; then the
    same for both."""
    stream = Stream(bytes_total=500_000_000, client="librdkafka")
    warm_up(lambda: stream.produce(broker, context, "warm-up-maximum"))
    figures = stream.produce(broker, context, "maximum")
    settle(broker)
    context.half_rate = round(figures["records_per_s"] / 2)
    return context.half_rate


def memory(broker, context):
    broker.start()
    broker.pin(BROKER_CORE)
    time.sleep(max(3, 10 * context.scale))
    idle = broker.resident_mib()
    for stream in (Stream(partitions=100, connections=50), Stream(codec="zstd", partitions=100, connections=50)):
        topic = f"load-{stream.codec}"
        stream.produce(broker, context, topic)
        stream.consume(broker, context, topic)
    return {"idle_mib": idle, "loaded_mib": broker.resident_mib()}, ""


def first_metadata(broker, context):
    """From exec on a data directory that exists to the first Metadata answer that names a broker,
    on all cores."""
    broker.prepare()
    settle_stopped()
    before = broker.launch()
    answer = load(["first-metadata", "--broker", broker.address], context.load_core)
    broker.await_answer()
    return {"seconds": answer["monotonic_s"] - before}, ""


def settle_stopped():
    os.sync()
    time.sleep(1)


def partitions(count):
    def run(broker, context):
        broker.start()
        options = ["--broker", broker.address, "--timeout-s", 300]
        load(["create-partitions", "--topic", "warm-up", "--partitions", 10, *options], context.load_core)
        settle(broker)
        answer = load(["create-partitions", "--topic", "measured", "--partitions", count, *options], context.load_core)
        return {"seconds": answer["seconds"]}, ""
    return run


def recovery(broker, context):
    """From exec after kill -9 under load until the partitions answer with all that was acknowledged."""
    broker.start()
    stream = Stream(partitions=10, connections=10)
    for _ in range(2):
        produced = stream.produce(broker, context, "measured")["records"]
    broker.kill()
    before = broker.launch()
    answer = load(["await-partitions", "--topic", "measured", "--partitions", 10, "--broker", broker.address],
                  context.load_core)
    broker.await_answer()
    if answer["log_end_offsets"] < 2 * produced:
        raise BenchError(f"{broker.name} lost records: {answer['log_end_offsets']} of {2 * produced} after kill -9")
    return {"seconds": answer["monotonic_s"] - before}, ""


def _streams():
    small = {"record_bytes": 100, "bytes_total": 400_000_000}
    shapes = {
        "100b": Stream(**small),
        "1k": Stream(),
        "1k-acks1": Stream(acks=1),
        "1k-lz4": Stream(codec="lz4"),
        "1k-zstd": Stream(codec="zstd"),
        "100b-lz4": Stream(codec="lz4", **small),
        "100b-zstd": Stream(codec="zstd", **small),
        "1k-100p": Stream(partitions=100, partitions_per_request=10),
        "1k-50c": Stream(connections=50),
        "1k-100p-50c": Stream(partitions=100, connections=50, partitions_per_request=10),
        "100b-100p-50c": Stream(partitions=100, connections=50, partitions_per_request=10, **small),
        "100b-librdkafka": Stream(client="librdkafka", **small),
        "1k-librdkafka": Stream(client="librdkafka"),
    }
    for name, stream in shapes.items():
        yield f"produce-{name}", produce(stream)
        if "acks" not in name:
            yield f"consume-{name}", consume(stream)


SCENARIOS = {
    **dict(_streams()),
    "latency-1000": latency(rate=1000),
    # The client's own default: the one with which the maximum is measured.
    "latency-half": latency(linger_ms=5),
    "memory": memory,
    "first-metadata": first_metadata,
    "partitions-1000": partitions(1000),
    "partitions-5000": partitions(5000),
    "recovery": recovery,
}
QUICK = ["produce-100b", "produce-1k", "consume-100b", "consume-1k", "latency-1000", "memory", "first-metadata",
         "partitions-1000", "recovery"]
