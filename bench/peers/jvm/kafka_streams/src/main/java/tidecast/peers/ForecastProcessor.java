package tidecast.peers;

import ai.onnxruntime.OrtException;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;

/** Answers each event of a partition, with what the store knows of its series. */
final class ForecastProcessor implements FixedKeyProcessor<String, Event, Forecast> {
    static final String STORE = "series";

    private final Model model;
    private FixedKeyProcessorContext<String, Forecast> context;
    private KeyValueStore<String, Known> series;

    ForecastProcessor(Model model) {
        this.model = model;
    }

    @Override
    public void init(FixedKeyProcessorContext<String, Forecast> context) {
        this.context = context;
        this.series = context.getStateStore(STORE);
    }

    @Override
    public void process(FixedKeyRecord<String, Event> record) {
        try {
            Model.Step step = model.answer(series.get(record.key()), record.value());
            series.put(record.key(), step.known());
            context.forward(record.withValue(step.forecast()));
        } catch (OrtException error) {
            throw new StreamsException(error);
        }
    }
}
