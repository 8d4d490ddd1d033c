"""DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources."""

from case import case, requests

UNKNOWN, TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP = 0, 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = range(4)


def describe(*resources, synonyms=False, documentation=False):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys}
                          for kind, name, keys in resources],
            "IncludeSynonyms": synonyms, "IncludeDocumentation": documentation}


requests("DescribeConfigs", {
    "topic": lambda c: describe((TOPIC, c.topic(), None)),
    "topic with overrides": lambda c: describe(
        (TOPIC, c.topic(retention_ms="1", cleanup_policy="compact", segment_bytes="2000000"), None), synonyms=True),
    "some keys": lambda c: describe((TOPIC, c.topic(), ["retention.ms", "no.such", "cleanup.policy", "retention.ms"])),
    "empty list of keys": lambda c: describe((TOPIC, c.topic(), []), (BROKER, "1", [])),
    "broker": lambda c: describe((BROKER, "1", None)),
    "broker with synonyms": lambda c: describe((BROKER, "1", None), synonyms=True),
    "cluster default": lambda c: describe((BROKER, "", None), synonyms=True),
    "another broker": lambda c: describe((BROKER, "2", None)),
    "a broker whose id is no number": lambda c: describe((BROKER, "x", None), (BROKER, "-1", None), (BROKER, " 1", None)),
    "unknown topic": lambda c: describe((TOPIC, "nope", None)),
    "bad names of topics": lambda c: describe((TOPIC, "", None), (TOPIC, "a b", None), (TOPIC, "x" * 250, None), (TOPIC, "..", None)),
    "another broker's loggers": lambda c: describe((LOGGER, "2", None), (LOGGER, "", None), (LOGGER, "x", None)),
    "group": lambda c: describe((GROUP, "g", None), (GROUP, "g", ["consumer.session.timeout.ms"]), synonyms=True),
    "group without a name": lambda c: describe((GROUP, "", None)),
    "client metrics": lambda c: describe((CLIENT_METRICS, "m", None), (CLIENT_METRICS, "", None), synonyms=True),
    "types that do not exist": lambda c: describe((UNKNOWN, "a", None), (3, "a", None), (64, "a", None), (-1, "a", None)),
    "internal topic": lambda c: describe((TOPIC, "__consumer_offsets", None)),
    "nothing": lambda c: describe(),
    "a resource twice": lambda c: describe((TOPIC, c.topic(), ["retention.ms"]), (TOPIC, c.name(), ["segment.ms"])),
    "null resources": lambda c: {"Resources": None},
})


@case("DescribeConfigs")
def documentation_is_there_when_asked_for(c):
    asked = describe((TOPIC, c.topic(), ["retention.ms"]), (BROKER, "1", ["log.retention.ms"]), documentation=True)
    c.send(asked)
    answer = c.connection.receive(c.api, c.version)
    for result in answer["Results"] if isinstance(answer, dict) else []:
        for config in result["Configs"]:
            config["Documentation"] = bool(config.get("Documentation"))
    c.seen.append((c.api, c.version, answer))


def alter(kind, name, *configs, only_validate=False):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name, "Configs": [
        {"Name": key, "Value": value} for key, value in configs]}], "ValidateOnly": only_validate}


def change(kind, name, *configs, only_validate=False):
    return {"Resources": [{"ResourceType": kind, "ResourceName": name, "Configs": [
        {"Name": key, "ConfigOperation": operation, "Value": value} for key, operation, value in configs]}],
        "ValidateOnly": only_validate}


def then(c, kind, name):
    """What is set on a resource, once the broker has heard of all changes."""
    c.settle()
    answer = c.setup("DescribeConfigs", describe((kind, name, None)))
    own = {TOPIC: 1, BROKER: 2, CLIENT_METRICS: 7, GROUP: 8}[kind]
    for result in answer["Results"]:
        result["Configs"] = [config for config in result["Configs"] if config["ConfigSource"] in (own, 3)]
    c.seen.append(("DescribeConfigs", c.latest["DescribeConfigs"], answer))


@case("AlterConfigs")
def replaced(c):
    topic = c.topic(retention_ms="1000", segment_ms="2000")
    c.ask(alter(TOPIC, topic, ("segment.ms", "3000"), ("cleanup.policy", "compact")))
    then(c, TOPIC, topic)
    c.ask(alter(TOPIC, topic))
    then(c, TOPIC, topic)


