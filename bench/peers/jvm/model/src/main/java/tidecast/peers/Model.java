package tidecast.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** A bundle in ONNX Runtime, one series at a time. Threads may share it. */
public final class Model implements AutoCloseable {
    private static final String CHANNEL = "value";

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final int context;
    private final int stateSize;
    private final int horizon;
    private final float[] levels;

    /** What is known of a series after an event, and the answer to it. */
    public record Step(Known known, Forecast forecast) {}

    public Model(Path folder) throws IOException, OrtException {
        JsonNode manifest = new ObjectMapper().readTree(folder.resolve("manifest.json").toFile());
        context = manifest.get("context").intValue();
        stateSize = manifest.get("state_size").intValue();
        horizon = manifest.get("horizon").intValue();
        levels = floats(manifest.get("quantile_levels"));
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        session = environment.createSession(folder.resolve("model.onnx").toString(), options);
    }

    /** Answer an event; known is null for a series' first one. */
    public Step answer(Known known, Event event) throws OrtException {
        Known before = known == null ? Known.blank(context, stateSize) : known;
        Known after = new Known();
        after.window = before.windowWith(event.values.get(CHANNEL));
        Map<String, OnnxTensor> inputs = inputs(after.window, before.state, event.timestamp);
        try (OrtSession.Result result = session.run(inputs)) {
            after.state = stateSize == 0 ? before.state : output(result, "next_state");
            return new Step(after, forecast(event, output(result, "forecast")));
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }

    private Map<String, OnnxTensor> inputs(float[] window, float[] state, String timestamp)
            throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("window", tensor(window, 1, context, 1));
        if (session.getInputNames().contains("state")) {
            inputs.put("state", tensor(state, 1, stateSize));
        }
        if (session.getInputNames().contains("origin")) {
            LongBuffer origin = LongBuffer.wrap(new long[] {Instant.parse(timestamp).getEpochSecond()});
            inputs.put("origin", OnnxTensor.createTensor(environment, origin, new long[] {1}));
        }
        return inputs;
    }

    private OnnxTensor tensor(float[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape);
    }

    /** numbers: [horizon, levels], as the graph has them. */
    private Forecast forecast(Event event, float[] numbers) {
        Forecast forecast = new Forecast();
        forecast.series_id = event.series_id;
        forecast.origin = event.timestamp;
        forecast.quantile_levels = levels;
        forecast.quantiles = new float[levels.length][horizon];
        for (int level = 0; level < levels.length; level++) {
            for (int lead = 0; lead < horizon; lead++) {
                forecast.quantiles[level][lead] = numbers[lead * levels.length + level];
            }
        }
        return forecast;
    }

    private static float[] output(OrtSession.Result result, String name) {
        FloatBuffer buffer = ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static float[] floats(JsonNode numbers) {
        float[] values = new float[numbers.size()];
        for (int place = 0; place < values.length; place++) {
            values[place] = numbers.get(place).floatValue();
        }
        return values;
    }
}
