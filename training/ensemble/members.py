"""What bundles must share to answer as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import onnx

from tidecast.bundle import Bundle, Channel
from tidecast.errors import BundleError
from training.graphs import OPSET, OPSETS

SHARED: Final = (
    "task",
    "horizon",
    "channels",
    "target",
    "quantile_levels",
    "classes",
    "lead",
)
"""Fields of a manifest in which members must not differ; contexts and states may."""


def require_alike(members: Sequence[Bundle]) -> None:
    """Raise BundleError, naming the member and what differs, when they cannot answer as one."""
    if len(members) < 2:
        raise BundleError(f"an ensemble has two members or more, not {len(members)}")
    first = members[0].manifest
    for other in (member.manifest for member in members[1:]):
        for field in SHARED:
            one, two = getattr(first, field), getattr(other, field)
            if one != two:
                raise BundleError(
                    f"{other.name}/{other.version} has {field} {two}, "
                    f"{first.name}/{first.version} has {one}; an ensemble needs the same"
                )


def common_step(members: Sequence[Bundle]) -> int | None:
    """The step in seconds, None where all serve any. Raises BundleError when two differ."""
    steps = {member.manifest.step_seconds for member in members} - {None}
    if len(steps) > 1:
        raise BundleError(f"members have steps of {sorted(map(str, steps))} s; train them on one")
    return steps.pop() if steps else None


def common_future(members: Sequence[Bundle]) -> tuple[Channel, ...]:
    """The covariates known ahead; members may go without. Raises BundleError when two differ."""
    known = {member.manifest.future for member in members} - {()}
    if len(known) > 1:
        names = [[channel.name for channel in channels] for channels in known]
        raise BundleError(f"members want different covariates: {names}")
    return known.pop() if known else ()


def graph_of(member: Bundle) -> onnx.GraphProto:
    """A member's graph. Raises BundleError when its operators are of other versions than ours."""
    model = onnx.load_model_from_string(member.graph)
    found = {opset.domain: opset.version for opset in model.opset_import}
    same = found.get("") == OPSET
    if not same or any(version > OPSETS.get(domain, 0) for domain, version in found.items()):
        raise BundleError(
            f"{member.manifest.name}/{member.manifest.version} has operators {found}, "
            f"graphs are joined and changed in {OPSETS}; train it anew"
        )
    return model.graph
