"""`scripts/bench faults`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.faults import guarantees
from bench.faults.campaign import KEPT_LOGS, Campaign, as_it_must_be, run
from bench.faults.catalogue import FAULTS
from bench.faults.fault import Fault
from bench.faults.points import Load
from bench.faults.results import RESULTS, Results
from bench.faults.soak import Soak, measure
from bench.faults.tables import as_json, show
from bench.processes import BenchError
from bench.report import as_json as result_as_json
from bench.report import keep
from bench.tables import show as show_result


def faults(
    only: Annotated[
        list[str] | None, typer.Option(help="One fault, or a group; may be given several times.")
    ] = None,
    events: Annotated[int, typer.Option(min=1)] = Load.events,
    repeats: Annotated[int, typer.Option(min=1)] = Campaign.repeats,
    seed: Annotated[int, typer.Option(help="Of the first repeat.")] = Campaign.seed,
    rate: Annotated[int, typer.Option(min=1, help="Events per second.")] = Load.rate,
    results: Annotated[Path, typer.Option(help="Each repeat is appended here.")] = RESULTS,
    resume: Annotated[bool, typer.Option(help="Skip what is in the results.")] = False,
    report: Annotated[
        bool, typer.Option(help="Run nothing: write docs/guarantees.md from the results.")
    ] = False,
    note: Annotated[str, typer.Option(help="How it was run, for the foot of the page.")] = "",
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """What is lost, wrong or said twice when workers, Kafka, Redis or the input go wrong."""
    book = Results(results)
    if report:
        guarantees.write(book.rows(), note)
        return
    load = Load(events=events, rate=rate)
    campaign = Campaign(chosen(only or []), load, repeats, seed, resume)
    rows = run(campaign, book, lambda line: typer.echo(line, err=True))
    show(rows, Console(file=sys.stderr if json else sys.stdout))
    if json:
        typer.echo(as_json(rows).decode())
    broken = [
        f"{row.fault} seed {row.seed}"
        for row in rows
        if row.failed or (row.verdict and not as_it_must_be(FAULTS[row.fault], row.verdict))
    ]
    if broken:
        raise BenchError(f"not as it must be: {', '.join(broken)}; logs are in {KEPT_LOGS}")


def soak(
    minutes: Annotated[float, typer.Option(min=2)] = Soak.minutes,
    kill_every: Annotated[float, typer.Option(min=10, help="Seconds.")] = Soak.kill_every_s,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """An hour at 70 % of the highest load, a worker killed every five minutes."""
    plan = Soak(minutes=minutes, kill_every_s=kill_every)
    with tempfile.TemporaryDirectory(prefix="tidecast-soak-") as logs:
        result = measure(plan, Path(logs), lambda line: typer.echo(line, err=True))
    keep(result)
    show_result(result, Console(file=sys.stderr if json else sys.stdout))
    if json:
        typer.echo(result_as_json(result).decode())


def chosen(names: Sequence[str]) -> list[Fault]:
    """The faults of these names and groups, all when there are none."""
    unknown = set(names) - FAULTS.keys() - {fault.group for fault in FAULTS.values()}
    if unknown:
        raise BenchError(f"no fault {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    wanted = set(names)
    return [
        fault
        for fault in FAULTS.values()
        if not names or fault.name in wanted or fault.group in wanted
    ]
