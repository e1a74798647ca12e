"""What a worker says of itself, and over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from asyncio import to_thread
from typing import Any

import pytest

from stream.watch.health import (
    UNWATCHED_S,
    Facts,
    Held,
    Membership,
    Offsets,
    PartitionHealth,
    Rebuild,
    judge,
)
from stream.watch.health_server import HealthServer
from tests.stream.facts import IDLE, WELL, state
from tests.stream.partitions import PLACE
from tests.waiting import wait_until
from tidecast.errors import SettingsError
from tidecast.settings import HealthSettings


def test_a_worker_that_is_well_is_ready() -> None:
    health = judge(WELL)
    assert (health.live, health.ready, health.reasons) == (True, True, [])
    assert health.partitions == {str(PLACE): PartitionHealth(2, 10, 10, 10, 0)}


def test_a_worker_beyond_the_number_of_partitions_is_ready() -> None:
    assert judge(IDLE).ready


def test_a_stream_without_events_does_not_keep_a_worker_from_being_ready() -> None:
    assert judge(WELL._replace(state=state(None), kafka={PLACE: Offsets(0, None)})).ready


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (
            IDLE._replace(membership=Membership(False, frozenset())),
            "no partition assigned yet: joining the group",
        ),
        (WELL._replace(stopping=True), "stopping"),
        (WELL._replace(kafka_silent_s=7.2), "waiting for Kafka for 7 s"),
        (
            WELL._replace(state=state(store_down_s=12)),
            "Redis down for 12 s, forecasts go on from memory for 18 s more",
        ),
        (WELL._replace(state=state(store_down_s=45)), "Redis down for 45 s: holding"),
        (
            WELL._replace(state=state(None, Rebuild(7, 43, 100))),
            "rebuilding tidecast.events/2: 43 %",
        ),
        (
            WELL._replace(state=state(None, Rebuild(2000))),
            "loading tidecast.events/2: 2000 series so far",
        ),
        (
            WELL._replace(state=state(None), kafka={PLACE: Offsets(10, 4)}),
            "tidecast.events/2 is assigned and not claimed yet",
        ),
    ],
)
def test_one_that_is_not_ready_says_why(facts: Facts, reason: str) -> None:
    health = judge(facts)
    assert (health.live, health.ready, health.reasons) == (True, False, [reason])


def test_a_claim_that_waits_for_redis_is_held_at_once() -> None:
    health = judge(WELL._replace(state=state(None, Rebuild(), store_down_s=1)))
    assert health.reasons[0] == "Redis down for 1 s: holding"


def test_one_that_does_not_watch_itself_is_not_alive() -> None:
    health = judge(WELL._replace(unwatched_s=UNWATCHED_S))
    assert not health.live
    assert health.reasons == ["the worker has not looked at itself for 60 s"]


def test_lag_counts_from_the_cursor_or_else_from_the_commit() -> None:
    ahead = WELL._replace(kafka={PLACE: Offsets(25, 4)})
    assert judge(ahead).partitions[str(PLACE)].lag == 15
    assert judge(ahead._replace(state=state(None))).partitions[str(PLACE)].lag == 21
    assert judge(ahead._replace(kafka={})).partitions[str(PLACE)].lag is None


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


async def test_both_questions_are_answered_over_http() -> None:
    told = [WELL]
    server = HealthServer(HealthSettings(), lambda: judge(told[0]))
    await server.start()
    url = server.url
    assert url is not None
    assert url.startswith("http://127.0.0.1:")
    assert await to_thread(get, f"{url}/livez") == (200, {"live": True})
    figures = {"series": 2, "cursor": 10, "saved": 10, "committed": 10, "lag": 0}
    ready = {"ready": True, "reasons": [], "partitions": {str(PLACE): figures}}
    assert await to_thread(get, f"{url}/readyz") == (200, ready)
    told[0] = WELL._replace(state=state(Held(2, 10, 9)), stopping=True, unwatched_s=99)
    assert await to_thread(get, f"{url}/livez") == (503, {"live": False})
    status, body = await to_thread(get, f"{url}/readyz")
    assert (status, body["ready"], body["reasons"][-1]) == (503, False, "stopping")
    await server.stop()


async def test_a_port_that_is_taken_is_a_matter_of_settings_or_of_patience() -> None:
    first = HealthServer(HealthSettings(), lambda: judge(WELL))
    await first.start()
    assert first.url is not None
    taken = HealthSettings(port=int(first.url.rpartition(":")[2]))
    with pytest.raises(SettingsError, match="cannot listen on health"):
        await HealthServer(taken, lambda: judge(WELL)).start()
    successor = HealthServer(taken, lambda: judge(IDLE), successor=True)
    await successor.start()
    assert successor.url is None
    url = first.url
    await first.stop()
    await to_thread(wait_until, lambda: successor.url == url, 10, "the port is taken over")
    assert (await to_thread(get, f"{url}/readyz"))[1]["partitions"] == {}
    await successor.stop()
