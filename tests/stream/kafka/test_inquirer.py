"""Questions to a Kafka whose connections are dead, and nobody says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from bench.faults.proxy import TcpProxy
from stream.kafka import inquirer
from stream.kafka.admin import KafkaAdmin
from stream.kafka.log import KafkaEventLog
from stream.state.checkpoint import TopicPartition
from stream.watch.health import Offsets
from stream.watch.offsets import KafkaOffsets
from tidecast.errors import KafkaError
from tidecast.kafka_clients import aiokafka_options
from tidecast.local import Detour, local_servers
from tidecast.local.ports import HOST, free_port
from tidecast.settings import KafkaSettings

TOPIC: Final = "events"
PLACE: Final = TopicPartition(TOPIC, 0)
ANSWER_S: Final = 1.0
SOON_S: Final = 10.0
"""aiokafka by itself would wait for 40."""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[TcpProxy]:
    """Before a Kafka of one's own, which has the topic."""
    detour = Detour(port=free_port(), advertised=free_port())
    with (
        local_servers(tmp_path / "servers", kafka_detour=detour) as servers,
        TcpProxy(detour.advertised, detour.port) as running,
    ):
        with KafkaAdminClient(bootstrap_servers=servers.bootstrap_servers) as admin:
            admin.create_topics([NewTopic(TOPIC, 1, 1)])
        yield running


@pytest.mark.servers
async def test_who_asks_over_a_dead_connection_has_another_one(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquirer, "ANSWER_S", ANSWER_S)
    client = aiokafka_options(KafkaSettings(bootstrap_servers=f"{HOST}:{proxy.port}"))
    admin, offsets = KafkaAdmin(client, "group"), KafkaOffsets(client, "group")
    log = KafkaEventLog(client, admin)
    for _ in range(2):
        async with asyncio.timeout(SOON_S):
            assert not await admin.has_instance("one")
            assert (await log.bounds(PLACE)).end == 0
            assert await offsets.of([PLACE]) == {PLACE: Offsets(0, None)}
        proxy.half_open()
        # Asked once at a time, and by now through a connection that is dead.
        with pytest.raises(KafkaError, match="cannot read the group's offsets: TimeoutError"):
            await offsets.of([PLACE])
    for close in (admin.aclose, log.aclose, offsets.close):
        await close()


async def test_who_asks_at_once_shares_one_client() -> None:
    made: list[Client] = []

    def make() -> Client:
        made.append(Client())
        return made[-1]

    asking = inquirer.Inquirer(make, Client.stop)
    answers = await asyncio.gather(*(asking.ask("ask", Client.answer) for _ in range(3)))
    assert answers == [1, 1, 1]
    assert len(made) == 1
    await asking.aclose()
    assert made[0].state == "stopped"


class Client:
    """Takes a moment to start."""

    state = "new"

    async def start(self) -> None:
        await asyncio.sleep(0)
        self.state = "started"

    async def stop(self) -> None:
        self.state = "stopped"

    async def answer(self) -> int:
        assert self.state == "started"
        return 1
