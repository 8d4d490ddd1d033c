import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.function.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.serialization.*;

/** kafka-clients against the broker given as argument; prints its checks and "N passed, N failed". */
public class JavaClients {
    interface Check { void run() throws Exception; }

    static final long DEADLINE_MS = 120_000;
    static final String RUN = Long.toString(System.nanoTime(), 36);
    static String bootstrap;
    static Admin admin;
    static int passed, failed;

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        try (Admin a = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin = a;
            check("topics: create, list, describe", JavaClients::topics);
            check("topics: create partitions", JavaClients::partitions);
            check("topics: refused when they exist or are invalid", JavaClients::badTopics);
            check("configs: topic", JavaClients::topicConfigs);
            check("configs: broker", JavaClients::brokerConfigs);
            for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
                for (boolean idempotent : List.of(false, true))
                    check("produce " + codec + (idempotent ? " idempotent" : ""), () -> roundTrip(codec, idempotent));
            for (String acks : List.of("0", "1", "all")) check("acks=" + acks, () -> acks(acks));
            check("message too large", JavaClients::tooLarge);
            check("auto-create on produce", JavaClients::autoCreate);
            check("seek by offset, beginning, end, time", JavaClients::seek);
            check("pause and resume", JavaClients::pause);
            check("commit sync, async, fetch, restart", JavaClients::commits);
            for (String assignor : List.of("Range", "CooperativeSticky"))
                check("group of 3: join, leave, kill with " + assignor, () -> group(assignor));
            check("static membership", JavaClients::staticMembers);
            check("groups: list, describe, alter offsets, delete", JavaClients::groups);
            check("delete records", JavaClients::deleteRecords);
            check("delete topics", JavaClients::deleteTopics);
        }
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    static void check(String name, Check check) {
        try {
            check.run();
            passed++;
            System.out.println("ok      " + name);
        } catch (Throwable t) {
            failed++;
            System.out.println("FAILED  " + name);
            t.printStackTrace(System.out);
        }
    }

    static void equal(Object want, Object got) {
        if (!Objects.equals(want, got)) throw new AssertionError("wanted " + want + ", got " + got);
    }

    static void eventually(String what, Callable<Boolean> condition) throws Exception {
        long end = System.currentTimeMillis() + DEADLINE_MS;
        while (!condition.call()) {
            if (System.currentTimeMillis() > end) throw new AssertionError("never came true: " + what);
            Thread.sleep(20);
        }
    }

    static <E extends Exception> E fails(Class<E> error, Future<?> future) throws Exception {
        try {
            future.get();
        } catch (ExecutionException e) {
            if (error.isInstance(e.getCause())) return error.cast(e.getCause());
            throw e;
        }
        throw new AssertionError("wanted " + error.getSimpleName());
    }

    static String topic(String name, int partitions) throws Exception {
        return topic(name, partitions, Map.of());
    }

    static String topic(String name, int partitions, Map<String, String> configs) throws Exception {
        String topic = "java-" + name + "-" + RUN;
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
        serving(topic, partitions);
        return topic;
    }

    /**
     * Waits until every partition answers. A broker takes any first sequence from a producer that it does not
     * know, so a batch refused by a partition that is just appearing can be overtaken by the next one for good.
     */
    static void serving(String topic, int partitions) throws Exception {
        Map<TopicPartition, OffsetSpec> all = new HashMap<>();
        for (int i = 0; i < partitions; i++) all.put(new TopicPartition(topic, i), OffsetSpec.latest());
        admin.listOffsets(all).all().get();
    }

    static KafkaProducer<byte[], byte[]> producer(Object... settings) {
        Map<String, Object> all = settings(settings);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Object... settings) {
        Map<String, Object> all = settings(settings);
        all.putIfAbsent("auto.offset.reset", "earliest");
        all.putIfAbsent("enable.auto.commit", "false");
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static Map<String, Object> settings(Object... settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
        for (int i = 0; i < settings.length; i += 2) all.put((String) settings[i], settings[i + 1]);
        return all;
    }

    static byte[] bytes(String text) { return text == null ? null : text.getBytes(StandardCharsets.UTF_8); }
    static String text(byte[] bytes) { return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8); }

