"""The contests and the zero-shot trial, in order; each is kept as soon as it is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bench.accuracy import contest, zero_shot
from bench.accuracy.kept import Found, keep, where
from bench.accuracy.rows import Row
from bench.processes import BenchError

NAMES: Final = (*contest.CONTESTS, zero_shot.NAME)


def chosen(names: Sequence[str]) -> list[str]:
    """The contests of these names in order, all when there are none. Raises BenchError."""
    unknown = set(names) - set(NAMES)
    if unknown:
        raise BenchError(f"no contest {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return [name for name in NAMES if name in names or not names]


def run(names: Sequence[str], seeds: int | None, tell: Callable[[str], None]) -> dict[str, Found]:
    """Run contests by name. seeds: fits of each; None for its own number. Raises BenchError."""
    contests = {}
    for name in names:
        conditions = where()
        rows = zero_shot.run(tell) if name == zero_shot.NAME else _fits(name, seeds, tell)
        contests[name] = Found(tuple(rows), conditions)
        keep(name, contests[name])
    return contests


def _fits(name: str, seeds: int | None, tell: Callable[[str], None]) -> list[Row]:
    rows = []
    for seed in range(1, (seeds or contest.CONTESTS[name].seeds) + 1):
        tell(f"{name}: fit with seed {seed}")
        rows.append(contest.run(name, seed, tell))
    return rows
