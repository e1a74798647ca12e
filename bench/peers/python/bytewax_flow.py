"""The job as a Bytewax dataflow: Kafka operators around `stateful_map`.

Recovery is on: state and offsets of all series that changed go to recovery partitions (SQLite)
every 30 s, and the sink flushes what it was given before the dataflow goes on: at least once.
So nothing is to be set for low latency: the source takes what a millisecond brings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers.python.job import Job, given_job
from bench.peers.python.model import Known, Model

SNAPSHOT_INTERVAL: Final = timedelta(seconds=30)
BACKUP_INTERVAL: Final = timedelta(0)
"""Both as in the guide's example of recovery."""

Event = dict[str, Any]


def build_flow(job: Job) -> Dataflow:
    """The dataflow."""
    model = Model(job.model)
    brokers = [job.broker]

    def forecast(known: Known | None, event: Event) -> tuple[Known, Event]:
        return model.answer(known or model.blank(), event)

    flow = Dataflow("forecaster")
    source = kop.input("events", flow, brokers=brokers, topics=[job.events])
    op.raises("broken", source.errs)
    events = op.map("decode", source.oks, decoded)
    answers = op.stateful_map("forecast", events, forecast)
    messages = op.map("encode", answers, encoded)
    kop.output("forecasts", messages, brokers=brokers, topic=job.forecasts)
    return flow


def decoded(record: KafkaSourceMessage) -> tuple[str, Event]:
    """A record by its series, as stateful operators want it."""
    event = orjson.loads(record.value)
    return event["series_id"], event


def encoded(answer: tuple[str, Event]) -> KafkaSinkMessage:
    """The record to send for an answer."""
    series_id, message = answer
    return KafkaSinkMessage(series_id.encode(), orjson.dumps(message))


def main() -> None:
    """Run the dataflow with fresh recovery partitions, one a worker."""
    job = given_job()
    init_db_dir(job.folder, job.parallelism)
    cli_main(
        build_flow(job),
        workers_per_process=job.parallelism,
        epoch_interval=SNAPSHOT_INTERVAL,
        recovery_config=RecoveryConfig(job.folder, BACKUP_INTERVAL),
    )


if __name__ == "__main__":
    main()
