import java.io.DataOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.jar.JarFile;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.utils.ByteUtils;

/**
 * Writes golden.bin: every message of a Kafka release, at every version, as Kafka itself serializes it.
 *
 * For each message and version: the default message; a sample with everything set, unknown tagged fields too; one with
 * everything null or empty; some with random values in between. A sample is made of random bytes that follow the
 * message's own Schema, read by the message's class, and written again by it, so the bytes are Kafka's.
 *
 * The file is a list of entries: length of the name (1 byte), name, version (2), what it is (1: 0 sample, 1 default,
 * 2 the default cannot be written at this version), length (4), bytes. See regenerate.sh.
 */
public class Golden {
    /** The jars that messages come from, by the start of their names. */
    private static final List<String> JARS = List.of("kafka-clients-", "kafka-raft-", "kafka-metadata-",
        "kafka-group-coordinator-4", "kafka-transaction-coordinator-", "kafka-share-coordinator-", "kafka-storage-4");
    /** How many random samples there are of each message and version. */
    private static final int RANDOM_SAMPLES = 4;

    private enum Mode { FULL, EMPTY, RANDOM }

    private final Random random;
    private final Mode mode;
    /** Whether the value of a tagged field comes next, which is not null any more. */
    private boolean insideTag;
    private final ByteBuffer out = ByteBuffer.allocate(1 << 20);

    private Golden(long seed, Mode mode) {
        this.random = new Random(seed);
        this.mode = mode;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Class<?>> messages = messages(new File(arguments[0]));
        try (DataOutputStream file = new DataOutputStream(new FileOutputStream(arguments[1]))) {
            for (Map.Entry<String, Class<?>> message : messages.entrySet()) {
                writeMessage(file, message.getKey(), message.getValue());
            }
        }
        System.out.println(messages.size() + " messages");
    }

