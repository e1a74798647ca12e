"""The peers do the worker's job: what they are told, and that their numbers are the engine's."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.backlog import publish_backlog
from bench.jobs import Job, bundle_of
from bench.outputs import partition_records
from bench.peers.contest import Entrant, Manner, entrant, entrants, racer_of
from bench.peers.environments import MADE, SOURCES, ImpossibleError, jvm_folder
from bench.peers.python.job import Job as PeerJob
from bench.peers.python.job import given_job
from bench.peers.registry import PEERS, Peer
from bench.processes import BenchError, running
from bench.small_gru import small_gru
from bench.streams import Ends, fresh_stream, timed_topic, with_model
from stream.engine import Engine
from stream.onnx_predictor import OnnxPredictor
from stream.predictor import Inputs
from stream.replay import replay
from tests.waiting import wait_until
from tidecast.bundle import read_bundle
from tidecast.local import LocalServers
from tidecast.local.jars import KAFKA_VERSION
from tidecast.settings import Settings
from tidecast.topics import Topics

EVENTS = 600
SERIES = 20
PEER_LIMIT_S = 120.0
USUAL = Manner()
JVM = ("kafka-streams", "flink")


def test_the_peers_are_those_that_people_would_use_and_an_upper_mark() -> None:
    assert list(PEERS) == ["stock-faust", "quix-streams", "bytewax", "confluent-loop", *JVM]
    unsafe = [peer.name for peer in PEERS.values() if "at least once" not in peer.guarantees]
    assert unsafe == ["confluent-loop"]


def test_a_stranger_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(BenchError, match=r"no peer called storm: there are stock-faust, .*, all"):
        entrants(["flink", "storm"])


def test_peers_that_cannot_run_here_are_noted_with_the_reason() -> None:
    def prepare() -> tuple[str, ...]:
        raise ImpossibleError("javac is not installed: install a JDK, 17 or newer")

    peer = Peer("flink", "Flink", "2", "Java", "at least once", prepare)
    assert entrant(peer) == Entrant(peer, (), "javac is not installed: install a JDK, 17 or newer")


def test_a_job_is_handed_on_by_environment() -> None:
    job = PeerJob(
        "localhost:1", "a.events", "a.flink", 4, Path("/models/1"), Path("/state"), 2, True
    )
    assert given_job(job.environment()) == job


def test_the_peers_job_is_24_numbers_that_a_streaming_gru_makes(tmp_path: Path) -> None:
    model = OnnxPredictor(read_bundle(bundle_of(Job.PEERS, tmp_path)))
    windows = np.random.default_rng(1).normal(size=(5, 96, 1)).astype(np.float32)
    windows[0, :90] = np.nan
    windows[1] = 7.0
    forecast, state = model.predict(Inputs(windows, np.arange(5), np.zeros((5, 64), np.float32)))
    assert forecast.shape == (5, 24, 1)
    assert np.isfinite(forecast).all()
    np.testing.assert_allclose(forecast[1], 7.0, atol=1e-3)
    after, _ = model.predict(Inputs(windows, np.arange(5), state))
    assert np.abs(after - forecast)[2:].max() > 1e-3  # it remembers


def test_the_bundle_of_the_peers_job_is_the_same_every_time() -> None:
    assert small_gru().manifest == small_gru().manifest


def test_kafka_streams_is_of_the_brokers_version() -> None:
    assert f"<kafka.version>{KAFKA_VERSION}<" in (SOURCES / "pom.xml").read_text()


@pytest.mark.parametrize("name", ["stock-faust", "quix-streams", "bytewax", "confluent-loop"])
def test_a_peer_answers_every_event_with_the_engines_numbers(
    servers: LocalServers, tmp_path: Path, name: str
) -> None:
    _hold_to_the_engine(servers, tmp_path, name)


@pytest.mark.parametrize("name", JVM)
def test_a_peer_on_the_jvm_answers_every_event_with_the_engines_numbers(
    servers: LocalServers, tmp_path: Path, name: str
) -> None:
    if shutil.which("javac") is None or shutil.which("mvn") is None:
        pytest.skip("no JDK with Maven")
    if not (jvm_folder() / MADE).exists():
        pytest.skip("not built yet: `scripts/bench peers` does, in minutes")
    _hold_to_the_engine(servers, tmp_path, name)


def test_the_bare_loop_has_a_way_of_its_own_to_answer_soon(
    servers: LocalServers, tmp_path: Path
) -> None:
    _hold_to_the_engine(servers, tmp_path, "confluent-loop", Manner(low_latency=True))


def _hold_to_the_engine(
    servers: LocalServers, folder: Path, name: str, manner: Manner = USUAL
) -> None:
    (one,) = entrants([name])
    if not one.command:
        pytest.skip(one.note)
    with fresh_stream(servers) as fresh, timed_topic(fresh, f"{name}-{folder.name}") as topic:
        settings = with_model(fresh, bundle_of(Job.PEERS, folder / "models"))
        publish_backlog(settings, EVENTS, SERIES)
        racer = racer_of(settings, one, manner, topic, folder)
        with (
            Ends(settings, topic) as ends,
            running(racer.command, racer.environment, racer.log) as program,
        ):
            wait_until(
                lambda: program.usage() and ends.total() >= EVENTS, PEER_LIMIT_S, "all answers"
            )
        answers = _answers(settings, topic)
        expected = _expected(settings)
    assert len(answers) == EVENTS
    assert {answer.key for answer in answers} == set(expected)
    for answer in answers:
        np.testing.assert_allclose(answer.quantiles, expected[answer.key], rtol=1e-3, atol=1e-3)


class Answer(msgspec.Struct):
    series_id: str
    origin: str
    quantiles: list[list[float]]

    @property
    def key(self) -> tuple[str, str]:
        return self.series_id, self.origin


def _answers(settings: Settings, topic: str) -> list[Answer]:
    decode = msgspec.json.Decoder(Answer).decode
    partitions = range(settings.stream.partitions)
    return [
        decode(record.value or b"")
        for partition in partitions
        for record in asyncio.run(partition_records(settings, topic, partition))
    ]


def _expected(settings: Settings) -> dict[tuple[str, str], Sequence[Sequence[float]]]:
    engine = Engine(OnnxPredictor(read_bundle(settings.worker.model)), settings.stream)
    events = Topics.of(settings.stream.name).events
    return {
        (forecast.series_id, f"{forecast.origin:%Y-%m-%dT%H:%M:%SZ}"): forecast.quantiles
        for partition in range(settings.stream.partitions)
        for forecast in replay(
            engine, asyncio.run(partition_records(settings, events, partition)), None, partition
        )
    }
