"""One way to fit any family: the recipe says which."""

from __future__ import annotations

from tidecast.errors import SettingsError
from training.config import EnsembleConfig
from training.fitting.ensemble import fit_ensemble
from training.fitting.fitted import Fitted, Job, Listener
from training.fitting.nets import fit_streaming, fit_windowed
from training.fitting.rows import fit_rows
from training.models.forecaster import ForecasterConfig
from training.models.windowed import NetConfig
from training.source import History


def fit_family(job: Job, listener: Listener) -> Fitted:
    """Fit the recipe's model to its data.

    Raises DataError when the data do not do, SettingsError when family, task and data do not go
    together, BundleError when the graph fails the parity gate.
    """
    family = job.recipe.model
    if isinstance(family, EnsembleConfig):
        return fit_ensemble(family, job, listener, fit_family)
    if isinstance(family, ForecasterConfig):
        return fit_streaming(family, job, listener)
    if not isinstance(job.source, History):
        raise SettingsError("synthetic series are for streaming families; give others a history")
    if isinstance(family, NetConfig):
        return fit_windowed(family, job, job.source, listener)
    return fit_rows(family, job.recipe, job.source, listener)
