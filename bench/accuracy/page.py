"""docs/accuracy.md and its picture, written from what was found last of each contest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.accuracy.kept import Contests
from bench.accuracy.rows import Row
from bench.accuracy.suite import NAMES
from bench.accuracy.tables import fitted_table, zero_shot_table
from bench.accuracy.zero_shot import NAME
from bench.charts import draw
from bench.page import PICTURES
from bench.pictures import Bars
from bench.processes import BenchError
from bench.statistics import spread
from bench.tables import markdown

PAGE: Final = Path("docs/accuracy.md")
PICTURE: Final = "accuracy-zero-shot.svg"
LEFT_OUT: Final = ("naive", "drift", "Naive2")
"""Baselines that would take the room of the others in the picture."""

HEAD: Final = """\
# Accuracy

How good forecasts are, on data that others publish figures for. `scripts/bench accuracy` finds
them, on two processor cores and without servers; `scripts/bench accuracy --report` writes this page
from the last results. Every forecast is that of the serving engine: what a worker would have
published, but for a last digit that a model's sums may owe to what else was in its batch. They are
from every origin of the test part, none dropped.
"""

FITTED: Final = """\
## Fitted for the data

    scripts/bench accuracy --only etth1-96

Recipes under `training/recipes/published`, fitted anew for each seed; medians over the seeds, the
longest fit. ETT: 8,640 rows train, 2,880 validate, 2,880 test (ETTm1: four times that), MSE and
MAE of values standardised by the training rows, averaged over the 7 channels. M4 Hourly: 48 steps
of 414 series, OWA as the competition has it, seasonality 24. "At most" is what we ask of ourselves.

Published, MSE/MAE or OWA, by their authors: PatchTST (Nie et al., ICLR 2023), SegRNN (Lin et al.,
2023, context 720), DUET (Qiu et al., KDD 2025); the M4 competition's official scores (Makridakis et
al., 2020; Mcompetitions/M4-methods). Theirs are not run here.
"""

ZERO_SHOT: Final = """\
## Zero-shot

    scripts/bench accuracy --only zero-shot

The shipped general models, which were trained on synthetic series only, 24 steps ahead. MASE is by
the training part, seasonality 24. ETS and Theta are statsforecast's, fitted anew at each origin to
the 40 seasons before it, all of an M4 series; a seed draws the answers at which they are, and the
second MASE of the models is that of the same answers. On ETTh1 these are few of 20,000, and another
draw would move the margin by some per cent. "ETS" chooses its form by AICc; where it chooses no
season, ETS(A,Ad,A), a damped trend and a season, is the harder one to beat.
"""

OWN: Final = """\
## On data of your own

    python -m training evaluate onnx_models/general-gru/1 load.csv --first 8640 --fitted 100

says the same of any CSV or Parquet file with a time column: MASE and the other measures in JSON,
beside naive, seasonal naive, drift and Naive2 at every origin from row 8,640 on, and beside ETS and
Theta at 100 of the answers; `--html scores.html` writes a report. The rows before `--first` scale
the errors. The step is found in the file, whatever it is; the season follows from it, a day, or a
week of daily data, and `--seasonality` says another. A file with a column a series is read as it
is; `--layout long` reads `series_id,timestamp` and a column of values.
"""


def write(contests: Contests, page: Path = PAGE) -> None:
    """Write the page, and the picture beside it. Raises BenchError without results."""
    contests = {name: contests[name] for name in NAMES if name in contests}
    if not contests:
        raise BenchError("no results; run `scripts/bench accuracy` first")
    rows = [row for found in contests.values() for row in found.rows]
    fitted = [row for row in rows if row.contest != NAME]
    tried = [row for row in rows if row.contest == NAME]
    parts = [HEAD]
    if fitted:
        parts += [FITTED, markdown(fitted_table(fitted))]
    if tried:
        folder = page.parent / PICTURES
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PICTURE).write_text(draw([bars(tried)]), encoding="utf-8")
        picture = f"![MASE zero-shot, beside the baselines]({PICTURES}/{PICTURE})\n"
        parts += [ZERO_SHOT, markdown(zero_shot_table(tried)), picture]
    page.write_text("\n".join([*parts, OWN, _foot(contests)]), encoding="utf-8")


def bars(rows: Sequence[Row]) -> Bars:
    """MASE at the drawn answers: a label for each data set, a colour for each forecaster."""
    drawn = [row for row in rows if row.answers is not None and row.model not in LEFT_OUT]
    drawn.sort(key=lambda row: row.seed is None)  # the models, then what they are beside
    groups = {
        model: [spread([row.mase or 0]) for row in drawn if row.model == model]
        for model in dict.fromkeys(row.model for row in drawn)
    }
    labels = list(dict.fromkeys(row.data for row in drawn))
    return Bars("MASE at the drawn answers", labels, groups, log=False)


def _foot(contests: Contests) -> str:
    """Where and when each was run, and what was not."""
    where = {
        name: f"- {name}: {found.conditions.machine}; load before the start "
        f"{found.conditions.load:g}; {found.conditions.date}"
        for name, found in contests.items()
    }
    versions = {
        f"{name} {version}"
        for found in contests.values()
        for name, version in found.conditions.versions.items()
    }
    lacking = [name for name in NAMES if name not in contests]
    return "\n".join(
        [
            "## Where and when\n",
            *where.values(),
            f"- {', '.join(sorted(versions))}",
            *([f"- not run: {', '.join(lacking)}"] if lacking else []),
            "",
        ]
    )
