"""What a back-test found, as plain structs that go to JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from training.evaluate.classification import Classification
from training.evaluate.metrics import Measures
from training.evaluate.statistical import METHODS

MODEL: Final = "model"


class Comparison(msgspec.Struct, frozen=True):
    """Forecasters on the very same answers, `model` among them; answers: how many."""

    answers: int
    measures: dict[str, Measures]

    @property
    def skill(self) -> float | None:
        """Part by which the MASE is smaller than the best of those that were fitted."""
        fitted = (self.measures[name].mase for name in METHODS if name in self.measures)
        return skill_of(self.measures[MODEL].mase, fitted)


class ForecastScores(msgspec.Struct, frozen=True, tag_field="task", tag="forecast"):
    """Of a forecast or a regression, which is one with a single lead.

    fallbacks: answers that the engine gave because the model failed. seasonality: slots of a
    period, for MASE and the seasonal baselines. baselines: at every origin. by_lead: of the model
    and each baseline, a lead after the other. sample: at some origins, with the methods that are
    fitted anew at each; None where nobody asked for them.
    """

    name: str
    series: int
    origins: int
    fallbacks: int
    seasonality: int
    model: Measures
    baselines: dict[str, Measures]
    by_lead: dict[str, tuple[Measures, ...]]
    sample: Comparison | None = None

    @property
    def skill(self) -> float | None:
        """Part by which the MASE is smaller than that of the seasonal-naive forecast."""
        behind = self.baselines.get("seasonal naive", Measures()).mase
        return skill_of(self.model.mase, [behind])

    def figures(self) -> dict[str, Any]:
        """The model's measures and, below them, the baselines'; without those by lead."""
        compared = {"baselines": _all(self.baselines)}
        if self.sample is not None:
            compared["sample"] = {"answers": self.sample.answers} | _all(self.sample.measures)
        heads = _heads(self) | {"seasonality": self.seasonality}
        return heads | _figures(self.model) | compared


class ClassScores(msgspec.Struct, frozen=True, tag_field="task", tag="classification"):
    """Of a classifier. The baseline always says how often each class was in the history."""

    name: str
    series: int
    origins: int
    fallbacks: int
    model: Classification
    baselines: dict[str, Classification]

    def figures(self) -> dict[str, Any]:
        """The model's measures and, below them, the baselines'."""
        return _heads(self) | _figures(self.model) | {"baselines": _all(self.baselines)}


Scores = ForecastScores | ClassScores


def skill_of(mase: float | None, others: Iterable[float | None]) -> float | None:
    """Part by which a MASE is smaller than the best of others, negative where it is larger.

    None where either is not known.
    """
    known = [other for other in others if other]
    return None if mase is None or not known else 1 - mase / min(known)


def summary(scores: Scores) -> str:
    """One line for a log: how good the model is, beside the baselines that say most of it."""
    if isinstance(scores, ClassScores):
        beside = next(iter(scores.baselines.values()))
        return (
            f"{scores.name}: balanced accuracy {scores.model.balanced_accuracy:.3f}, "
            f"log loss {scores.model.log_loss:.3f}, from shares alone {beside.log_loss:.3f}"
        )
    naive = scores.baselines.get("seasonal naive", Measures())
    return (
        f"{scores.name}: MASE {_short(scores.model.mase)}, seasonal naive {_short(naive.mase)}, "
        f"MAE {_short(scores.model.mae)}, coverage {_short(scores.model.coverage)}"
        + ("" if scores.sample is None else f"; {_beside(scores.sample)}")
    )


def _beside(sample: Comparison) -> str:
    """The model beside what was fitted, and by how much it is better."""
    shown = [f"{name} {_short(sample.measures[name].mase)}" for name in (MODEL, *METHODS)]
    words = "" if sample.skill is None else f"; against the best of them {better(sample.skill)}"
    return f"MASE at {sample.answers} answers: {', '.join(shown)}{words}"


def better(skill: float) -> str:
    """A skill in words."""
    return f"{skill:.1%} better" if skill >= 0 else f"short by {-skill:.1%}"


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _heads(scores: Scores) -> dict[str, int]:
    return {name: getattr(scores, name) for name in ("series", "origins", "fallbacks")}


def _all(measured: Mapping[str, Measures | Classification]) -> dict[str, Any]:
    return {name: _figures(measures) for name, measures in measured.items()}


def _figures(measures: Measures | Classification) -> dict[str, Any]:
    """What was measured, with six digits."""
    found: dict[str, Any] = _rounded(msgspec.to_builtins(measures))
    return {name: value for name, value in found.items() if value is not None}


def _rounded(value: Any) -> Any:  # noqa: ANN401 - whatever JSON may hold
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
