"""Fixtures for every test: the real servers, once a session, and names of one's own on them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from tidecast.local import LocalServers, local_servers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the protocol's simulation."""
    parser.addoption("--trials", type=int, default=2000, help="seeds of the protocol's simulation")
    parser.addoption("--seed", type=int, help="this seed of the protocol's simulation alone")


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
