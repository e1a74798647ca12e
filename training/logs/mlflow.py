"""Runs as MLflow keeps them: in `runs/mlflow.db`, or where MLFLOW_TRACKING_URI says.

`mlflow ui --backend-store-uri sqlite:///runs/mlflow.db` shows them. MLflow has given up folders of
files as a store; its database needs SQLAlchemy, which Optuna brings along.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

from tidecast.errors import SettingsError

try:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException
except ImportError as error:
    raise SettingsError(
        "--log mlflow needs another package: pip install 'tidecast[mlflow]'"
    ) from error

AT_ONCE: Final = 500
"""Numbers written in one go: a transaction a step would take longer than the step."""
MOST_SETTINGS: Final = 100
"""MLflow takes no more in one go."""
UNKNOWN: Final = re.compile(r"[^\w\-. /:]")
"""What MLflow does not take in a name."""
LONGEST: Final = 6000
"""Characters of a setting that MLflow keeps."""


@final
class MlflowLog:
    """See `RunLog`: runs of one recipe are an experiment."""

    def __init__(self, runs: Path, experiment: str, name: str) -> None:
        """Raises SettingsError when the store does not answer."""
        store = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{runs.absolute()}/mlflow.db")
        for teller in ("alembic", "mlflow"):  # Making its tables, it tells of each.
            logging.getLogger(teller).setLevel(logging.WARNING)
        self._numbers: list[Metric] = []
        try:
            runs.mkdir(parents=True, exist_ok=True)
            self._client = MlflowClient(tracking_uri=store)
            found = self._client.get_experiment_by_name(experiment)
            number = found.experiment_id if found else self._client.create_experiment(experiment)
            self._run = self._client.create_run(number, run_name=name).info.run_id
        except (MlflowException, OSError) as error:
            raise SettingsError(f"MLflow cannot log to {store}: {error}") from error

    def settings(self, values: Mapping[str, str]) -> None:
        """Parameters of the run."""
        params = [Param(path, value[:LONGEST]) for path, value in values.items()]
        for first in range(0, len(params), MOST_SETTINGS):
            self._client.log_batch(self._run, params=params[first : first + MOST_SETTINGS])

    def scalar(self, name: str, value: float, step: int) -> None:
        """A metric at a step, with the time of day."""
        self._numbers.append(Metric(name, value, round(time.time() * 1000), step))
        if len(self._numbers) >= AT_ONCE:
            self._write()

    def figure(self, name: str, value: float) -> None:
        """A metric of its own."""
        self.scalar(f"figures.{UNKNOWN.sub('_', name)}", value, 0)

    def close(self) -> None:
        """Write what is left; the run is then finished."""
        self._write()
        self._client.set_terminated(self._run)

    def _write(self) -> None:
        self._client.log_batch(self._run, metrics=self._numbers)
        self._numbers = []
