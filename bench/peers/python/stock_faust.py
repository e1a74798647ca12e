"""The job in stock Faust: an agent, typed JSON records, a table, one event at a time.

As Faust's user guide has it: models for the values, a table changed only by the agent of its own
topic, `topic.send` for the results, and the settings it comes with. The table is kept in memory,
Faust's default and its fastest store, with a changelog in Kafka, hence in JSON. Nothing is to be
set for low latency: by default the producer does not wait for more to send.
"""

from __future__ import annotations

import math
from typing import Any

import faust
import numpy as np

from bench.peers.python.job import given_job
from bench.peers.python.model import Known, Model


class Observation(faust.Record, serializer="json"):  # type: ignore[misc,call-arg]
    """One measured point."""

    series_id: str
    timestamp: str
    values: dict[str, float]


Stored = dict[str, list[float | None]]
"""What the table holds of a series: `window`, None where missing, and `state`."""


def build_app() -> faust.App:
    """The app, ready for `main()`."""
    job = given_job()
    model = Model(job.model)
    app = faust.App(
        job.name,
        broker=f"kafka://{job.broker}",
        topic_partitions=job.partitions,
        datadir=job.folder,
    )
    events = app.topic(job.events, key_type=str, value_type=Observation)
    forecasts = app.topic(job.forecasts, key_type=str, value_serializer="json")
    series = app.Table(
        "series", default=lambda: as_stored(model.blank()), partitions=job.partitions
    )

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def forecast(stream: Any) -> None:  # noqa: ANN401 - Faust is untyped here
        async for observation in stream:
            key = observation.series_id
            known, message = model.answer(as_known(series[key]), observation.asdict())
            series[key] = as_stored(known)
            await forecasts.send(key=key, value=message)

    return app


def as_stored(known: Known) -> Stored:
    """A series as the table holds it; JSON has no NaN."""
    window = [None if math.isnan(value) else value for value in known.windows[0].tolist()]
    return {"window": window, "state": known.states[0].tolist()}


def as_known(stored: Stored) -> Known:
    """The inverse of `as_stored`."""
    return Known(np.array([stored["window"]], np.float32), np.array([stored["state"]], np.float32))


if __name__ == "__main__":
    build_app().main()
