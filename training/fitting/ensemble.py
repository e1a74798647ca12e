"""An ensemble: each member fitted by its family, all joined into one graph, its band calibrated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from stream.onnx_predictor import OnnxPredictor
from tidecast.bundle import Bundle
from tidecast.errors import SettingsError
from training.calibration import scored_of, stretches
from training.config import EnsembleConfig, Recipe
from training.data.places import evenly
from training.ensemble.build import ensemble
from training.ensemble.stretch import stretched
from training.evaluate.back_test import back_test
from training.fitting.fitted import Fitted, Job, Listener
from training.fitting.manifest import manifest_of
from training.rows import Rows
from training.samples import Samples
from training.source import History, Source

WEIGHED: Final = 4_000
"""Most validation windows that weights are fitted on."""
CALIBRATED: Final = 20_000
"""Most answers, each for the whole horizon, that the band is calibrated by."""


class Calibrated(NamedTuple):
    """figures: for the manifest, the factor of each gap between two levels, if there are any."""

    graph: bytes
    figures: dict[str, object]


FitMember = Callable[[Job, Listener], Fitted]


def fit_ensemble(
    config: EnsembleConfig, job: Job, listener: Listener, fit_member: FitMember
) -> Fitted:
    """Fit the members one after another, each with the next seed, and join their graphs.

    Raises what `fit_member` does, and DataError when nothing of the validation part is known.
    """
    members = []
    for number, family in enumerate(config.members):
        listener.stage(f"member {number + 1} of {len(config.members)}")
        recipe = replace(job.recipe, model=family, seed=job.recipe.seed + number)
        checkpoint = job.checkpoint.with_stem(f"{job.checkpoint.stem}-{number + 1}")
        member = job._replace(recipe=recipe, checkpoint=checkpoint)
        members.append(fit_member(member, listener))
    bundles = [
        Bundle(manifest_of(job.recipe, job.source, member), member.graph) for member in members
    ]
    found = ensemble(bundles, config.method, validation_rows(job, config, bundles))
    covariates = max((member.covariates for member in members), key=len)
    figures: dict[str, object] = {
        "members": [member.figures for member in members],
        "weights": [round(weight, 5) for weight in found.weights],
    }
    contract = members[0].contract._replace(
        context=found.context, state_size=found.state_size, covariates=len(covariates)
    )
    findings = [finding for member in members for finding in member.findings]
    fitted = Fitted(found.graph, contract, members[0].channels, covariates, findings, figures)
    bundle = Bundle(manifest_of(job.recipe, job.source, fitted), found.graph)
    band = calibrated(bundle, job.recipe, job.source, listener)
    return fitted._replace(graph=band.graph, figures=figures | band.figures)


def calibrated(bundle: Bundle, recipe: Recipe, source: Source, listener: Listener) -> Calibrated:
    """Make the band of an ensemble as wide as the validation part shows that it must be.

    Members err each in its own way, and less together than apart: where the band of each is as wide
    as it must be, the mean of them is too wide. Classifiers have no band, and series without end no
    validation part: these stay as they are. Raises DataError when nothing of that part is known.
    """
    levels = bundle.manifest.quantile_levels
    if not isinstance(source, History) or len(levels) < 2:
        return Calibrated(bundle.graph, {})
    listener.stage("calibrating the ensemble")
    origins = max(CALIBRATED // len(source.table.names), 1)
    test = back_test(OnnxPredictor(bundle), source.validation(recipe, origins))
    factors = stretches(scored_of(test), levels)
    rounded = [round(factor, 4) for factor in factors]
    return Calibrated(stretched(bundle, factors), {"stretch": rounded})


def validation_rows(job: Job, config: EnsembleConfig, members: Sequence[Bundle]) -> Rows | None:
    """Windows that weights of `stacked` are fitted on; the other methods need none.

    Raises SettingsError for series without end, DataError when nothing is known to fit them on.
    """
    if config.method != "stacked":
        return None
    if not isinstance(job.source, History):
        raise SettingsError("a stacked ensemble fits its weights on a history; take mean or median")
    context = max(member.manifest.context for member in members)
    table, cut, _ = job.source
    samples = Samples(table, job.recipe.task, context, cut.validation)
    return samples.at(evenly(len(samples), WEIGHED))
