"""Everything the demo knows while it runs, shared by the threads that publish, read and draw."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple

import msgspec

from tidecast.bundle import Manifest
from tidecast.demo.ledger import RECENT, Ledger, Pace
from tidecast.demo.trace import Picture, SeriesTrace
from tidecast.messages import Forecast, Observation
from tidecast.publisher import Place


class Facts(NamedTuple):
    """What does not change during a run. units: by series id; servers: name and address."""

    title: str
    manifest: Manifest
    step_seconds: int
    units: Mapping[str, str]
    servers: dict[str, str]


class Totals(msgspec.Struct, frozen=True):
    """What a run has come to. latency_ms: publish call to forecast in hand, None without any."""

    events_published: int
    forecasts_received: int
    rejected: int
    lost: int
    duplicates: int
    latency_ms: dict[str, float | None]


class Frame(NamedTuple):
    """What one picture of the view shows. judged, inside: see SeriesTrace, over all series."""

    uptime_s: float
    events_per_s: float
    forecasts_per_s: float
    totals: Totals
    judged: int
    inside: int
    series: dict[str, Picture]


class Board:
    """Thread-safe; every call is short, so that drawing never delays a forecast's time stamp."""

    def __init__(self, series: Iterable[str], step_seconds: int) -> None:
        self._lock = Lock()
        self._ledger = Ledger()
        self._traces = {name: SeriesTrace(step_seconds) for name in series}
        self._began_s = time.monotonic()
        self._events = Pace(time.monotonic)
        self._forecasts = Pace(time.monotonic)

    def observe(self, observations: Sequence[Observation]) -> None:
        """About to be published."""
        with self._lock:
            for observation in observations:
                [value] = observation.values.values()
                self._traces[observation.series_id].observe(observation.timestamp, value)

    def publish(self, places: Sequence[tuple[Place, float]]) -> None:
        """Stored by Kafka, each with the time of its publish call."""
        with self._lock:
            for place, called_s in places:
                self._ledger.publish(place, called_s)

    def forecast(self, forecasts: Sequence[Forecast], arrived_s: float) -> None:
        """In hand since `arrived_s`."""
        with self._lock:
            for forecast in forecasts:
                source = forecast.source
                self._ledger.answer(Place(source.partition, source.offset), arrived_s)
                self._traces[forecast.series_id].forecast(forecast)

    def reject(self, places: Sequence[Place]) -> None:
        """Rejected by the worker."""
        with self._lock:
            for place in places:
                self._ledger.reject(place)

    def start_clock(self) -> None:
        """The stream is under way: latencies and up-time count from here."""
        with self._lock:
            self._began_s = time.monotonic()
            self._ledger.measure_from(self._began_s)

    @property
    def open(self) -> int:
        """Observations that still wait for their forecast."""
        with self._lock:
            return self._ledger.open

    @property
    def answered(self) -> int:
        """Observations that have their forecast."""
        with self._lock:
            return self._ledger.answered

    def totals(self, recent: int | None = None) -> Totals:
        """The figures of the whole run; latencies of the `recent` last forecasts only, if given."""
        with self._lock:
            ledger = self._ledger
            latency_ms = {f"p{n}": ledger.latency_ms(n, recent) for n in (50, 99)}
            return Totals(
                events_published=ledger.published,
                forecasts_received=ledger.answered,
                rejected=ledger.rejected,
                lost=ledger.open,
                duplicates=ledger.duplicates,
                latency_ms=latency_ms,
            )

    def frame(self) -> Frame:
        """What to draw now."""
        totals = self.totals(RECENT)
        with self._lock:
            traces = self._traces
            return Frame(
                uptime_s=time.monotonic() - self._began_s,
                events_per_s=self._events.update(totals.events_published),
                forecasts_per_s=self._forecasts.update(totals.forecasts_received),
                totals=totals,
                judged=sum(trace.judged for trace in traces.values()),
                inside=sum(trace.inside for trace in traces.values()),
                series={name: trace.picture() for name, trace in traces.items()},
            )
