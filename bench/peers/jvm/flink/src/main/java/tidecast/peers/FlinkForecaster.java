package tidecast.peers;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.formats.json.JsonDeserializationSchema;
import org.apache.flink.formats.json.JsonSerializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * The job in Flink: keyed state on the heap, checkpoints, Kafka at least once.
 *
 * <p>A local cluster in this process. Checkpoints go to files every second, the documentation's
 * example; the mode is exactly once, the default. Objects are reused between operators, which the
 * documentation advises where functions keep none.
 *
 * <p>For low latency, buffers between operators go on after 5 ms in place of 100 ("Controlling
 * Latency" advises 5 or 10, and against 0), and the producer does not wait for more to send.
 */
public final class FlinkForecaster {
    private static final long CHECKPOINT_INTERVAL_MS = 1000;
    private static final Duration BUFFER_TIMEOUT = Duration.ofMillis(5);

    private FlinkForecaster() {}

    public static void main(String[] args) throws Exception {
        Job job = Job.given();
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.getExecutionEnvironment(settings(job));
        environment.setParallelism(job.parallelism());
        environment.enableCheckpointing(CHECKPOINT_INTERVAL_MS);
        environment.getConfig().enableObjectReuse();
        environment
                .fromSource(source(job), WatermarkStrategy.noWatermarks(), "events")
                .keyBy(event -> event.series_id)
                .map(new ForecastFunction(job.model().toString()))
                .sinkTo(sink(job));
        environment.execute(job.name());
    }

    private static Configuration settings(Job job) {
        Configuration settings = new Configuration();
        settings.set(StateBackendOptions.STATE_BACKEND, "hashmap");
        settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
        settings.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY, job.folder().toUri().toString());
        if (job.lowLatency()) {
            settings.set(ExecutionOptions.BUFFER_TIMEOUT, BUFFER_TIMEOUT);
        }
        return settings;
    }

    private static KafkaSource<Event> source(Job job) {
        return KafkaSource.<Event>builder()
                .setBootstrapServers(job.broker())
                .setTopics(job.events())
                .setGroupId(job.name())
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setValueOnlyDeserializer(new JsonDeserializationSchema<>(Event.class))
                .build();
    }

    private static KafkaSink<Forecast> sink(Job job) {
        KafkaSinkBuilder<Forecast> builder = KafkaSink.builder();
        if (job.lowLatency()) {
            builder.setProperty(ProducerConfig.LINGER_MS_CONFIG, "0");
        }
        return builder.setBootstrapServers(job.broker())
                .setRecordSerializer(
                        KafkaRecordSerializationSchema.<Forecast>builder()
                                .setTopic(job.forecasts())
                                .setKeySerializationSchema(FlinkForecaster::key)
                                .setValueSerializationSchema(
                                        new JsonSerializationSchema<Forecast>())
                                .build())
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .build();
    }

    private static byte[] key(Forecast forecast) {
        return forecast.series_id.getBytes(StandardCharsets.UTF_8);
    }
}
