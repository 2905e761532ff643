"""Finalists whose results are made up: chosen by the real rule from a made-up summary, confirmed by the real one."""

from __future__ import annotations

import numpy as np

from support.analysis.studies import TECHNIQUES
from support.analysis.summary import cost_of, world_of
from vitflow.analysis.confirmation import confirm
from vitflow.analysis.records import Confirmed, Finalist, Summary, Winners
from vitflow.analysis.runs import spread
from vitflow.analysis.selection import select
from vitflow.study.grid import BASELINE
from vitflow.study.schema import Study

FRESH_SEED = 100


def made_up_winners(study: Study, summary: Summary, generator: np.random.Generator) -> Winners:
    """The finalists of a study that has a section ``best``."""
    validation = {name: run.validation.values for name, run in summary.runs.items()}
    chosen = select(study, validation, lambda config: cost_of(study, config.model).multiplications)
    runs = {one.run: _confirmed(study, one, generator) for one in chosen.finalists}
    return confirm(chosen, runs, TECHNIQUES, study.equivalence_margin)


def _confirmed(study: Study, finalist: Finalist, generator: np.random.Generator) -> Confirmed:
    assert study.best is not None
    config, n = study.resolve(finalist.changes), study.best.seeds
    accuracy, _ = world_of(config, study.baseline_run)
    cost = cost_of(study, config.model)
    accuracy = min(accuracy, 95.0) + (0.7 if finalist.all_images else 0.0)
    return Confirmed(
        label=TECHNIQUES.run_label(BASELINE, config, study.baseline_run),
        seeds=tuple(range(FRESH_SEED, FRESH_SEED + n)),
        n=n,
        diverged=0,
        validation=spread([] if finalist.all_images else generator.normal(accuracy + 0.3, 0.3, n).tolist()),
        test=spread(generator.normal(accuracy, 0.25, n).tolist()),
        parameters=cost.parameters,
        multiplications=cost.multiplications,
    )
