"""A profile as tables of words and numbers, for a terminal and for a page."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table as TextTable

from training.profile.facts import FAR, ChannelProfile, Profile

CHANNEL_HEAD: Final = (
    "channel",
    "unit",
    "least",
    "median",
    "mean",
    "greatest",
    "missing",
    "longest gap",
    "outliers",
    "constant",
    "empty",
    "seasons",
)

LABELS_SHOWN: Final = 20


class Named(NamedTuple):
    """What a profile cannot know: the name of the data, units by channel, names of classes."""

    title: str
    units: dict[str, str]
    classes: dict[float, str]


def facts(found: Profile) -> list[tuple[str, str]]:
    """What goes for the table as a whole."""
    return [
        ("series", f"{found.series:,}"),
        ("slots of each", f"{found.slots:,}"),
        ("from, to", f"{found.first:%Y-%m-%d %H:%M:%S}, {found.last:%Y-%m-%d %H:%M:%S} UTC"),
        ("step", duration(found.step_seconds)),
        ("rows at another distance", f"{found.irregular:.1%}"),
        ("rows read, files", f"{found.rows:,}, {found.files:,}"),
        ("values that met another in their slot", f"{found.combined:,}"),
        ("known ahead", ", ".join(found.covariates) or "nothing"),
    ]


def channel_row(channel: ChannelProfile, named: Named, found: Profile) -> tuple[str, ...]:
    """One line of the table under CHANNEL_HEAD."""
    return (
        channel.name,
        named.units.get(channel.name, "not given"),
        *(f"{n:.5g}" for n in (channel.least, channel.median, channel.mean, channel.greatest)),
        f"{channel.missing:.1%}",
        f"{channel.longest_gap:,} slots",
        f"{channel.outliers:,}",
        f"{channel.constant:,} series",
        f"{channel.empty:,} series",
        ", ".join(
            f"{duration(period * found.step_seconds)} ({strength:.2f})"
            for period, strength in channel.seasons
        )
        or "none",
    )


def label_rows(found: Profile, named: Named) -> list[tuple[str, str, str]]:
    """Each value of the label: its name, in how many slots, and their share; rarest last."""
    total = sum(found.labels.values())
    ordered = sorted(found.labels.items(), key=lambda item: -item[1])
    return [
        (named.classes.get(value, f"{value:g}"), f"{count:,}", f"{count / total:.2%}")
        for value, count in ordered
    ]


def explanation() -> str:
    """How the columns are to be read."""
    return (
        f"Outliers: further than {FAR:g} robust deviations from the median of their series. "
        "Constant and empty: series of one value, and of none. Seasons: peaks of the "
        "autocorrelation of the changes from slot to slot, with its height."
    )


def show(found: Profile, named: Named, console: Console) -> None:
    """Print a profile."""
    whole = TextTable(title=named.title, show_header=False, title_justify="left")
    for row in facts(found):
        whole.add_row(*row)
    console.print(whole)
    # A line a measure: as a line a channel, twelve columns would not fit a terminal.
    by_channel = TextTable(*("", *(channel.name for channel in found.channels)))
    rows = [channel_row(channel, named, found) for channel in found.channels]
    for head, *cells in list(zip(CHANNEL_HEAD, *rows, strict=True))[1:]:
        by_channel.add_row(head, *cells)
    console.print(by_channel)
    if found.labels:
        labels = TextTable("label", "slots", "share")
        for line in label_rows(found, named)[:LABELS_SHOWN]:
            labels.add_row(*line)
        console.print(labels)
    console.print(explanation())


def duration(seconds: int) -> str:
    """Seconds in the largest unit that divides them."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
