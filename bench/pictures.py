"""Which figures of a bench its picture shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bench.line import STAGES
from bench.report import Figure, Result
from bench.statistics import Spread, spread

OURS: Final = "Tidecast"
"""Whose a figure is that names nobody."""


class Panel(NamedTuple):
    """One chart of a picture.

    names: a regular expression for the names of its figures. unit: as their titles have it.
    axis: the unit in full. log: whether the axis is logarithmic.
    """

    names: str
    unit: str
    axis: str
    log: bool = False


class Bars(NamedTuple):
    """A bar for each label and group: of `groups` each has as many spreads as there are labels."""

    axis: str
    labels: Sequence[str]
    groups: Mapping[str, Sequence[Spread]]
    log: bool


PER_S: Final = "forecasts per second"
PER_MILLION: Final = "CPU seconds per million forecasts"
FROM_SCHEDULE: Final = "milliseconds from the scheduled publish call"

RACE: Final = [
    Panel("forecasts_per_s", PER_S, PER_S),
    Panel("cpu_s_per_million", PER_MILLION, PER_MILLION),
]

PICTURES: Final[Mapping[str, Sequence[Panel]]] = {
    "throughput": RACE,
    "throughput --series 10": RACE,
    "peers": RACE,
    "peers --workers 2": RACE,
    "workers": [
        Panel("forecasts_per_s", PER_S, PER_S),
        Panel(r".*_cpu_s_per_million", PER_MILLION, PER_MILLION),
    ],
    "latency": [
        Panel(r"(p\d+(_\d)?|max)_ms", "ms", FROM_SCHEDULE, True),
        Panel(r".*_busy", "cores", "share of a core"),
    ],
    "latency --peer all": [
        Panel(r"(p50|p99)_ms", "ms", FROM_SCHEDULE, True),
        Panel("system_busy", "cores", "share of a core that the system uses"),
    ],
    "stages": [
        Panel(f"({'|'.join(STAGES)})_us", "busy µs", "µs of processor time per event", True),
    ],
    "models": [Panel(r"batch_\d+_us", "µs per row", "µs of processor time per row", True)],
    "series": [
        Panel("us_per_event", "worker, µs per event", "worker, µs of processor time per event"),
        Panel("worker_mb", "memory of the worker, MB", "memory of the worker, MB"),
        Panel(
            "redis_bytes_each",
            "bytes of Redis memory per series",
            "bytes of Redis memory per series",
        ),
    ],
    "start": [Panel(r".*_(first|all)_s", "s", "seconds from the start of the process")],
    "publish": [Panel("events_per_s", "events per second", "events per second")],
    "subscribe": [Panel("forecasts_per_s", PER_S, PER_S)],
}


def bars(result: Result) -> list[Bars]:
    """The charts of a bench's picture; none for a bench that has no picture."""
    return [_bars(result, panel) for panel in PICTURES.get(result.bench, ())]


def _bars(result: Result, panel: Panel) -> Bars:
    """A label for each case with a group for each figure, or a label for each figure and peer."""
    if shown := _shown(result.figures, panel):
        named = [(_label(figure.title, panel.unit), figure) for figure in shown]
        named += [(peer.title, f) for peer in result.peers for f in _shown(peer.figures, panel)]
        spreads = [spread(figure.values) for _, figure in named]
        return Bars(panel.axis, [label for label, _ in named], {"": spreads}, panel.log)
    groups: dict[str, list[Spread]] = {}
    cases = [case for case in result.rows if case.figures]
    for case in cases:
        for figure in _shown(case.figures, panel):
            label = _label(figure.title, panel.unit)
            groups.setdefault(label, []).append(spread(figure.values))
    return Bars(panel.axis, [case.title for case in cases], groups, panel.log)


def _shown(figures: Sequence[Figure], panel: Panel) -> list[Figure]:
    return [figure for figure in figures if re.fullmatch(panel.names, figure.name)]


def _label(title: str, unit: str) -> str:
    """What is left of a title without the unit, which the axis says."""
    return title.removesuffix(unit).removeprefix(f"{unit}, ").removesuffix(", ") or OURS
