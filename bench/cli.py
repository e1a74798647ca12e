"""`scripts/bench`: one command a question."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from bench import latency as latency_bench
from bench import latency_beside, publishing, subscribing
from bench import models as models_bench
from bench import page as page_writer
from bench import recovery as recovery_bench
from bench import series as series_bench
from bench import stages as stages_bench
from bench import start as start_bench
from bench import throughput as throughput_bench
from bench import workers as workers_bench
from bench.accuracy.command import accuracy
from bench.faults.command import faults, soak
from bench.jobs import Job
from bench.peers.contest import ALL
from bench.peers.registry import PEERS
from bench.processes import BenchError
from bench.report import Result, as_json, keep, kept
from bench.suite import BENCHES
from bench.tables import show
from tidecast.local import LocalServers, local_servers

HELP: Final = """\
Measure Tidecast on a real Kafka and Valkey, started for the purpose.

Each command answers one question with a table; with --json its last line is one JSON object.

\b
  scripts/bench throughput                  forecasts per second
  scripts/bench peers                       beside Flink, Quix and others
  scripts/bench peers --peer flink --workers 2
  scripts/bench latency --rate 1000 --json
  scripts/bench latency --rate 1000 --peer all
  scripts/bench stages                      where a worker's time goes
  scripts/bench accuracy                    of forecasts, on ETT and M4: some hours
  scripts/bench accuracy --only zero-shot   of the shipped models: some minutes
  scripts/bench all                         every speed: almost two hours
  scripts/bench report                      docs/performance.md, of the last
"""

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False)

Json = Annotated[bool, typer.Option("--json", help="End with one JSON object, on a line.")]
Events = Annotated[int, typer.Option(min=1, help="Of the backlog.")]
Series = Annotated[int, typer.Option(min=1, help="That the events are of, in turn.")]
Repeats = Annotated[int, typer.Option(min=1, help="How often to measure.")]
PEER_HELP: Final = f"Raced as well: {', '.join(PEERS)} or {ALL}; several times for several."
PeerEvents = Annotated[int, typer.Option(min=1, help="For the slowest peer; faster ones, more.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes; and cores that a peer may use.")]


@app.command()
def throughput(
    events: Events = 500_000,
    series: Series = 2_000,
    peer: Annotated[
        list[str] | None, typer.Option(help=PEER_HELP, show_default="stock-faust")
    ] = None,
    peer_events: PeerEvents = 20_000,
    workers: Workers = 1,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """Forecasts per second on a backlog: the general GRU, 24 x 3 numbers, beside stock Faust."""
    load = throughput_bench.Load(
        Job.THROUGHPUT, events, series, peer_events, repeats, peer, workers
    )
    _answer(lambda servers, folder: throughput_bench.measure(servers, load, folder), json)


@app.command()
def peers(
    events: Events = 500_000,
    series: Series = 2_000,
    peer: Annotated[list[str] | None, typer.Option(help=PEER_HELP, show_default=ALL)] = None,
    peer_events: PeerEvents = 20_000,
    workers: Workers = 1,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """The same with one step of a small GRU, 24 numbers, beside what people would use instead."""
    load = throughput_bench.Load(Job.PEERS, events, series, peer_events, repeats, peer, workers)
    _answer(lambda servers, folder: throughput_bench.measure(servers, load, folder), json)


@app.command()
def workers(
    events: Events = 500_000,
    series: Series = 2_000,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """Forecasts per second of two workers against one, and the servers' share."""
    load = workers_bench.Load(events, series, repeats)
    _answer(lambda servers, folder: workers_bench.measure(servers, load, folder), json)


@app.command()
def latency(
    rate: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Events per second; several times for several. Default: 100 to 20000."
        ),
    ] = None,
    seconds: Annotated[int, typer.Option(min=1)] = 30,
    peer: Annotated[list[str] | None, typer.Option(help=PEER_HELP, show_default="none")] = None,
    repeats: Repeats = 1,
    json: Json = False,
) -> None:
    """Milliseconds from the publish call to the forecast in the subscriber's hands.

    With peers, all answer with one step of a small GRU, 24 numbers, between Kafka's C clients.
    """
    load = latency_bench.Load(tuple(rate or latency_bench.RATES), seconds, repeats=repeats)
    if asked := peer or []:
        _answer(lambda servers, place: latency_beside.measure(servers, load, asked, place), json)
    else:
        _answer(lambda servers, folder: latency_bench.measure(servers, load, folder), json)


