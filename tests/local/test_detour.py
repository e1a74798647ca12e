"""Clients that enter by the detour are sent on by the detour, and the others straight."""

from __future__ import annotations

from pathlib import Path

from kafka import KafkaAdminClient

from bench.faults.proxy import TcpProxy
from tidecast.local import Detour, local_servers
from tidecast.local.ports import HOST, free_port


def test_each_client_is_told_the_door_by_which_it_came(tmp_path: Path) -> None:
    detour = Detour(port=free_port(), advertised=free_port())
    with (
        local_servers(tmp_path, kafka_detour=detour) as servers,
        TcpProxy(detour.advertised, detour.port),
    ):
        assert ports_told(servers.kafka.port) == {servers.kafka.port}
        assert ports_told(detour.advertised) == {detour.advertised}


def ports_told(port: int) -> set[int]:
    with KafkaAdminClient(bootstrap_servers=f"{HOST}:{port}") as admin:
        return {broker["port"] for broker in admin.describe_cluster()["brokers"]}