    /** Writes values 0..count to a partition with timestamps 1_000_000 + 1000 * i. */
    static void fill(String topic, int partition, int count) throws Exception {
        try (var producer = producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++)
                sent.add(producer.send(new ProducerRecord<>(topic, partition, 1_000_000L + 1000L * i, bytes("k" + i), bytes("v" + i))));
            for (int i = 0; i < count; i++) equal((long) i, sent.get(i).get().offset());
        }
    }

    static List<ConsumerRecord<byte[], byte[]>> read(KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
        long end = System.currentTimeMillis() + DEADLINE_MS;
        while (all.size() < count) {
            consumer.poll(Duration.ofMillis(200)).forEach(all::add);
            if (System.currentTimeMillis() > end) throw new AssertionError("read " + all.size() + " of " + count);
        }
        return all;
    }

    static void topics() throws Exception {
        String topic = topic("topics", 3, Map.of("retention.ms", "3600000"));
        eventually("listed", () -> admin.listTopics().names().get().contains(topic));
        TopicDescription description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        equal(3, description.partitions().size());
        for (TopicPartitionInfo partition : description.partitions()) {
            equal(1, partition.replicas().size());
            equal(1, partition.isr().size());
            equal(partition.replicas().get(0), partition.leader());
        }
        Uuid id = description.topicId();
        if (id.equals(Uuid.ZERO_UUID)) throw new AssertionError("no topic id");
        equal(topic, admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name());
        equal(1, admin.describeCluster().nodes().get().size());
        if (admin.describeCluster().clusterId().get().isEmpty()) throw new AssertionError("no cluster id");
    }

    static void partitions() throws Exception {
        String topic = topic("partitions", 2);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        eventually("5 partitions", () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 5);
        fails(InvalidPartitionsException.class, admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all());
    }

    static void badTopics() throws Exception {
        String topic = topic("exists", 1);
        fails(TopicExistsException.class, admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all());
        fails(InvalidTopicException.class, admin.createTopics(List.of(new NewTopic("bad name!", 1, (short) 1))).all());
        fails(InvalidReplicationFactorException.class, admin.createTopics(List.of(new NewTopic(topic + "x", 1, (short) 7))).all());
        fails(UnknownTopicOrPartitionException.class, admin.deleteTopics(List.of(topic + "y")).all());
        admin.createTopics(List.of(new NewTopic(topic + "z", 1, (short) 1)), new CreateTopicsOptions().validateOnly(true)).all().get();
        equal(false, admin.listTopics().names().get().contains(topic + "z"));
    }

    static void topicConfigs() throws Exception {
        String topic = topic("configs", 1);
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        equal(ConfigEntry.ConfigSource.DEFAULT_CONFIG, config(resource, "retention.ms").source());
        alter(resource, "retention.ms", "1234567", AlterConfigOp.OpType.SET);
        eventually("set", () -> config(resource, "retention.ms").value().equals("1234567"));
        equal(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, config(resource, "retention.ms").source());
        alter(resource, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
        eventually("appended", () -> config(resource, "cleanup.policy").value().equals("delete,compact"));
        alter(resource, "retention.ms", "", AlterConfigOp.OpType.DELETE);
        eventually("deleted", () -> config(resource, "retention.ms").source() == ConfigEntry.ConfigSource.DEFAULT_CONFIG);
        Map<ConfigResource, Collection<AlterConfigOp>> bad =
            Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry("segment.bytes", "many"), AlterConfigOp.OpType.SET)));
        fails(ApiException.class, admin.incrementalAlterConfigs(bad).all());
    }

    static void brokerConfigs() throws Exception {
        String node = admin.describeCluster().nodes().get().iterator().next().idString();
        ConfigResource resource = new ConfigResource(ConfigResource.Type.BROKER, node);
        alter(resource, "log.cleaner.threads", "2", AlterConfigOp.OpType.SET);
        eventually("set", () -> config(resource, "log.cleaner.threads").value().equals("2"));
        equal(ConfigEntry.ConfigSource.DYNAMIC_BROKER_CONFIG, config(resource, "log.cleaner.threads").source());
        alter(resource, "log.cleaner.threads", "", AlterConfigOp.OpType.DELETE);
        eventually("deleted", () -> config(resource, "log.cleaner.threads").value().equals("1"));
        equal(true, config(resource, "node.id").isReadOnly());
    }

    static ConfigEntry config(ConfigResource resource, String name) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name);
    }

    static void alter(ConfigResource resource, String name, String value, AlterConfigOp.OpType how) throws Exception {
        admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry(name, value), how)))).all().get();
    }

    /** Keys, values, nulls, tombstones and headers, read back byte for byte. */
    static void roundTrip(String codec, boolean idempotent) throws Exception {
        String topic = topic("codec-" + codec + "-" + idempotent, 2);
        Random random = new Random(codec.hashCode());
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            byte[] key = i % 7 == 0 ? null : bytes("key-" + i % 50);
            byte[] value = i % 11 == 0 ? null : new byte[random.nextInt(i % 100 == 1 ? 20_000 : 300)];
            if (value != null && i % 2 == 0) random.nextBytes(value);
            var record = new ProducerRecord<>(topic, i % 2, 1_700_000_000_000L + i, key, value);
            if (i % 3 == 0) record.headers().add("h", bytes("header " + i)).add("h", null).add("", new byte[0]);
            records.add(record);
        }
        try (var producer = producer("compression.type", codec, "enable.idempotence", idempotent, "acks", "all", "linger.ms", 5)) {
            List<Future<RecordMetadata>> sent = records.stream().map(producer::send).collect(Collectors.toList());
            for (int i = 0; i < sent.size(); i++) equal((long) i / 2, sent.get(i).get().offset());
        }
        try (var consumer = consumer()) {
            consumer.assign(List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1)));
            var read = read(consumer, records.size());
            equal(records.size(), read.size());
            long[] next = new long[2];
            for (var got : read) {
                equal(next[got.partition()]++, got.offset());
                var want = records.get((int) got.offset() * 2 + got.partition());
                equal(true, Arrays.equals(want.key(), got.key()) && Arrays.equals(want.value(), got.value()));
                equal(want.timestamp(), got.timestamp());
                equal(List.of(want.headers().toArray()), List.of(got.headers().toArray()));
            }
        }
    }

    static void acks(String acks) throws Exception {
        String topic = topic("acks-" + acks, 1);
        try (var producer = producer("acks", acks, "enable.idempotence", false)) {
            for (int i = 0; i < 500; i++) {
                var sent = producer.send(new ProducerRecord<>(topic, bytes("v" + i)));
                if (i % 100 == 0) equal(acks.equals("0") ? -1L : i, sent.get().offset());
            }
        }
        try (var consumer = consumer()) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            var read = read(consumer, 500);
            for (int i = 0; i < 500; i++) equal("v" + i, text(read.get(i).value()));
        }
    }

    static void tooLarge() throws Exception {
        String topic = topic("large", 1, Map.of("max.message.bytes", "2000"));
        try (var producer = producer()) {
            fails(RecordTooLargeException.class, producer.send(new ProducerRecord<>(topic, new byte[5000])));
            equal(0L, producer.send(new ProducerRecord<>(topic, new byte[500])).get().offset());
        }
    }

    static void autoCreate() throws Exception {
        String topic = "java-auto-" + RUN;
        try (var producer = producer()) {
            equal(0L, producer.send(new ProducerRecord<>(topic, bytes("v"))).get().offset());
        }
        equal(true, admin.listTopics().names().get().contains(topic));
    }

    static void seek() throws Exception {
        String topic = topic("seek", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        fill(topic, 0, 1000);
        try (var consumer = consumer()) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 700);
            equal(700L, read(consumer, 1).get(0).offset());
            consumer.seekToBeginning(List.of(partition));
            equal(0L, read(consumer, 1).get(0).offset());
            consumer.seekToEnd(List.of(partition));
            equal(1000L, consumer.position(partition));
            for (int i : new int[] {0, 1, 499, 999}) {
                var found = consumer.offsetsForTimes(Map.of(partition, 1_000_000L + 1000L * i - 1)).get(partition);
                equal((long) i, found.offset());
                consumer.seek(partition, found.offset());
                equal("v" + i, text(read(consumer, 1).get(0).value()));
            }
            equal(null, consumer.offsetsForTimes(Map.of(partition, 10_000_000L)).get(partition));
            equal(Map.of(partition, 0L), consumer.beginningOffsets(List.of(partition)));
            equal(Map.of(partition, 1000L), consumer.endOffsets(List.of(partition)));
        }
        equal(999L, admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).partitionResult(partition).get().offset());
        try (var consumer = consumer("auto.offset.reset", "none")) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 5000);
            try {
                read(consumer, 1);
                throw new AssertionError("an offset out of range was read");
            } catch (org.apache.kafka.clients.consumer.OffsetOutOfRangeException expected) {
                equal(Map.of(partition, 5000L), expected.offsetOutOfRangePartitions());
            }
        }
    }

    static void pause() throws Exception {
        String topic = topic("pause", 2);
        fill(topic, 0, 100);
        fill(topic, 1, 100);
        try (var consumer = consumer()) {
            TopicPartition first = new TopicPartition(topic, 0), second = new TopicPartition(topic, 1);
            consumer.assign(List.of(first, second));
            consumer.pause(List.of(first));
            for (var record : read(consumer, 100)) equal(1, record.partition());
            consumer.resume(List.of(first));
            for (var record : read(consumer, 100)) equal(0, record.partition());
        }
    }

    static void commits() throws Exception {
        String topic = topic("commits", 1), group = topic + "-group";
        TopicPartition partition = new TopicPartition(topic, 0);
        fill(topic, 0, 100);
        try (var consumer = consumer("group.id", group, "max.poll.records", 10)) {
            consumer.subscribe(List.of(topic));
            equal(10, read(consumer, 10).size());
            consumer.commitSync();
            read(consumer, 10);
            CompletableFuture<Object> done = new CompletableFuture<>();
            consumer.commitAsync((offsets, error) -> done.complete(error == null ? offsets.get(partition).offset() : error));
            eventually("async commit", () -> { consumer.pause(consumer.assignment()); consumer.poll(Duration.ofMillis(20)); return done.isDone(); });
            equal(20L, done.get());
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(42, Optional.of(0), "some metadata")));
            equal(new OffsetAndMetadata(42, Optional.of(0), "some metadata"), consumer.committed(Set.of(partition)).get(partition));
        }
        try (var consumer = consumer("group.id", group)) {
            consumer.subscribe(List.of(topic));
            equal(42L, read(consumer, 58).get(0).offset());
        }
    }

    /** A consumer on its own thread, as a process of its own would be. */
    static class Member implements Runnable, AutoCloseable {
        final KafkaConsumer<byte[], byte[]> consumer;
        final Thread thread = new Thread(this);
        final Set<TopicPartition> owned = ConcurrentHashMap.newKeySet();
        final BlockingQueue<String> values;
        volatile boolean stop, silent;

        Member(String topic, BlockingQueue<String> values, Object... settings) {
            this.values = values;
            consumer = consumer(settings);
            consumer.subscribe(List.of(topic));
            thread.setDaemon(true);
            thread.start();
        }

        public void run() {
            try {
                while (!stop) {
                    for (var record : consumer.poll(Duration.ofMillis(50))) values.add(text(record.value()));
                    if (!owned.equals(consumer.assignment())) {
                        owned.clear();
                        owned.addAll(consumer.assignment());
                    }
                    try {
                        consumer.commitSync();
                    } catch (CommitFailedException | RebalanceInProgressException rebalanced) {
                        continue;
                    }
                }
                if (silent) consumer.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP));
                else consumer.close();
            } catch (Exception e) {
                values.add("error " + e);
            }
        }

        /** Ends without a word to the coordinator, as a killed process does. */
        void kill() throws Exception { silent = true; close(); }
        public void close() throws Exception { stop = true; thread.join(DEADLINE_MS); owned.clear(); }
    }

    static boolean spread(List<Member> members, int partitions) {
        Set<TopicPartition> all = new HashSet<>();
        int sum = 0;
        for (Member member : members) {
            if (member.owned.isEmpty()) return false;
            sum += member.owned.size();
            all.addAll(member.owned);
        }
        return sum == partitions && all.size() == partitions;
    }

    static void group(String assignor) throws Exception {
        String topic = topic("group-" + assignor, 6);
        BlockingQueue<String> values = new LinkedBlockingQueue<>();
        Object[] settings = {"group.id", topic, "session.timeout.ms", 6000, "heartbeat.interval.ms", 500,
            "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor + "Assignor"};
        List<Member> members = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                members.add(new Member(topic, values, settings));
                eventually("member " + i + " has its share", () -> spread(members, 6));
            }
            Set<String> wanted = produceTo(topic, "a");
            expect(values, wanted);
            members.remove(0).close();
            eventually("two share", () -> spread(members, 6));
            expect(values, produceTo(topic, "b"));
            members.remove(0).kill();
            eventually("one has all", () -> spread(members, 6));
            expect(values, produceTo(topic, "c"));
        } finally {
            for (Member member : members) member.close();
        }
    }

    static Set<String> produceTo(String topic, String prefix) throws Exception {
        Set<String> sent = new HashSet<>();
        try (var producer = producer()) {
            for (int i = 0; i < 600; i++) {
                producer.send(new ProducerRecord<>(topic, i % 6, null, bytes(prefix + i)));
                sent.add(prefix + i);
            }
        }
        return sent;
    }

    /** All of `wanted` arrives; what a rebalance repeats may come twice. */
    static void expect(BlockingQueue<String> values, Set<String> wanted) throws Exception {
        Set<String> left = new HashSet<>(wanted);
        long end = System.currentTimeMillis() + DEADLINE_MS;
        while (!left.isEmpty()) {
            String value = values.poll(end - System.currentTimeMillis(), TimeUnit.MILLISECONDS);
            if (value == null) throw new AssertionError("not read: " + left.size());
            if (value.startsWith("error")) throw new AssertionError(value);
            left.remove(value);
        }
    }

    static void staticMembers() throws Exception {
        String topic = topic("static", 4);
        BlockingQueue<String> values = new LinkedBlockingQueue<>();
        Function<String, Member> member = id -> new Member(topic, values, "group.id", topic, "group.instance.id", id,
            "session.timeout.ms", 60_000, "heartbeat.interval.ms", 500);
        Member first = member.apply("one"), second = member.apply("two");
        try {
            List<Member> both = List.of(first, second);
            eventually("both share", () -> spread(both, 4));
            Set<TopicPartition> before = Set.copyOf(second.owned), kept = Set.copyOf(first.owned);
            second.kill();
            second = member.apply("two");
            Member again = second;
            eventually("the same share after a restart", () -> again.owned.equals(before));
            equal(kept, Set.copyOf(first.owned));
            var description = admin.describeConsumerGroups(List.of(topic)).all().get().get(topic);
            equal(Set.of("one", "two"), description.members().stream().map(m -> m.groupInstanceId().get()).collect(Collectors.toSet()));
        } finally {
            first.close();
            second.close();
        }
        admin.removeMembersFromConsumerGroup(topic, new RemoveMembersFromConsumerGroupOptions(
            List.of(new MemberToRemove("one"), new MemberToRemove("two")))).all().get();
        eventually("empty", () -> admin.describeConsumerGroups(List.of(topic)).all().get().get(topic).members().isEmpty());
    }

    static void groups() throws Exception {
        String topic = topic("groups", 2);
        TopicPartition partition = new TopicPartition(topic, 0);
        fill(topic, 0, 10);
        Member member = new Member(topic, new LinkedBlockingQueue<>(), "group.id", topic, "client.id", "the-client");
        eventually("assigned", () -> spread(List.of(member), 2));
        var description = admin.describeConsumerGroups(List.of(topic)).all().get().get(topic);
        equal(GroupState.STABLE, description.groupState());
        equal("the-client", description.members().iterator().next().clientId());
        equal(2, description.members().iterator().next().assignment().topicPartitions().size());
        fails(GroupNotEmptyException.class, admin.deleteConsumerGroups(List.of(topic)).all());
        eventually("committed", () -> {
            var committed = admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get().get(partition);
            return committed != null && committed.offset() == 10;
        });
        member.close();
        eventually("empty", () -> admin.describeConsumerGroups(List.of(topic)).all().get().get(topic).groupState() == GroupState.EMPTY);
        equal(true, admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(topic)));
        admin.alterConsumerGroupOffsets(topic, Map.of(partition, new OffsetAndMetadata(3))).all().get();
        equal(3L, admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get().get(partition).offset());
        admin.deleteConsumerGroupOffsets(topic, Set.of(partition)).all().get();
        equal(null, admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get().get(partition));
        admin.deleteConsumerGroups(List.of(topic)).all().get();
        equal(false, admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(topic)));
        fails(GroupIdNotFoundException.class, admin.deleteConsumerGroups(List.of(topic)).all());
    }

    static void deleteRecords() throws Exception {
        String topic = topic("delete-records", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        fill(topic, 0, 100);
        equal(40L, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(40))).lowWatermarks().get(partition).get().lowWatermark());
        fails(OffsetOutOfRangeException.class, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4000))).all());
        try (var consumer = consumer()) {
            consumer.assign(List.of(partition));
            equal(40L, read(consumer, 60).get(0).offset());
        }
    }

    static void deleteTopics() throws Exception {
        String byName = topic("delete-name", 3), byId = topic("delete-id", 3);
        fill(byName, 0, 10);
        Uuid id = admin.describeTopics(List.of(byId)).allTopicNames().get().get(byId).topicId();
        admin.deleteTopics(List.of(byName)).all().get();
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        eventually("gone", () -> Collections.disjoint(admin.listTopics().names().get(), List.of(byName, byId)));
        admin.createTopics(List.of(new NewTopic(byName, 1, (short) 1))).all().get();
        serving(byName, 1);
        fill(byName, 0, 5);
        Uuid again = admin.describeTopics(List.of(byName)).allTopicNames().get().get(byName).topicId();
        if (again.equals(Uuid.ZERO_UUID) || again.equals(id)) throw new AssertionError("topic id " + again);
    }
}
