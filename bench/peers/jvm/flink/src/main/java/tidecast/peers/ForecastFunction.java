package tidecast.peers;

import java.nio.file.Path;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;

/** Answers each event, with what the keyed state knows of its series. */
final class ForecastFunction extends RichMapFunction<Event, Forecast> {
    private final String bundle;
    private transient Model model;
    private transient ValueState<Known> series;

    ForecastFunction(String bundle) {
        this.bundle = bundle;
    }

    @Override
    public void open(OpenContext context) throws Exception {
        model = new Model(Path.of(bundle));
        series = getRuntimeContext().getState(new ValueStateDescriptor<>("series", Known.class));
    }

    @Override
    public Forecast map(Event event) throws Exception {
        Model.Step step = model.answer(series.value(), event);
        series.update(step.known());
        return step.forecast();
    }

    @Override
    public void close() throws Exception {
        if (model != null) {
            model.close();
        }
    }
}
