"""Two faults at a time, drawn by the seed, over an input that is bad as well."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final

from bench.faults import kafka_faults, redis_faults, worker_faults
from bench.faults.fault import Fault, Stage
from bench.faults.input_faults import disorder, duplicate, poison
from bench.faults.points import Point, as_they_are

ACTS: Final = (
    (worker_faults.kill, worker_faults.sleep_past_session, worker_faults.sleep_and_die),
    (
        kafka_faults.restart,
        kafka_faults.kill,
        kafka_faults.lose_replies,
        kafka_faults.reset,
        kafka_faults.cut,
    ),
    (
        redis_faults.restart,
        redis_faults.kill,
        redis_faults.flush,
        redis_faults.restore_older,
        redis_faults.lose_replies,
        redis_faults.run_out_of_memory,
    ),
)
"""What can happen to the workers, to Kafka and to Redis."""
SHAPES: Final = (as_they_are, poison, duplicate, disorder)


def two_at_a_time(stage: Stage) -> None:
    """Commit two faults side by side; return when both are over.

    They befall two different programs: who restores a snapshot needs a Redis that is there.
    """
    chosen = [stage.random.choice(acts) for acts in stage.random.sample(ACTS, 2)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(act, stage) for act in chosen]:
            done.result()


def some_shape(regular: Sequence[Point], random: Random) -> list[Point]:
    """One of several inputs."""
    return random.choice(SHAPES)(regular, random)


MIXES: Final = (
    Fault(
        name="mix",
        group="mix",
        about="two faults at a time to two programs, and the input: all drawn by the seed",
        act=two_at_a_time,
        shape=some_shape,
        stream={"grace_slots": 4},
    ),
)
