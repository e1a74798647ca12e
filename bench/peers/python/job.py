"""What every peer is told, by environment: where to read and write, with which model.

Only the standard library is imported here: the peers have environments of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "PEER_"


@dataclass(frozen=True)
class Job:
    """events, forecasts: topics with `partitions` each. model: a bundle's folder.

    folder: an empty one, for what the peer keeps on disk. parallelism: its threads or workers.
    low_latency: whether answers are to be soon, as the peer's documentation advises; otherwise
    its defaults stand, which wait for company.
    """

    broker: str
    events: str
    forecasts: str
    partitions: int
    model: Path
    folder: Path
    parallelism: int = 1
    low_latency: bool = False

    @property
    def name(self) -> str:
        """A name for the peer's group, which no other run has."""
        return f"peer-{self.forecasts}"

    def environment(self) -> dict[str, str]:
        """The inverse of `given_job`."""
        return {f"{PREFIX}{field.upper()}": str(value) for field, value in asdict(self).items()}


def given_job(environment: Mapping[str, str] = os.environ) -> Job:
    """The job of this process. Raises KeyError when it was started without one."""
    given = {name: environment[f"{PREFIX}{name.upper()}"] for name in Job.__dataclass_fields__}
    return Job(
        broker=given["broker"],
        events=given["events"],
        forecasts=given["forecasts"],
        partitions=int(given["partitions"]),
        model=Path(given["model"]),
        folder=Path(given["folder"]),
        parallelism=int(given["parallelism"]),
        low_latency=given["low_latency"] == str(True),
    )
