"""Fixtures for every test: the real servers, once a session, and names of one's own on them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tidecast.local import LocalServers, local_servers

# No property fails for a slow machine.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the protocol's simulation."""
    parser.addoption("--trials", type=int, default=2000, help="seeds of the protocol's simulation")
    parser.addoption("--seed", type=int, help="this seed of the protocol's simulation alone")


def pytest_report_header(config: pytest.Config) -> str:
    """Which worlds the protocol's simulation goes through, and how to see one again."""
    seed, trials = config.getoption("--seed"), config.getoption("--trials")
    seeds = f"0 to {trials - 1}" if seed is None else str(seed)
    return f"protocol simulation: seeds {seeds} (again: tests/stream/test_protocol.py --seed N)"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """A real Kafka and Valkey, shared by the session: leave them running and use `stream_name`.

    A test that stops, kills or pauses a server starts its own with `local_servers`.
    """
    with local_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def stream_name(request: pytest.FixtureRequest) -> str:
    """A name for this test's stream, topics, groups and keys that no other test uses."""
    test = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"{test[:40]}-{uuid.uuid4().hex[:8]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the servers, so that `-m 'not servers'` runs without them."""
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker("servers")
