"""The job in stock Faust: an agent, typed JSON records, a table, one event at a time.

As Faust's user guide has it: models for the values, a table changed only by the agent of its own
topic, `topic.send` for the results, and the settings it comes with. The table is kept in memory,
Faust's default and its fastest store, with a changelog in Kafka. The model is the worker's.

Run by `scripts/bench throughput`, which says by environment where to read and write.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import faust
import numpy as np
import onnxruntime

from tidecast.bundle import read_bundle

BROKER: Final = "STOCK_FAUST_BROKER"
EVENTS: Final = "STOCK_FAUST_EVENTS"
FORECASTS: Final = "STOCK_FAUST_FORECASTS"
PARTITIONS: Final = "STOCK_FAUST_PARTITIONS"
MODEL: Final = "STOCK_FAUST_MODEL"
FOLDER: Final = "STOCK_FAUST_FOLDER"


class Observation(faust.Record, serializer="json"):  # type: ignore[misc,call-arg]
    """One measured point."""

    series_id: str
    timestamp: str
    values: dict[str, float]


Known = dict[str, list[float | None]]
"""What the table holds of a series: `window`, None where missing, and `state`."""


class Model:
    """The bundle in ONNX Runtime, one series at a time."""

    def __init__(self, folder: Path) -> None:
        bundle = read_bundle(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.manifest = bundle.manifest
        self._session = onnxruntime.InferenceSession(bundle.graph, options)
        self._inputs = {node.name for node in self._session.get_inputs()}

    def blank(self) -> Known:
        """What is known of a series before its first value."""
        return {
            "window": [None] * self.manifest.context,
            "state": [0.0] * self.manifest.state_size,
        }

    def step(self, known: Known, value: float, origin: int) -> tuple[Known, list[list[float]]]:
        """What is known with one more value, and the quantiles by level."""
        window = [*known["window"][1:], value]
        feed = {
            "window": np.array(window, np.float32).reshape(1, -1, 1),
            "origin": np.array([origin], np.int64),
            "state": np.array([known["state"]], np.float32),
        }
        outputs = ["forecast", "next_state"] if self.manifest.state_size else ["forecast"]
        forecast, *state = self._session.run(outputs, {name: feed[name] for name in self._inputs})
        carried = state[0][0].tolist() if state else []
        return {"window": window, "state": carried}, forecast[0].T.tolist()


def build_app() -> faust.App:
    """The app, ready for `main()`."""
    model = Model(Path(os.environ[MODEL]))
    partitions = int(os.environ[PARTITIONS])
    app = faust.App(
        "stock-faust-" + os.environ[EVENTS],
        broker=f"kafka://{os.environ[BROKER]}",
        topic_partitions=partitions,
        datadir=os.environ[FOLDER],
        web_enabled=False,
    )
    events = app.topic(os.environ[EVENTS], key_type=str, value_type=Observation)
    forecasts = app.topic(os.environ[FORECASTS], key_type=str, value_serializer="json")
    series = app.Table("series", default=model.blank, partitions=partitions)

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def forecast(stream: Any) -> None:  # noqa: ANN401 - Faust is untyped here
        async for observation in stream:
            key, origin = observation.series_id, datetime.fromisoformat(observation.timestamp)
            series[key], quantiles = model.step(
                series[key], observation.values["value"], int(origin.timestamp())
            )
            await forecasts.send(
                key=key,
                value={
                    "series_id": key,
                    "origin": observation.timestamp,
                    "quantile_levels": model.manifest.quantile_levels,
                    "quantiles": quantiles,
                },
            )

    return app


if __name__ == "__main__":
    build_app().main()
