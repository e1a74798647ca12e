"""What we ask of the product's speed, and what the last results say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bench.report import RATE, Figure, Result
from bench.statistics import spread
from bench.tables import Table

HEADER: Final = ["", "asked", "found", ""]


class Asked(NamedTuple):
    """A bar for the median of one figure of a bench.

    case: what the key of its case, or of a peer, has; none for a figure of the bench as a whole.
    """

    what: str
    bench: str
    figure: str
    bar: float
    at_most: bool = False
    case: Mapping[str, float | str] | None = None


ALONE: Final[Mapping[str, float | str]] = {"name": "tidecast", "clients": "librdkafka", RATE: 1_000}
"""Our worker without our clients."""

ASKED: Final = (
    Asked("forecasts a second, 72 numbers each", "throughput", "forecasts_per_s", 80_000),
    Asked("the same of 10 series", "throughput --series 10", "forecasts_per_s", 10_000),
    Asked("forecasts a second, the peers' job of 24", "peers", "forecasts_per_s", 110_000),
    *(
        Asked(f"the peers' job beside {title}", "peers", "ratio", bar, case={"name": name})
        for title, name, bar in (
            ("Flink", "flink", 1.3),
            ("Kafka Streams", "kafka-streams", 2),
            ("Quix Streams", "quix-streams", 6),
            ("stock Faust", "stock-faust", 40),
        )
    ),
    Asked(
        "two workers beside Flink at parallelism 2, warm",
        "peers --workers 2",
        "warm_ratio",
        1.1,
        case={"name": "flink"},
    ),
    Asked("CPU seconds per million, the peers' job", "peers", "cpu_s_per_million", 10, True),
    *(
        Asked(f"{name} at {rate:,} events/s, ms", "latency", f"{name}_ms", bar, True, {RATE: rate})
        for rate, name, bar in ((1_000, "p50", 4), (1_000, "p99", 8), (20_000, "p99", 40))
    ),
    *(
        Asked(
            f"{name} at 1,000 events/s between C clients, ms",
            "latency --peer all",
            f"{name}_ms",
            bar,
            True,
            ALONE,
        )
        for name, bar in (("p50", 4), ("p99", 8))
    ),
    Asked("an event at 1,000,000 series beside 1,000", "series", "cost_ratio", 1.5, True),
    Asked("worker without series, MB", "series", "base_mb", 250, True),
    Asked("worker's bytes per series", "series", "worker_bytes_per_series", 1_500, True),
    Asked("Redis' bytes per series", "series", "redis_bytes_per_series", 1_200, True),
    Asked("start to first forecast, s", "start", "empty_first_s", 3, True),
    Asked("start with 100,000 series, s", "start", "stored_all_s", 5, True),
    Asked("`tidecast publish`, events a second", "publish", "events_per_s", 150_000),
    Asked("`tidecast subscribe --json`, a second", "subscribe", "forecasts_per_s", 100_000),
)


def asked(results: Sequence[Result]) -> Table:
    """A row for each bar of which there is a result."""
    by_bench = {result.bench: result for result in results}
    rows = []
    for one in ASKED:
        figure = _figure(one, by_bench.get(one.bench))
        if figure is not None:
            rows.append(_row(one, figure))
    return Table(HEADER, rows, remarks=True)


def _figure(one: Asked, result: Result | None) -> Figure | None:
    if result is None:
        return None
    figures = result.figures
    if one.case is not None:
        wanted = one.case.items()
        figures = next((row.figures for row in result.rows if wanted <= row.key.items()), ())
    return next((figure for figure in figures if figure.name == one.figure), None)


def _row(one: Asked, figure: Figure) -> list[str]:
    found = spread(figure.values).median
    met = found <= one.bar if one.at_most else found >= one.bar
    bar = f"{'at most' if one.at_most else 'at least'} {one.bar:,g}"
    verdict = "met" if met else f"short: {found / one.bar:.2f} times that"
    return [one.what, bar, figure.text(found), verdict]