@case("AlterConfigs")
def only_validated(c):
    topic = c.topic(retention_ms="1000")
    c.ask(alter(TOPIC, topic, ("segment.ms", "3000"), only_validate=True))
    c.ask(alter(TOPIC, topic, ("segment.ms", "x"), only_validate=True))
    then(c, TOPIC, topic)


requests("AlterConfigs", {
    "bad values": lambda c: [alter(TOPIC, c.topic() if first else c.name(), (key, value)) for first, key, value in (
        (True, "no.such", "1"), (False, "retention.ms", "x"), (False, "retention.ms", ""), (False, "retention.ms", None),
        (False, "cleanup.policy", "shred"), (False, "min.insync.replicas", "0"), (False, "", "1"),
        (False, "compression.type", None))],
    "unknown topic": lambda c: alter(TOPIC, "nope", ("retention.ms", "1")),
    "bad names of topics": lambda c: [alter(TOPIC, "", ("retention.ms", "1")), alter(TOPIC, "a b", ("retention.ms", "1"))],
    "a config twice": lambda c: alter(TOPIC, c.topic(), ("retention.ms", "1"), ("retention.ms", "2")),
    "nothing": lambda c: {"Resources": []},
    "types that do not exist": lambda c: [alter(kind, "a", ("x", "1")) for kind in (UNKNOWN, 3, 64, -1)],
    "loggers": lambda c: alter(LOGGER, "1", ("root", "INFO")),
    "another broker": lambda c: [alter(BROKER, name, ("log.retention.ms", "1")) for name in ("2", "x", "-1")],
    "read only": lambda c: alter(BROKER, "1", ("log.dirs", "/tmp"), only_validate=True),
    "group": lambda c: alter(GROUP, c.name(), ("consumer.session.timeout.ms", "50000"), only_validate=True),
    "client metrics": lambda c: alter(CLIENT_METRICS, c.name(), ("interval.ms", "50000"), only_validate=True),
})


@case("IncrementalAlterConfigs")
def every_operation(c):
    topic = c.topic()
    for one in (
        [("retention.ms", SET, "1000")], [("retention.ms", DELETE, None)], [("retention.ms", DELETE, "x")],
        [("retention.ms", APPEND, "1")], [("retention.ms", SUBTRACT, "1")],
        [("cleanup.policy", SET, "delete")], [("cleanup.policy", APPEND, "compact")], [("cleanup.policy", APPEND, "compact")],
        [("cleanup.policy", SUBTRACT, "delete")], [("cleanup.policy", SUBTRACT, "never")],
        [("cleanup.policy", SUBTRACT, "compact")], [("cleanup.policy", APPEND, "delete,compact")],
        [("cleanup.policy", SET, None)], [("cleanup.policy", APPEND, None)], [("retention.ms", SET, None)],
        [("retention.ms", 4, "1")], [("retention.ms", -1, "1")], [("no.such", SET, "1")], [("no.such", DELETE, None)],
        [("", SET, "1")], [("retention.ms", SET, "x")], [("retention.ms", SET, "5"), ("segment.ms", SET, "x")],
        [("retention.ms", SET, "6"), ("retention.ms", DELETE, None)],
        [("leader.replication.throttled.replicas", APPEND, "0:1")], [("leader.replication.throttled.replicas", APPEND, "1:1")],
        [("leader.replication.throttled.replicas", SUBTRACT, "0:1")], [("leader.replication.throttled.replicas", SET, "x")],
        [("leader.replication.throttled.replicas", SET, "*")], [], [("min.insync.replicas", SET, "2")],
        [("compression.type", SET, "zstd"), ("compression.zstd.level", SET, "99")], [("segment.bytes", SET, "14")],
    ):
        c.ask(change(TOPIC, topic, *one))
    then(c, TOPIC, topic)


@case("IncrementalAlterConfigs")
def broker_and_cluster(c):
    for name in ("", "1"):
        for one in (
            [("log.retention.ms", SET, "700000")], [("log.cleaner.threads", SET, "2")], [("log.cleaner.threads", SET, "9")],
            [("log.dirs", SET, "/tmp")], [("no.such", SET, "1")], [("num.io.threads", SET, "-1")], [("num.io.threads", SET, "100")],
            [("listeners", SET, "PLAINTEXT://:1")], [("log.retention.ms", APPEND, "1")], [("log.cleanup.policy", APPEND, "compact")],
            [("log.cleanup.policy", SUBTRACT, "delete")], [("max.connections", SET, "x")], [("unclean.leader.election.enable", SET, "true")],
            [("min.insync.replicas", SET, "1")], [("message.max.bytes", SET, "-1")], [("broker.id", SET, "2")],
            [("sasl.jaas.config", SET, "secret")], [("listener.name.plaintext.ssl.keystore.type", SET, "PEM")],
        ):
            c.ask(change(BROKER, name, *one, only_validate=one[0][0] != "log.retention.ms"))
        then(c, BROKER, name)
        c.ask(change(BROKER, name, ("log.retention.ms", DELETE, None)))
        then(c, BROKER, name)
    for name in ("2", "x", "-1"):
        c.ask(change(BROKER, name, ("log.retention.ms", SET, "1")))


