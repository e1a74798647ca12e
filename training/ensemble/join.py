"""Several bundles' graphs as one, each behind its own slice of the window and of the state.

window ─► newest slots ─► member 0 ─┬─► answers ─► mean | median ─► forecast | probability
state ──► split ────────► member 1 ─┴─► next states ─► side by side ─► next_state
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from onnx import GraphProto, ModelProto

from tidecast.bundle import Bundle
from training.ensemble.members import common_future, graph_of
from training.ensemble.part import Part
from training.graphs import Contract, contract_of, sealed

Combine = Callable[[Part, Sequence[str], str], None]
"""Makes of the answers of these names the one of the last name."""

TO_THE_END: Final = 2**62
"""Beyond the end of every window, where a slice stops by itself."""


def joined(members: Sequence[Bundle], combine: Combine) -> ModelProto:
    """One checked graph of all members, by the contract of the ensemble."""
    part = Part()
    contract = _contract(members)
    (answer, *_) = contract.outputs
    recurrent = [place for place, each in enumerate(members) if each.manifest.state_size]
    if recurrent:
        sizes = part.constant("sizes", [members[place].manifest.state_size for place in recurrent])
        states = [_prefix(place) + "state" for place in recurrent]
        part.add("Split", ["state", sizes], states, axis=1)
    for place, member in enumerate(members):
        graph = graph_of(member)
        _feed(part, graph, _prefix(place), contract.context - member.manifest.context)
        part.embed(graph, _prefix(place))
    combine(part, [_prefix(place) + answer for place in range(len(members))], answer)
    if recurrent:
        after = [_prefix(place) + "next_state" for place in recurrent]
        part.add("Concat", after, ["next_state"], axis=1)
    return sealed(part.graph(), contract)


def _prefix(place: int) -> str:
    """Before all names of a member."""
    return f"member{place}/"


def _feed(part: Part, graph: GraphProto, prefix: str, older: int) -> None:
    """Give a member its inputs; of the window, all but the `older` slots that it does not know."""
    for name in [node.name for node in graph.input if node.name != "state"]:
        if name == "window" and older:
            begin, end = part.constant(f"{prefix}begin", [older]), f"{prefix}end"
            part.constant(end, [TO_THE_END])
            axis = part.constant(f"{prefix}axis", [1])
            part.add("Slice", [name, begin, end, axis], [prefix + name])
        else:
            part.add("Identity", [name], [prefix + name])


def _contract(members: Sequence[Bundle]) -> Contract:
    return contract_of(members[0].manifest)._replace(
        context=max(member.manifest.context for member in members),
        covariates=len(common_future(members)),
        state_size=sum(member.manifest.state_size for member in members),
    )
