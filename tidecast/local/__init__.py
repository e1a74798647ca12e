"""Real servers on this machine, without Docker, Java or root: a Kafka and a Valkey as children.

They die with the process that started them, even when it is killed.
"""

from tidecast.local.kafka import Detour
from tidecast.local.server import Server
from tidecast.local.servers import LocalServers, local_servers

__all__ = ["Detour", "LocalServers", "Server", "local_servers"]
