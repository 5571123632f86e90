package riskstream.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The reduced job: parse, join the catalog, key by user, count failures per minute, weigh, route.
 *
 * <p>Arguments: bootstrap servers, application id, state directory, catalog file, stream threads.
 * The same job stands in benchmarks/contenders/programs/reduced_hop.py.
 */
public final class ReducedJob {
    private static final String RAW = "iam.events.raw.v1";
    private static final String STORE = "failures";
    private static final double FAILURE_EVIDENCE = 0.25;
    private static final int FAILURES_COUNTED = 8;
    private static final long MINUTE_MS = 60_000;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter BROADCASTER =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'");

    private record EventType(int id, String name, String category, boolean failure, double prior) {}

    private final Map<Integer, EventType> catalog = new HashMap<>();

    private ReducedJob(Path file) throws IOException {
        for (String line : Files.readAllLines(file)) {
            String[] cells = line.split("\t");
            int id = Integer.parseInt(cells[0]);
            boolean failure = cells[3].equals("1");
            catalog.put(
                    id,
                    new EventType(id, cells[1], cells[2], failure, Double.parseDouble(cells[4])));
        }
    }

    public static void main(String[] arguments) throws IOException {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[4]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        KafkaStreams streams =
                new KafkaStreams(new ReducedJob(Path.of(arguments[3])).topology(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private org.apache.kafka.streams.Topology topology() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray()));
        builder.stream(RAW, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .flatMap((key, value) -> classify(value))
                .repartition(
                        Repartitioned.with(Serdes.String(), Serdes.ByteArray())
                                .withName("classified"))
                .processValues(Score::new, STORE)
                .to(
                        (key, scored, context) -> "iam.scored." + scored.category() + ".v1",
                        Produced.with(Serdes.String(), new ScoredSerde()));
        return builder.build();
    }

    private List<KeyValue<String, byte[]>> classify(byte[] value) {
        try {
            JsonNode parsed = JSON.readTree(value);
            List<KeyValue<String, byte[]>> classified = new ArrayList<>();
            if (parsed.isArray()) {
                for (JsonNode event : parsed) {
                    classified.add(one(event));
                }
            } else {
                classified.add(one(parsed));
            }
            return classified;
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
    }

    private KeyValue<String, byte[]> one(JsonNode event) throws IOException {
        int typeId = event.path("event_type_id").asInt();
        EventType type = catalog.get(typeId);
        String account = event.path("account_id").asText();
        JsonNode user = event.path("user_id");
        String subject =
                account + ":" + (user.isMissingNode() || user.isNull() ? "type:" + typeId : user.asText());
        ObjectNode classified = JSON.createObjectNode();
        JsonNode id = event.has("id") ? event.get("id") : event.path("uuid");
        classified.put("id", account + ":" + id.asText());
        classified.put("time_ms", timeOf(event));
        classified.put("type", typeId);
        classified.put("name", type == null ? "UNKNOWN" : type.name());
        classified.put("category", type == null ? "uncataloged" : type.category());
        classified.put("failure", type != null && type.failure());
        classified.put("prior", type == null ? -1.0 : type.prior());
        classified.put("raw", event.toString());
        return KeyValue.pair(subject, JSON.writeValueAsBytes(classified));
    }

    private static long timeOf(JsonNode event) {
        JsonNode created = event.path("created_at");
        if (!created.isMissingNode()) {
            return Instant.parse(created.asText()).toEpochMilli();
        }
        return LocalDateTime.parse(event.path("event_timestamp").asText(), BROADCASTER)
                .toInstant(ZoneOffset.UTC)
                .toEpochMilli();
    }

    /** A scored event and the category that names its topic. */
    private record Scored(String category, byte[] value) {}

    /** Writes only; nothing reads it back. */
    private static final class ScoredSerde implements org.apache.kafka.common.serialization.Serde<Scored> {
        @Override
        public org.apache.kafka.common.serialization.Serializer<Scored> serializer() {
            return (topic, scored) -> scored.value();
        }

        @Override
        public org.apache.kafka.common.serialization.Deserializer<Scored> deserializer() {
            throw new UnsupportedOperationException("scored events are only written");
        }
    }

    /** Counts a user's failures of the newest minute and weighs the event by fixed weights. */
    private static final class Score implements FixedKeyProcessor<String, byte[], Scored> {
        private FixedKeyProcessorContext<String, Scored> context;
        private KeyValueStore<String, byte[]> store;

        @Override
        public void init(FixedKeyProcessorContext<String, Scored> given) {
            context = given;
            store = given.getStateStore(STORE);
        }

        @Override
        public void process(FixedKeyRecord<String, byte[]> record) {
            try {
                ObjectNode event = (ObjectNode) JSON.readTree(record.value());
                int failures = count(record.key(), event);
                double evidence =
                        event.get("prior").asDouble()
                                + FAILURE_EVIDENCE * Math.min(failures, FAILURES_COUNTED);
                long score = Math.round(100 / (1 + Math.exp(1.046 - 1.086 * evidence)));
                String category = event.get("category").asText();
                ObjectNode scored = JSON.createObjectNode();
                scored.put("id", event.get("id").asText());
                scored.put("time", Instant.ofEpochMilli(event.get("time_ms").asLong()).toString());
                scored.put("subject", record.key());
                scored.put("category", category);
                scored.put("event_type_id", event.get("type").asInt());
                scored.put("event_type", event.get("name").asText());
                scored.put("failures_1m", failures);
                scored.put("score", score);
                scored.put("level", level(score));
                scored.put("raw", event.get("raw").asText());
                context.forward(
                        record.withValue(new Scored(category, JSON.writeValueAsBytes(scored))));
            } catch (IOException fault) {
                throw new UncheckedIOException(fault);
            }
        }

        private int count(String subject, JsonNode event) {
            long minute = event.get("time_ms").asLong() / MINUTE_MS;
            byte[] stored = store.get(subject);
            long newest = stored == null ? Long.MIN_VALUE : ByteBuffer.wrap(stored).getLong();
            int failures = stored == null ? 0 : ByteBuffer.wrap(stored).getInt(Long.BYTES);
            if (!event.get("failure").asBoolean()) {
                return minute == newest ? failures : 0;
            }
            if (minute < newest) {
                return 0;
            }
            int counted = minute == newest ? failures + 1 : 1;
            ByteBuffer row = ByteBuffer.allocate(Long.BYTES + Integer.BYTES);
            store.put(subject, row.putLong(minute).putInt(counted).array());
            return counted;
        }

        private static String level(long score) {
            return score <= 4 ? "no" : score <= 25 ? "low" : score <= 50 ? "medium" : "high";
        }
    }
}
