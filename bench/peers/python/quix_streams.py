"""The job in Quix Streams: a stateful function on a StreamingDataFrame.

State is RocksDB with a changelog topic in Kafka, at least once, a checkpoint every 5 s, the
idempotent producer: all by default. What is known of a series is kept as bytes, which the
documentation offers beside JSON and which costs less for arrays.

For low latency the producer does not wait for more to send (librdkafka waits 5 ms by default).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from quixstreams import Application, State

from bench.peers.python.job import given_job
from bench.peers.python.model import Known, Model

SERIES: Final = "series"


def build_app() -> Application:
    """The app, ready for `run()`."""
    job = given_job()
    model = Model(job.model)
    app = Application(
        broker_address=job.broker,
        consumer_group=job.name,
        auto_offset_reset="earliest",
        state_dir=job.folder,
        loglevel="WARNING",
        producer_extra_config={"linger.ms": 0} if job.low_latency else None,
    )
    blank = as_bytes(model.blank())

    def forecast(event: dict[str, Any], state: State) -> dict[str, Any]:
        known, message = model.answer(as_known(state.get_bytes(SERIES, blank), model), event)
        state.set_bytes(SERIES, as_bytes(known))
        return message

    events = app.topic(job.events, value_deserializer="json")
    forecasts = app.topic(job.forecasts, value_serializer="json")
    app.dataframe(events).apply(forecast, stateful=True).to_topic(forecasts)
    return app


def as_bytes(known: Known) -> bytes:
    """A series as the store holds it: its window, then its state."""
    return known.windows.tobytes() + known.states.tobytes()


def as_known(stored: bytes, model: Model) -> Known:
    """The inverse of `as_bytes`."""
    numbers = np.frombuffer(stored, np.float32)[None]
    return Known(numbers[:, : model.context], numbers[:, model.context :])


if __name__ == "__main__":
    build_app().run()
