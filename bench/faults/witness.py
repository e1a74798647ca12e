"""The verifier that reads along, in a process of its own: it costs as much as a worker."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from bench.faults.live import LiveVerifier
from bench.processes import BenchError
from stream.worker import load_engine
from tidecast.settings import Settings

ANSWER_S: Final = 60.0
"""The longest that a witness may need for a look: it starts in some seconds."""
STOP_S: Final = 30.0


class Sight(NamedTuple):
    """What was seen so far. waiting: events read whose forecast has not come. longest_s: the
    longest that one had to wait. found: see `LivePartition`.
    """

    waiting: int
    answered: int
    longest_s: float
    found: Counter[str]


class Witness:
    """Reads a stream from its first offset on until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_testify, args=(settings, theirs), daemon=True)
        self._process.start()
        # Ours alone is left: should the process die, the next look says so at once.
        theirs.close()

    def look(self) -> Sight:
        """Ask what it has seen. Raises BenchError when reading has failed."""
        try:
            self._ours.send(None)
            seen = self._ours.recv() if self._ours.poll(ANSWER_S) else "no answer"
        except (EOFError, OSError) as error:
            seen = repr(error)
        if isinstance(seen, Sight):
            return seen
        raise BenchError(f"the verifier failed: {seen}")

    def stop(self) -> None:
        """Read no more."""
        self._ours.close()
        self._process.join(STOP_S)


def _testify(settings: Settings, theirs: Connection) -> None:
    """The process's own work: read, and answer each question, until nobody asks any more."""
    verifier = LiveVerifier(settings, load_engine(settings))
    verifier.start()
    try:
        while True:
            theirs.recv()
            verifier.check()
            theirs.send(
                Sight(verifier.waiting, verifier.answered, verifier.longest_s, verifier.found)
            )
    except EOFError:
        verifier.stop()
    except BenchError as error:
        theirs.send(str(error))
