"""Free ports that stay ours between a stop and a restart."""

from __future__ import annotations

import random
import socket
from typing import Final

from tidecast.errors import LocalServerError

HOST: Final = "127.0.0.1"
RANGE: Final = range(20_000, 32_000)
"""Below the ports that kernels hand to outgoing connections (Linux from 32768, macOS from 49152),
so that no client grabs the port of a server that is down for a moment."""
TRIES: Final = 200
TAKEN: Final = "Address already in use"
"""What every server says of a port that another process listens on."""


def free_port() -> int:
    """A port that nothing listens on now. Another process may still be faster: retry then."""
    for port in random.sample(RANGE, TRIES):
        if is_free(port):
            return port
    raise LocalServerError(f"no free port among {TRIES} tried from {RANGE.start} to {RANGE.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
