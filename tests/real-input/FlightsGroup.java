import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

/**
 * The group "java" reads the topic "flights", is rewound to a time, and reads again: FlightsGroup BROKER DIRECTORY
 * MEMBERS FROM. What its members do goes to DIRECTORY/java.first and java.again, in the lines of check.py.
 */
public class FlightsGroup {
    static final String GROUP = "java", TOPIC = "flights";
    static String broker;
    static Path directory;
    static Map<TopicPartition, Long> ends;

    public static void main(String[] arguments) throws Exception {
        broker = arguments[0];
        directory = Path.of(arguments[1]);
        int members = Integer.parseInt(arguments[2]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
            ends = offsets(admin, OffsetSpec.latest());
            long all = ends.values().stream().mapToLong(Long::longValue).sum();
            read(admin, "first", members, all / 2);
            rewind(admin, Instant.parse(arguments[3]).toEpochMilli());
            read(admin, "again", members, Long.MAX_VALUE);
        }
    }

    static Map<TopicPartition, Long> offsets(Admin admin, OffsetSpec spec) throws Exception {
        var partitions = admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC).partitions();
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions.forEach(partition -> asked.put(new TopicPartition(TOPIC, partition.partition()), spec));
        Map<TopicPartition, Long> found = new HashMap<>();
        admin.listOffsets(asked).all().get().forEach((partition, offset) -> found.put(partition, offset.offset()));
        return found;
    }

    static void rewind(Admin admin, long time) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> to = new HashMap<>();
        try (var out = new PrintStream(directory.resolve("java.rewound-to").toFile())) {
            offsets(admin, OffsetSpec.forTimestamp(time)).forEach((partition, offset) -> {
                long start = offset < 0 ? ends.get(partition) : offset;
                to.put(partition, new OffsetAndMetadata(start));
                out.println("W\t" + partition.partition() + "\t" + start);
            });
        }
        waitUntilEmpty(admin);
        admin.alterConsumerGroupOffsets(GROUP, to).all().get();
        waitForKill("rewound");
    }

    /** A member that could not say that it leaves is one until its session ends. */
    static void waitUntilEmpty(Admin admin) throws Exception {
        long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (admin.describeConsumerGroups(List.of(GROUP)).all().get().get(GROUP).groupState() != GroupState.EMPTY) {
            if (System.nanoTime() > end) throw new IllegalStateException("the group does not become empty");
            Thread.sleep(20);
        }
    }

    /** Says that the point is reached, and waits until the broker was killed there. */
    static void waitForKill(String point) throws Exception {
        Files.createFile(directory.resolve(GROUP + "." + point));
        while (!Files.exists(directory.resolve(point + ".killed"))) Thread.sleep(10);
    }

    static void read(Admin admin, String name, int members, long killAfter) throws Exception {
        var file = new BufferedOutputStream(new FileOutputStream(directory.resolve(GROUP + "." + name).toFile()), 1 << 16);
        try (var out = new PrintStream(file, false, StandardCharsets.UTF_8)) {
            var reading = new Reading(out, killAfter);
            var threads = Executors.newFixedThreadPool(members);
            List<Future<?>> running = new ArrayList<>();
            for (int member = 0; member < members; member++) {
                int number = member;
                running.add(threads.submit(() -> { reading.member(number); return null; }));
            }
            for (var one : running) one.get();
            threads.shutdown();
            var committed = admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get();
            committed.forEach((partition, offset) -> out.println("E\t" + partition.partition() + "\t" + offset.offset()));
        }
    }

    /** What the members of one reading share; a lock gives what they do one order. */
    static class Reading {
        final PrintStream out;
        final long killAfter;
        final Map<TopicPartition, Long> committed = new ConcurrentHashMap<>();
        final AtomicLong records = new AtomicLong();
        boolean killed;

        Reading(PrintStream out, long killAfter) { this.out = out; this.killAfter = killAfter; }

        synchronized void log(List<String> lines) { lines.forEach(out::println); }

        synchronized void killOnce() throws Exception {
            if (killed || records.get() < killAfter) return;
            waitForKill("half");
            killed = true;
        }

        synchronized boolean isDone(int number) { return number == 0 && killed || ends.equals(committed); }

        /** Reads until all is read; the first member leaves the group after the kill. */
        void member(int number) throws Exception {
            Map<String, Object> config = Map.of("bootstrap.servers", broker, "group.id", GROUP, "enable.auto.commit", false,
                "auto.offset.reset", "earliest", "max.poll.records", 1000, "reconnect.backoff.max.ms", 500);
            Map<TopicPartition, OffsetAndMetadata> dirty = new HashMap<>();
            try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of(TOPIC), new ConsumerRebalanceListener() {
                    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                        log(partitions.stream().map(partition -> "A\t" + partition.partition()).toList());
                    }
                    public void onPartitionsRevoked(Collection<TopicPartition> partitions) { partitions.forEach(dirty::remove); }
                });
                while (!isDone(number)) {
                    var polled = consumer.poll(Duration.ofMillis(100));
                    List<String> lines = new ArrayList<>();
                    for (var record : polled) {
                        lines.add("R\t" + record.partition() + "\t" + record.offset() + "\t" + record.timestamp() + "\t"
                            + new String(record.headers().lastHeader("row").value()) + "\t" + record.key() + "\t" + record.value());
                        dirty.put(new TopicPartition(TOPIC, record.partition()), new OffsetAndMetadata(record.offset() + 1));
                    }
                    log(lines);
                    records.addAndGet(lines.size());
                    killOnce();
                    commit(consumer, dirty);
                }
            }
        }

        /** Commits what is dirty, now or with a later call. */
        void commit(KafkaConsumer<String, String> consumer, Map<TopicPartition, OffsetAndMetadata> dirty) {
            if (dirty.isEmpty()) return;
            try {
                consumer.commitSync(dirty);
            } catch (CommitFailedException | RebalanceInProgressException e) {
                return;
            }
            List<String> lines = new ArrayList<>();
            dirty.forEach((partition, offset) -> lines.add("C\t" + partition.partition() + "\t" + offset.offset()));
            log(lines);
            dirty.forEach((partition, offset) -> committed.put(partition, offset.offset()));
            dirty.clear();
        }
    }
}
