//! Broker properties of topics, requests, quotas and background work in general.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "alter.config.policy.class.name": Class = null, Any, Low ReadOnly, JAVA;
        "A Java class that may refuse changes of configuration."
    "auto.create.topics.enable": Boolean = "true", Any, High ReadOnly, ACTS;
        "Whether asking for a topic that does not exist creates it."
    "background.threads": Int = "10", at_least(1), High ClusterWide, THREADS;
        "How many threads do background work."
    "client.quota.callback.class": Class = null, Any, Low ReadOnly, JAVA;
        "A Java class that computes the quotas of clients."
    "config.providers": List = "", LIST, Low ClusterWide, without(Feature::ConfigProviders);
        "Names of providers that fill in values from elsewhere."
    "create.topic.policy.class.name": Class = null, Any, Low ReadOnly, JAVA;
        "A Java class that may refuse new topics."
    "delete.records.purgatory.purge.interval.requests": Int = "1", Any, Medium ReadOnly, INTERNALS;
        "How many finished DeleteRecords requests may stay in their waiting list."
    "delete.topic.enable": Boolean = "true", Any, High ReadOnly, ACTS;
        "Whether topics can be deleted."
    "fetch.max.bytes": Int = "57671680", at_least(1024), Medium ReadOnly, ACTS;
        "The most bytes in one answer to a Fetch request."
    "fetch.purgatory.purge.interval.requests": Int = "1000", Any, Medium ReadOnly, INTERNALS;
        "How many finished Fetch requests may stay in their waiting list."
    "kafka.metrics.polling.interval.secs": Int = "10", at_least(1), Low ReadOnly, JAVA;
        "How often Kafka's Java metrics reporters are called."
    "kafka.metrics.reporters": List = "", LIST, Low ReadOnly, JAVA;
        "Java classes that report Kafka's older metrics."
    "max.incremental.fetch.session.cache.slots": Int = "1000", at_least(0), Medium ReadOnly, ACTS;
        "How many incremental fetch sessions are kept."
    "max.request.partition.size.limit": Int = "2000", at_least(1), Medium ReadOnly, ACTS;
        "The most partitions that one DescribeTopicPartitions request is answered with."
    "metric.reporters": List = "org.apache.kafka.common.metrics.JmxReporter", LIST, Low ClusterWide, JAVA;
        "Java classes that report metrics."
    "metrics.num.samples": Int = "2", at_least(1), Low ReadOnly, JAVA;
        "How many samples Kafka's Java metrics are made of."
    "metrics.recording.level": String = "INFO", Any, Low ReadOnly, JAVA;
        "How detailed Kafka's Java metrics are."
    "metrics.sample.window.ms": Long = "30000", at_least(1), Low ReadOnly, JAVA;
        "How long one sample of Kafka's Java metrics is."
    "num.io.threads": Int = "8", at_least(1), High ClusterWide, THREADS;
        "How many threads handle requests."
    "num.network.threads": Int = "3", at_least(1), High ClusterWide, THREADS;
        "How many threads serve the connections of a listener."
    "num.partitions": Int = "1", at_least(1), Medium ReadOnly, ACTS;
        "How many partitions a topic gets that is created without a number."
    "producer.purgatory.purge.interval.requests": Int = "1000", Any, Medium ReadOnly, INTERNALS;
        "How many finished Produce requests may stay in their waiting list."
    "quota.window.num": Int = "11", at_least(1), Low ReadOnly, without(Feature::Quotas);
        "How many samples the quotas of clients keep."
    "quota.window.size.seconds": Int = "1", at_least(1), Low ReadOnly, without(Feature::Quotas);
        "How long one sample of the quotas of clients is."
    "server.max.startup.time.ms": Long = "9223372036854775807", at_least(0), Medium ReadOnly + internal, INTERNALS;
        "How long a start may take before it is given up."
    "telemetry.max.bytes": Int = "1048576", at_least(1), Low ReadOnly, without(Feature::ClientMetrics);
        "The largest metrics payload that a client may push."
    "unstable.api.versions.enable": Boolean = "false", Any, High ReadOnly + internal, INTERNALS;
        "Whether API versions are offered that are still being made."
    "unstable.feature.versions.enable": Boolean = "false", Any, High ReadOnly + internal, INTERNALS;
        "Whether feature versions can be chosen that are still being made."
};