    /** Every generated message class, by the name in its definition. */
    private static Map<String, Class<?>> messages(File libs) throws Exception {
        Map<String, Class<?>> messages = new TreeMap<>();
        for (File file : libs.listFiles()) {
            if (JARS.stream().noneMatch(file.getName()::startsWith)) {
                continue;
            }
            try (JarFile jar = new JarFile(file)) {
                for (String entry : jar.stream().map(e -> e.getName()).toList()) {
                    boolean generated = entry.contains("/generated/") || entry.contains("/common/message/")
                        || entry.contains("/common/metadata/");
                    if (!generated || !entry.endsWith(".class") || entry.contains("$")) {
                        continue;
                    }
                    Class<?> type = Class.forName(entry.substring(0, entry.length() - 6).replace('/', '.'));
                    boolean isMessage = Message.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers());
                    if (isMessage) {
                        String name = type.getSimpleName().replaceFirst("(Request|Response|Header)Data$", "$1");
                        messages.put(name, type);
                    }
                }
            }
        }
        return messages;
    }

    private static void writeMessage(DataOutputStream file, String name, Class<?> type) throws Exception {
        Message empty = (Message) type.getDeclaredConstructor().newInstance();
        Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
        for (short version = empty.lowestSupportedVersion(); version <= empty.highestSupportedVersion(); version++) {
            Schema schema = schemas[version];
            try {
                writeEntry(file, name, version, 1, serialize(empty, version));
            } catch (RuntimeException refused) {
                writeEntry(file, name, version, 2, new byte[0]);
            }
            writeSample(file, name, type, schema, version, Mode.FULL, 0);
            writeSample(file, name, type, schema, version, Mode.EMPTY, 0);
            for (int sample = 0; sample < RANDOM_SAMPLES; sample++) {
                writeSample(file, name, type, schema, version, Mode.RANDOM, sample);
            }
        }
    }

    private static void writeSample(DataOutputStream file, String name, Class<?> type, Schema schema, short version,
                                    Mode mode, int sample) throws Exception {
        Golden golden = new Golden(31L * name.hashCode() + 1009L * version + 7 * mode.ordinal() + sample, mode);
        golden.put(schema);
        golden.out.flip();
        Message message = (Message) type.getDeclaredConstructor().newInstance();
        message.read(new ByteBufferAccessor(golden.out), version);
        if (golden.out.hasRemaining()) {
            throw new IllegalStateException(name + " " + version + " left bytes over");
        }
        writeEntry(file, name, version, 0, serialize(message, version));
    }

    private static byte[] serialize(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        return Arrays.copyOfRange(buffer.array(), buffer.arrayOffset() + buffer.position(),
            buffer.arrayOffset() + buffer.limit());
    }

    private static void writeEntry(DataOutputStream file, String name, short version, int what, byte[] bytes)
        throws IOException {
        file.writeByte(name.length());
        file.writeBytes(name);
        file.writeShort(version);
        file.writeByte(what);
        file.writeInt(bytes.length);
        file.write(bytes);
    }

    /** Whether something optional is there. */
    private boolean present() {
        return mode == Mode.FULL || mode == Mode.RANDOM && random.nextInt(3) > 0;
    }

    private int arrayLength() {
        return switch (mode) {
            case FULL -> 2;
            case EMPTY -> 0;
            case RANDOM -> random.nextInt(3);
        };
    }

    private void put(Type type) {
        if (type instanceof Schema schema) {
            putSchema(schema);
        } else if (type instanceof TaggedFields fields) {
            putTaggedFields(fields);
        } else if (type.isArray()) {
            putArray(type);
        } else {
            putPrimitive(((Type.DocumentedType) type).typeName());
        }
    }

    private void putSchema(Schema schema) {
        if (schema.isNullable()) {
            boolean present = insideTag || present();
            insideTag = false;
            out.put((byte) (present ? 1 : -1));
            if (!present) {
                return;
            }
        }
        for (BoundField field : schema.fields()) {
            put(field.def.type);
        }
    }

    private void putArray(Type type) {
        boolean isNull = type.isNullable() && !present();
        int length = isNull ? -1 : arrayLength();
        putLength(length, type.getClass().getSimpleName().startsWith("Compact"));
        for (int index = 0; index < length; index++) {
            put(type.arrayElementType().get());
        }
    }

    private void putTaggedFields(TaggedFields fields) {
        Map<Integer, byte[]> tags = new TreeMap<>();
        for (Map.Entry<Integer, Field> field : fields.fields().entrySet()) {
            if (present()) {
                tags.put(field.getKey(), tagged(field.getValue().type));
            }
        }
        if (mode == Mode.FULL) {
            tags.put(9999, new byte[] {1, 2, 3});
        }
        ByteUtils.writeUnsignedVarint(tags.size(), out);
        for (Map.Entry<Integer, byte[]> tag : tags.entrySet()) {
            ByteUtils.writeUnsignedVarint(tag.getKey(), out);
            ByteUtils.writeUnsignedVarint(tag.getValue().length, out);
            out.put(tag.getValue());
        }
    }

    /** The bytes of a tagged field, taken back out of the buffer. */
    private byte[] tagged(Type type) {
        int start = out.position();
        if (type instanceof Schema && type.isNullable() && !present()) {
            // Only here Kafka's classes write a null struct as a varint of 0 instead of a byte of -1.
            out.put((byte) 0);
        } else {
            insideTag = true;
            put(type);
            insideTag = false;
        }
        byte[] bytes = Arrays.copyOfRange(out.array(), start, out.position());
        out.position(start);
        return bytes;
    }

    private void putLength(int length, boolean compact) {
        if (compact) {
            ByteUtils.writeUnsignedVarint(length + 1, out);
        } else {
            out.putInt(length);
        }
    }

    private void putPrimitive(String type) {
        switch (type) {
            case "BOOLEAN" -> out.put((byte) (present() ? 1 : 0));
            case "INT8" -> out.put((byte) random.nextInt());
            case "INT16", "UINT16" -> out.putShort((short) random.nextInt());
            case "INT32", "UINT32" -> out.putInt(random.nextInt());
            case "INT64" -> out.putLong(random.nextLong());
            case "FLOAT64" -> out.putDouble(random.nextDouble());
            case "UUID" -> out.putLong(random.nextLong()).putLong(random.nextLong());
            default -> putBlock(type);
        }
    }

    /** Strings, bytes and records: a length and that many bytes. */
    private void putBlock(String type) {
        boolean isString = type.endsWith("STRING");
        boolean isNull = type.contains("NULLABLE") && !present();
        // Long enough now and then for lengths of two bytes.
        int length = mode == Mode.RANDOM && random.nextInt(20) == 0 ? 130 : mode == Mode.EMPTY ? 0 : random.nextInt(8);
        length = isNull ? -1 : length;
        if (isString && !type.startsWith("COMPACT")) {
            out.putShort((short) length);
        } else {
            putLength(length, type.startsWith("COMPACT"));
        }
        List<String> alphabet = List.of("a", "b", "Z", "0", ".", "-", "_");
        StringBuilder text = new StringBuilder();
        for (int index = 0; index < length; index++) {
            text.append(alphabet.get(random.nextInt(alphabet.size())));
        }
        out.put(text.toString().getBytes(StandardCharsets.UTF_8));
    }
}
