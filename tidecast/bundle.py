"""The model bundle: one folder with all that a worker must know of a model.

`<name>/<version>/` holds `model.onnx` (weights inside), `manifest.json` and `report.html`.
Nothing in a bundle is executed or unpickled; a graph is used only when its hash is the manifest's.

Graph contract, B series at once, float32 unless said otherwise:

    window    [B, context, channels]  oldest slot first, NaN = missing
    origin    int64 [B]               seconds since 1970 of the newest slot's start
    future    [B, horizon, covariates] known ahead for each slot that is forecast, NaN = not known
    state     [B, state_size]         recurrent models only: the state before the newest slot
    forecast  [B, horizon, levels]    in the target's own units, levels never cross
    probability [B, classes]          classifiers have it in the place of `forecast`
    next_state [B, state_size]        recurrent models only: the state after the newest slot

A graph may leave out the inputs that it has no use for, except the window. A series starts with a
state of zeros. `next_state` is to depend on the newest slot, the slots before it in `window`, and
`state` alone, so that stepping through a window rebuilds it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from tidecast.durable import write_durably
from tidecast.errors import BundleError

GRAPH_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
REPORT_FILE = "report.html"

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Meta(min_length=1, max_length=128)]
Positive = Annotated[int, Meta(ge=1)]
Level = Annotated[float, Meta(gt=0.0, lt=1.0)]


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured quantity of a series. `unit` is free text; `any` for a general model."""

    name: Text
    unit: str = "any"


Task = Literal["forecast", "regression", "classification"]
"""`forecast`: one of the channels, slot by slot. `regression`: one number. `classification`: which
of several classes."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a bundle says of itself.

    `step_seconds` is None for a model that serves any step. The first answer is for the slot
    `lead` after the newest one of the window: 0 where the window itself is judged. `future` are
    the covariates that observations may bring along. `fallback`, a number for each level or class,
    answers where the model fails and the target is no channel whose last value could be repeated.
    `training`, `figures` and `tools` are records for people: the exact configuration with its
    seed, the back-test's figures, and the versions of the libraries that built the graph.
    """

    format: Literal[1] = 1
    name: Name
    version: Name
    task: Task
    graph_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    graph_bytes: Positive
    opset: Positive
    step_seconds: Positive | None
    context: Positive
    horizon: Positive
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    target: Text
    quantile_levels: tuple[Level, ...] = ()
    classes: tuple[Text, ...] = ()
    lead: Annotated[int, Meta(ge=0)] = 1
    future: tuple[Channel, ...] = ()
    fallback: tuple[float, ...] = ()
    state_size: Annotated[int, Meta(ge=0)]
    created: str
    data_sha256: str
    data_licence: str
    training: dict[str, Any]
    figures: dict[str, Any]
    tools: dict[str, str]

    def __post_init__(self) -> None:
        """Raise ValueError, which msgspec reports with the path, on fields that disagree."""
        for what, items in (("channels", self.channels), ("future", self.future)):
            _require_distinct(what, [item.name for item in items])
        _require_distinct("classes", self.classes)
        if list(self.quantile_levels) != sorted(set(self.quantile_levels)):
            raise ValueError(f"quantile_levels must rise: {self.quantile_levels}")
        classifies = self.task == "classification"
        if bool(self.quantile_levels) == classifies or (len(self.classes) > 1) != classifies:
            raise ValueError("a classifier has two classes or more, another model quantile_levels")
        if self.task == "forecast" and self.target not in self.channel_names:
            raise ValueError(f"target {self.target!r} is not one of {self.channel_names}")
        if (self.task == "forecast" and self.lead != 1) or (
            self.task != "forecast" and self.horizon != 1
        ):
            raise ValueError("a forecast begins at lead 1; other tasks have a horizon of 1")
        if len(self.fallback) not in (0, self.width):
            raise ValueError(f"fallback has {len(self.fallback)} numbers for {self.width}")

    @property
    def channel_names(self) -> list[str]:
        """The names of the channels, in order."""
        return [channel.name for channel in self.channels]

    @property
    def width(self) -> int:
        """How many numbers an answer has for one slot: levels, or classes."""
        return len(self.classes) or len(self.quantile_levels)


def _require_distinct(what: str, names: Sequence[str]) -> None:
    """Raise ValueError when a name occurs twice."""
    if len(set(names)) != len(names):
        raise ValueError(f"{what} repeat a name: {names}")


class Bundle(msgspec.Struct, frozen=True):
    """A verified bundle: the manifest, and the very bytes whose hash was checked."""

    manifest: Manifest
    graph: bytes

    @classmethod
    def of(cls, manifest: Manifest, graph: bytes) -> Self:
        """A graph with a manifest that was written for another one, and then names this one."""
        digest = hashlib.sha256(graph).hexdigest()
        named = msgspec.structs.replace(manifest, graph_sha256=digest, graph_bytes=len(graph))
        return cls(named, graph)


def read_bundle(folder: Path) -> Bundle:
    """Read and verify the bundle in `folder`.

    Raises BundleError when a file is missing, the manifest is not of this form, or the graph's
    bytes are not those the manifest was written for.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
        graph = (folder / GRAPH_FILE).read_bytes()
    except OSError as error:
        raise BundleError(
            f"no bundle in {folder}: {error.strerror} ({error.filename}); "
            "name a folder like onnx_models/general-gru/1"
        ) from error
    except msgspec.MsgspecError as error:
        raise BundleError(f"{folder / MANIFEST_FILE} is not a manifest: {error}") from error
    found = hashlib.sha256(graph).hexdigest()
    if found != manifest.graph_sha256 or len(graph) != manifest.graph_bytes:
        raise BundleError(
            f"{folder / GRAPH_FILE} is not the graph its manifest was written for "
            f"(sha256 {found[:12]}…, expected {manifest.graph_sha256[:12]}…); "
            "fetch the bundle again or train it anew"
        )
    return Bundle(manifest, graph)


def write_bundle(parent: Path, bundle: Bundle, report_html: str) -> Path:
    """Write `parent/<name>/<version>/` whole or not at all, in place of an older one.

    Raises BundleError when the graph is not the one the manifest describes, or when the disk
    refuses; an older bundle of that name and version then stays as it was.
    """
    manifest = bundle.manifest
    if hashlib.sha256(bundle.graph).hexdigest() != manifest.graph_sha256:
        raise BundleError(
            f"the manifest of {manifest.name} describes another graph; make it from these bytes"
        )
    target = parent / manifest.name / manifest.version
    pretty = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as scratch:
            fresh = Path(scratch) / "bundle"
            fresh.mkdir()
            write_durably(fresh / GRAPH_FILE, bundle.graph)
            write_durably(fresh / MANIFEST_FILE, pretty + b"\n")
            write_durably(fresh / REPORT_FILE, report_html.encode())
            _exchange(fresh, target, Path(scratch) / "older")
    except OSError as error:
        raise BundleError(
            f"cannot write {target}: {error.strerror}; free some space there or choose another "
            "folder; a bundle that was there is as it was"
        ) from error
    return target


def _exchange(fresh: Path, target: Path, aside: Path) -> None:
    """Give a folder the place of an older one, which comes back when that does not succeed."""
    if not target.exists():
        fresh.replace(target)
        return
    target.replace(aside)
    try:
        fresh.replace(target)
    finally:
        if not target.exists():
            aside.replace(target)