@case("IncrementalAlterConfigs")
def groups_and_client_metrics(c):
    group, metrics = c.name("-group"), c.name("-metrics")
    for one in (
        [("consumer.session.timeout.ms", SET, "50000")], [("consumer.session.timeout.ms", SET, "1")],
        [("consumer.heartbeat.interval.ms", SET, "7000"), ("share.auto.offset.reset", SET, "earliest")],
        [("share.auto.offset.reset", SET, "never")], [("no.such", SET, "1")], [("consumer.session.timeout.ms", APPEND, "1")],
        [("consumer.heartbeat.interval.ms", DELETE, None)],
    ):
        c.ask(change(GROUP, group, *one))
    then(c, GROUP, group)
    c.ask(change(GROUP, "", ("consumer.session.timeout.ms", SET, "50000")))
    for one in (
        [("interval.ms", SET, "60000")], [("interval.ms", SET, "1")], [("metrics", SET, "a,b")], [("metrics", APPEND, "c")],
        [("metrics", SUBTRACT, "a")], [("match", SET, "client_id=x.*")], [("match", SET, "nope=x")], [("match", SET, "client_id=[")],
        [("no.such", SET, "1")], [("interval.ms", DELETE, None)],
    ):
        c.ask(change(CLIENT_METRICS, metrics, *one))
    then(c, CLIENT_METRICS, metrics)
    c.ask(change(CLIENT_METRICS, "", ("interval.ms", SET, "60000")))
    for kind, name in ((GROUP, group), (CLIENT_METRICS, metrics)):
        answer = c.setup("DescribeConfigs", describe((kind, name, None)))
        c.setup("IncrementalAlterConfigs", change(kind, name, *[
            (config["Name"], DELETE, None) for config in answer["Results"][0]["Configs"]]))
    c.settle()


requests("IncrementalAlterConfigs", {
    "loggers": lambda c: [change(LOGGER, "1", *one, only_validate=True) for one in (
        [("root", SET, "DEBUG")], [("root", SET, "NOISY")], [("root", SET, None)], [("root", DELETE, None)],
        [("no.such.logger", SET, "INFO")], [("root", APPEND, "INFO")], [("root", 9, "INFO")])]
    + [change(LOGGER, name, ("root", SET, "INFO")) for name in ("2", "", "x")],
    "unknown topic": lambda c: change(TOPIC, "nope", ("retention.ms", SET, "1")),
    "bad names of topics": lambda c: [change(TOPIC, name, ("retention.ms", SET, "1")) for name in ("", "a b", "..")],
    "a resource twice": lambda c: {"Resources": change(TOPIC, c.topic(), ("retention.ms", SET, "1"))["Resources"] * 2},
    "types that do not exist": lambda c: [change(kind, "a", ("x", SET, "1")) for kind in (UNKNOWN, 3, 64, -1)],
    "nothing": lambda c: {"Resources": []},
    "null resources": lambda c: {"Resources": None},
    "good and bad together": lambda c: {"Resources": change(TOPIC, c.topic(), ("retention.ms", SET, "1"))["Resources"]
                                        + change(TOPIC, "nope", ("retention.ms", SET, "1"))["Resources"]},
})


@case("ListConfigResources")
def resources(c):
    c.setup("IncrementalAlterConfigs", change(GROUP, c.name("-g"), ("consumer.session.timeout.ms", SET, "50000")))
    c.setup("IncrementalAlterConfigs", change(CLIENT_METRICS, c.name("-m"), ("interval.ms", SET, "60000")))
    c.settle()
    for kinds in ([], [TOPIC], [BROKER], [LOGGER], [CLIENT_METRICS], [GROUP], [GROUP, CLIENT_METRICS, GROUP], [UNKNOWN], [3], [-1],
                  [TOPIC, 64]):
        c.ask({"ResourceTypes": kinds})
