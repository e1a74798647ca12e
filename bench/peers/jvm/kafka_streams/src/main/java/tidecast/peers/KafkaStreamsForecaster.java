package tidecast.peers;

import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/**
 * The job in Kafka Streams: a processor with a persistent key-value store.
 *
 * <p>The store is RocksDB behind the record cache, with a changelog topic: the recommended one.
 * Commits come every 30 s, at least once: the defaults. The DSL's aggregations would not do: their
 * cache merges answers, and every event is to have one.
 *
 * <p>Its producer waits 100 ms for more to send; for low latency it does not wait.
 */
public final class KafkaStreamsForecaster {
    private KafkaStreamsForecaster() {}

    public static void main(String[] args) throws Exception {
        Job job = Job.given();
        KafkaStreams streams = new KafkaStreams(topology(job, new Model(job.model())), settings(job));
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static Topology topology(Job job, Model model) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(ForecastProcessor.STORE),
                                Serdes.String(),
                                new KnownSerde())
                        .withCachingEnabled());
        builder.stream(job.events(), Consumed.with(Serdes.String(), new JsonSerde<>(Event.class)))
                .processValues(() -> new ForecastProcessor(model), ForecastProcessor.STORE)
                .to(
                        job.forecasts(),
                        Produced.with(Serdes.String(), new JsonSerde<>(Forecast.class)));
        return builder.build();
    }

    private static Properties settings(Job job) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, job.name());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.broker());
        settings.put(StreamsConfig.STATE_DIR_CONFIG, job.folder().toString());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, job.parallelism());
        if (job.lowLatency()) {
            settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 0);
        }
        return settings;
    }
}
