"""What answers rest on, and for whom they are worse, as one HTML page."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from matplotlib.axes import Axes

from training.evaluate.metrics import Numbers
from training.explain.explanation import (
    Explanation,
    share_of_state,
    shares,
    shares_by_hour,
)
from training.explain.groups import Group
from training.report.html import document, heading, number, paragraph, table
from training.report.pictures import BAND, INK, row_of_axes, titled, to_svg


def render(explanation: Explanation) -> str:
    """Return the page."""
    manifest = explanation.manifest
    title = f"{manifest.name} {manifest.version}: what it goes by"
    return document(
        title,
        [
            heading(1, title),
            paragraph(
                f"{explanation.case.name}: {len(explanation.attributed)} windows for integrated "
                "gradients, up to 512 for permutation importance, every origin for the groups."
            ),
            heading(2, "Slots, channels and hours"),
            paragraph(
                "Integrated gradients: an answer less that for a flat window at the same level, "
                "divided among what was measured. Mean shares; "
                f"the state of the series has {share_of_state(explanation.attribution):.0%}."
            ),
            _attribution(explanation),
            heading(2, "Permutation importance"),
            paragraph(
                "How much larger the loss is once a part is exchanged among windows of the same "
                "series: 1 is twice the loss, 0 says that the model does not go by it."
            ),
            _importance(explanation),
            heading(2, "Groups"),
            *(_kind(kind, list(found)) for kind, found in _by_kind(explanation.groups)),
        ],
    )


def _attribution(explanation: Explanation) -> str:
    found = shares(explanation.attribution)
    figure, (slots, hours) = row_of_axes(2, height=2 + 0.2 * found.shape[1])
    context = len(found)
    _heat(slots, found, np.arange(-context, 1) + 0.5, explanation.manifest.channel_names)
    titled(slots, "share by slot; 0 is the newest")
    hours.bar(np.arange(24), shares_by_hour(explanation), color=BAND)
    titled(hours, "share of the window by hour of day, UTC")
    return to_svg(figure)


def _importance(explanation: Explanation) -> str:
    importance, names = explanation.importance, explanation.manifest.channel_names
    figure, (blocks, whole) = row_of_axes(2, height=2 + 0.2 * len(names))
    edges = importance.edges - importance.edges[-1] + 0.5
    _heat(blocks, importance.blocks, edges, names)
    titled(blocks, "by block of slots; 0 is the newest")
    whole.barh(list(importance.whole), list(importance.whole.values()), color=INK)
    whole.invert_yaxis()
    titled(whole, "of a channel, and of the other inputs, as a whole")
    return to_svg(figure)


def _heat(axes: Axes, numbers: Numbers, edges: Numbers, channels: list[str]) -> None:
    """Draw [places, channels] as squares; edges: of the places, in slots."""
    mesh = axes.pcolormesh(
        edges,
        np.arange(len(channels) + 1),
        np.maximum(numbers, 0).T,
        cmap="Blues",
        vmin=0,
    )
    axes.set_yticks(np.arange(len(channels)) + 0.5, channels)
    axes.figure.colorbar(mesh, ax=axes).ax.tick_params(labelsize=7)


def _by_kind(found: list[Group]) -> list[tuple[str, list[Group]]]:
    return [(kind, list(members)) for kind, members in groupby(found, lambda group: group.kind)]


def _kind(kind: str, members: list[Group]) -> str:
    """The groups of one kind, as a picture and a table."""
    figure, (error, hit) = row_of_axes(2, height=2.0)
    names = [group.name for group in members]
    for axes, title, values in (
        (error, "error: MASE or log loss", [group.error for group in members]),
        (hit, "coverage or accuracy", [group.hit for group in members]),
    ):
        axes.bar(names, values, color=BAND)
        axes.tick_params(axis="x", rotation=60 if len(names) > 7 else 0)
        titled(axes, title)
    rows = (
        (group.name, f"{group.answers:,}", number(group.error), number(group.hit))
        for group in members
    )
    head = (kind, "answers", "error", "coverage or accuracy")
    return heading(3, f"By {kind}") + to_svg(figure) + table(head, rows)
