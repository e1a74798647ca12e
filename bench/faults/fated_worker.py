"""A worker that kills itself at a named point of its work, at its n-th visit there.

    python -m bench.faults.fated_worker after_send 20

SIGKILL, so that nothing is saved or said: as a crash at that point would be. Everything else is
an ordinary worker.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from stream.answering import Emit
from stream.assignment import Services
from stream.encoder import Messages
from stream.engine import Answers, Engine
from stream.logs import configure_logs
from stream.onnx_predictor import OnnxPredictor
from stream.output import Delivery, Output
from stream.predictor import Inputs, Prediction, Predictor
from stream.records import Record
from stream.series.table import SeriesTable
from stream.side_by_side import TableBatch
from stream.state.checkpoint import Head, Store, TopicPartition, Write
from stream.worker import run_engine
from tidecast.bundle import read_bundle
from tidecast.settings import StreamSettings, load_settings

POINTS: Final = (
    "after_fetch",
    "after_update",
    "after_infer",
    "after_send",
    "before_checkpoint",
    "before_commit",
)


class Fate:
    """Ends the process at the n-th visit of one point."""

    def __init__(self, point: str, visits: int) -> None:
        if point not in POINTS:
            raise SystemExit(f"no point {point!r}; there are {', '.join(POINTS)}")
        self._point = point
        self._left = visits

    def visit(self, point: str) -> None:
        """Say that this point was come to."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class FatedEngine(Engine):
    """after_fetch: a batch is there, nothing is done yet."""

    def __init__(self, predictor: Predictor, stream: StreamSettings, fate: Fate) -> None:
        super().__init__(FatedPredictor(predictor, fate), stream)
        self._fate = fate

    def apply(self, table: SeriesTable, records: Sequence[Record], emit: Emit = "all") -> Answers:
        """See Engine."""
        self._fate.visit("after_fetch")
        return super().apply(table, records, emit)

    def apply_together(self, batches: Sequence[TableBatch], emit: Emit = "all") -> list[Answers]:
        """See Engine."""
        if len(batches) > 1:  # one by itself goes through `apply`
            self._fate.visit("after_fetch")
        return super().apply_together(batches, emit)


class FatedPredictor:
    """after_update: the rows are changed. after_infer: the model has answered."""

    def __init__(self, predictor: Predictor, fate: Fate) -> None:
        self.manifest = predictor.manifest
        self.step = predictor.step
        self._predictor = predictor
        self._fate = fate

    def predict(self, inputs: Inputs) -> Prediction:
        """See Predictor."""
        self._fate.visit("after_update")
        prediction = self._predictor.predict(inputs)
        self._fate.visit("after_infer")
        return prediction


class FatedOutput:
    """after_send: the producer has the forecasts, Kafka perhaps not."""

    def __init__(self, output: Output, fate: Fate) -> None:
        self.rejections = output.rejections
        self.delivered = output.delivered
        self._output = output
        self._fate = fate

    async def forecasts(self, partition: int, messages: Messages) -> list[Delivery]:
        """See Output."""
        deliveries = await self._output.forecasts(partition, messages)
        self._fate.visit("after_send")
        return deliveries


class FatedStore:
    """before_checkpoint: rows are about to be written. before_commit: they are."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self.head = store.head
        self.rows = store.rows
        self._store = store
        self._fate = fate

    async def swap(self, partition: TopicPartition, expected: Head | None, write: Write) -> bool:
        """See Store."""
        if not write.rows:
            return await self._store.swap(partition, expected, write)
        self._fate.visit("before_checkpoint")
        done = await self._store.swap(partition, expected, write)
        self._fate.visit("before_commit")
        return done


def main(point: str, visits: int) -> int:
    """Run the worker that the environment describes, until its fate comes."""
    fate = Fate(point, visits)
    settings = load_settings()
    configure_logs(settings.log)
    engine = FatedEngine(OnnxPredictor(read_bundle(settings.worker.model)), settings.stream, fate)

    def around(services: Services) -> Services:
        return services._replace(
            store=FatedStore(services.store, fate), output=FatedOutput(services.output, fate)
        )

    return run_engine(settings, engine, around)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