@app.command()
def stages(
    events: Events = 200_000,
    series: Series = 2_000,
    repeats: Repeats = 5,
    json: Json = False,
) -> None:
    """Microseconds per event of every stage of the worker."""
    load = stages_bench.Load(events, series, repeats)
    _answer(lambda servers, _: stages_bench.measure(servers, load), json)


@app.command()
def models(
    rows: Annotated[int, typer.Option(min=1)] = 20_000, repeats: Repeats = 5, json: Json = False
) -> None:
    """Microseconds per row of every shipped model, by batch size; needs no servers."""
    _tell(models_bench.measure(models_bench.Load(rows, repeats)), json)


@app.command()
def series(
    size: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Series; at least twice, for two sizes. Default: 1000 to 1000000."
        ),
    ] = None,
    events: Annotated[int, typer.Option(min=1, help="Least to be timed at each size.")] = 300_000,
    repeats: Repeats = 1,
    json: Json = False,
) -> None:
    """Cost per event and bytes per series, with more and more series."""
    load = series_bench.Load(tuple(size or series_bench.SIZES), events, repeats)
    _answer(lambda servers, folder: series_bench.measure(servers, load, folder), json)


@app.command()
def start(
    stored: Annotated[int, typer.Option(min=1, help="Series that Redis holds.")] = 100_000,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """Seconds from the start of a worker to its first forecast, without state and with."""
    load = start_bench.Load(stored, repeats)
    _answer(lambda servers, folder: start_bench.measure(servers, load, folder), json)


@app.command()
def publish(
    events: Events = 500_000,
    series: Series = 2_000,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """Events per second from a file to Kafka."""
    load = publishing.Load(events, series, repeats)
    _answer(lambda servers, folder: publishing.measure(servers, load, folder), json)


@app.command()
def subscribe(
    forecasts: Annotated[int, typer.Option(min=1)] = 300_000,
    series: Series = 2_000,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """Forecasts per second through `tidecast subscribe --json`."""
    load = subscribing.Load(forecasts, series, repeats)
    _answer(lambda servers, folder: subscribing.measure(servers, load, folder), json)


@app.command()
def recovery(
    events: Events = 400_000,
    series: Series = 2_000,
    stored: Annotated[int, typer.Option(min=1, help="Series that Redis holds.")] = 100_000,
    repeats: Repeats = 3,
    json: Json = False,
) -> None:
    """Time until partitions are ready: rebuilt from the log, and loaded from Redis."""
    load = recovery_bench.Load(events, series, stored, repeats)
    _answer(lambda servers, _: recovery_bench.measure(servers, load), json)


@app.command("all")
def run_all(
    repeats: Annotated[int, typer.Option(min=1, help="Of every bench.")] = 3,
) -> None:
    """Run every bench of docs/performance.md as it is by default: almost two hours."""
    with _place() as (servers, folder):
        for measure in BENCHES.values():
            _tell(measure(servers, folder, repeats), json=False)


@app.command()
def report(
    page: Annotated[Path, typer.Option(help="The page to write.")] = page_writer.PAGE,
) -> None:
    """Run nothing: write docs/performance.md and its pictures from the last results."""
    results = [result for name in BENCHES if (result := kept(name))]
    if not results:
        raise BenchError("no results; run `scripts/bench all` first")
    page_writer.write(results, page)


app.command()(accuracy)
app.command()(faults)
app.command()(soak)


def _answer(measure: Callable[[LocalServers, Path], Result], json: bool) -> None:
    with _place() as (servers, folder):
        result = measure(servers, folder)
    _tell(result, json)


def _tell(result: Result, json: bool) -> None:
    keep(result)
    show(result, Console(file=sys.stderr if json else sys.stdout))
    if json:
        typer.echo(as_json(result).decode())


@contextmanager
def _place() -> Iterator[tuple[LocalServers, Path]]:
    """Servers and a folder for the length of a bench."""
    with (
        tempfile.TemporaryDirectory(prefix="tidecast-bench-") as folder,
        local_servers() as servers,
    ):
        yield servers, Path(folder)


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="scripts/bench")
    except BenchError as error:
        typer.echo(f"no figure: {error}", err=True)
        sys.exit(1)
