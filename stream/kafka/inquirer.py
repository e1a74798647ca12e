"""Questions to Kafka beside the work, through a client that stays open from one to the next.

A connection whose other end is gone without a word is never answered. aiokafka gives each request
40 seconds, and whoever asks meanwhile waits for as long; here the next try has another client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiokafka.errors import KafkaError as KafkaLibraryError

from tidecast.errors import KafkaError

ANSWER_S: Final = 5.0
"""How long one answer is waited for."""
TRIES: Final = 20
"""Of those who cannot go on without an answer: enough for a broker that is starting."""
RETRY_S: Final = 0.5

Answer = TypeVar("Answer")


class Inquirer:
    """Asks through a client that is opened when it is needed, and closed when it fails."""

    def __init__(
        self,
        make: Callable[[], Any],
        stop: Callable[[Any], Awaitable[None]],
        tries: int = TRIES,
    ) -> None:
        """make, stop: an aiokafka client, not yet started, and how it is closed."""
        self._make = make
        self._stop = stop
        self._tries = tries
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def ask(self, doing: str, question: Callable[[Any], Awaitable[Answer]]) -> Answer:
        """What the question makes of a started client.

        doing: what is attempted, to follow "cannot". Raises KafkaError when no try, half a second
        apart, is answered in five seconds, or at once where another try would not help.
        """
        tries_left = self._tries
        while True:
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await question(await self._open())
            except (KafkaLibraryError, TimeoutError) as error:
                await self.aclose()
                tries_left -= 1
                if not tries_left or not getattr(error, "retriable", True):
                    raise KafkaError(f"cannot {doing}: {error!r}") from error
            await asyncio.sleep(RETRY_S)

    async def aclose(self) -> None:
        """Close the connection; another question would open it again."""
        client, self._client = self._client, None
        if client is not None:
            await self._stop(client)

    async def _open(self) -> Any:  # noqa: ANN401 - whatever `make` makes
        async with self._opening:
            if self._client is None:
                client = self._make()
                try:
                    await client.start()
                except BaseException:
                    await self._stop(client)
                    raise
                self._client = client
            return self._client
