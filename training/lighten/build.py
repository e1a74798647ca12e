"""From a bundle to a lighter one: the same contract, measured beside its parent, or refused."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tidecast.bundle import Bundle, Name, read_bundle, write_bundle
from tidecast.errors import SettingsError
from training.benchmarks import stream_case
from training.data.columns import Layout
from training.evaluate.history import read_history
from training.graphs import OPSET
from training.lighten.compared import Compared, compare, require_accurate
from training.lighten.distil import Distillation
from training.lighten.int8 import DynamicInt8, StaticInt8
from training.lighten.method import Light, Tell, name_of
from training.lighten.page import render
from training.lighten.past import past_of
from training.lighten.prune import Pruning
from training.lighten.sound import require_sound

How = DynamicInt8 | StaticInt8 | Pruning | Distillation

TOOLS: Final = ("onnx", "onnxruntime", "numpy", "torch")


class Job(NamedTuple):
    """What to make lighter, how, and where to put it.

    first: the slot from which on the loss is measured; methods see the slots before alone.
    seasonality: slots of a period; None for the usual one of the data's step.
    """

    bundle: Path
    data: Path
    first: int
    how: How
    name: Name
    parent: Path
    most_loss: float
    layout: Layout
    seasonality: int | None


def lighten(job: Job, tell: Tell) -> Path:
    """Make a lighter bundle and return its folder.

    Raises SettingsError on a name that is taken by the parent, DataError when the data do not do,
    BundleError when nothing can be made lighter or too much accuracy is lost; nothing is written
    then.
    """
    parent = read_bundle(job.bundle)
    if job.name == parent.manifest.name:
        raise SettingsError(f"--name {job.name} is that of the bundle itself; choose another")
    table = read_history(job.data, job.layout, parent.manifest)
    case = stream_case(job.data.name, table, job.first, parent.manifest, job.seasonality)
    light = job.how.lighten(parent, past_of(case, parent.manifest), tell)
    bundle = _bundle(job, parent, light)
    require_sound(bundle)
    compared = compare(parent, bundle, case)
    tell(_summary(compared))
    require_accurate(compared, parent, job.most_loss)
    figures = compared.figures() | light.facts | {"most_loss": job.most_loss}
    manifest = msgspec.structs.replace(bundle.manifest, figures=figures)
    page = render(manifest, parent, compared)
    return write_bundle(job.parent, Bundle(manifest, bundle.graph), page)


def _bundle(job: Job, parent: Bundle, light: Light) -> Bundle:
    old = parent.manifest
    changes: dict[str, Any] = {
        "name": job.name,
        "opset": OPSET,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "training": {
            "made_from": {"bundle": name_of(parent), "graph_sha256": old.graph_sha256},
            "method": msgspec.to_builtins(job.how),
            "data": {"name": job.data.name, "before_slot": job.first},
            "parent": old.training,
        },
        "figures": {},
        "tools": {"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
    }
    return Bundle.of(msgspec.structs.replace(old, **changes | light.changes), light.graph)


def _summary(compared: Compared) -> str:
    speeds = ", ".join(
        f"{pair.ratio:.2f} at batch {batch}" for batch, pair in compared.us_per_row.items()
    )
    return (
        f"{compared.measure} {compared.loss:+.2%}, size x {compared.size_bytes.ratio:.2f} "
        f"(compressed x {compared.compressed_bytes.ratio:.2f}), time x {speeds}"
    )
