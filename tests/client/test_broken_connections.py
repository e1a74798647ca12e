"""What clients do when Kafka was away. Servers of this file's own, since others share theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.conftest import Produce
from tests.client.forecasts import forecast
from tests.waiting import wait_until
from tidecast import Subscriber
from tidecast.local import LocalServers, local_servers
from tidecast.settings import Settings


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[LocalServers]:
    with local_servers(tmp_path / "servers") as running:
        yield running


@pytest.mark.parametrize("polled", [True, False], ids=["polled meanwhile", "left alone meanwhile"])
def test_a_subscriber_goes_on_when_kafka_is_back(
    servers: LocalServers, stream: Settings, produce: Produce, polled: bool
) -> None:
    found: list[int] = []
    with Subscriber(stream, start="earliest") as subscriber:

        def read(count: int) -> bool:
            found.extend(one.source.offset for one in subscriber.poll(0.1))
            return len(found) >= count

        produce([forecast("one", offset) for offset in range(5)])
        wait_until(lambda: read(5), 15, "forecasts from before")
        servers.kafka.kill()
        if polled:
            assert subscriber.poll(2.0) == []
        servers.kafka.start()
        produce([forecast("one", offset) for offset in range(5, 9)])
        wait_until(lambda: read(9), 30, "forecasts from after")
    assert found == list(range(9))
