"""File times of stages: newer than what they read where they are current, older where they are not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from support.files import append, edit, newer, seal_anew, set_time
from support.results import HOME
from support.stages import NAMES, states

from vitflow.results import ledger
from vitflow.results.stages import Stage, stages
from vitflow.results.times import settle_stages
from vitflow.study.schema import Study


def shuffle(seed: str) -> None:
    """Times as git, DVC, archives and clocks may set them: some equal, some in the future."""
    draw = random.Random(seed)
    for path in (*Path("results").rglob("*"), *Path("workflow").rglob("*")):
        set_time(path, draw.choice([1_000_000_000, 1_700_000_000, 4_000_000_000]) + draw.randrange(5))


def times() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file()}


def contents() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


#: what may have happened to a stage
HAPPENINGS: dict[str, Callable[[Stage], object]] = {
    "nothing": lambda stage: None,
    "an output edited": lambda stage: append(stage.outputs[0]),
    "an output lost": lambda stage: stage.outputs[-1].unlink(),
    "an input changed": lambda stage: append(stage.inputs[0]),
    "the record lost": lambda stage: stage.record.unlink(),
    "the record edited": lambda stage: edit(stage.record, digest="0" * 64),
    "made by other code": lambda stage: seal_anew(stage.record, code="other"),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("name", NAMES)
def test_settling_makes_what_is_current_newer_and_what_is_outdated_older(
    made: dict[str, Stage], name: str, happening: str
) -> None:
    HAPPENINGS[happening](made[name])
    shuffle(f"{happening} to {name}")
    before, said, old = states(made), contents(), times()
    settle_stages(made.values())
    assert states(made) == before and contents() == said, "only times are set"
    again = {path for stage in made.values() if stage.state == "outdated" for path in stage.outputs}
    for stage in made.values():
        inputs = [path for path in stage.inputs if path.exists()]
        outputs = [path for path in stage.outputs if path.exists()]
        if before[stage.name] in ("current", "edited"):  # what somebody edited is not to be made again
            assert all(newer(output, path) for output in outputs for path in inputs), stage.name
        if before[stage.name] == "outdated":
            # of two stages in a row that are outdated, Snakemake makes the second again because of the first
            assert all(newer(path, output) for output in outputs for path in inputs if path not in again), stage.name
            assert not any(newer(output, path) for output in outputs for path in inputs), stage.name
    moved = {path for path, time in times().items() if time != old[path]}
    assert moved <= {path for stage in made.values() for path in stage.outputs}, "inputs and records keep theirs"
    settled = times()
    settle_stages(made.values())
    assert times() == settled, "settling twice moves nothing"


def test_what_is_outdated_is_older_than_inputs_of_any_age(made: dict[str, Stage]) -> None:
    append(made["features"].inputs[0])
    for path in made["features"].inputs:
        set_time(path, 0)  # as in reproducible archives and images
    settle_stages(made.values())
    assert not any(newer(output, path) for output in made["features"].outputs for path in made["features"].inputs)


def test_settling_a_study_without_results_does_nothing(study: Study, tmp_path: Path) -> None:
    settle_stages(stages(study).values())
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_study_become_old(study: Study, made: dict[str, Stage]) -> None:
    summary = HOME.analysis / "summary.json"
    settle_stages(made.values())
    scores = HOME.seed("baseline", 0).metrics
    assert newer(summary, scores)
    settle_stages(stages(study.model_copy(update={"title": "Another"})).values())
    assert newer(scores, summary)
    settle_stages(made.values())
    assert newer(summary, scores), "and back again"


def test_what_features_say_follows_the_features_they_were_made_from(made: dict[str, Stage]) -> None:
    manifests = [HOME.features / "baseline.json", HOME.features / "resnet18-width=4.json"]
    assert set(made["features"].inputs) == set(manifests)
    (said,) = made["features"].outputs
    set_time(said, 1_700_000_000)
    settle_stages(made.values())
    assert all(newer(said, manifest) for manifest in manifests)
    append(manifests[1])
    settle_stages(made.values())
    assert all(newer(manifest, said) for manifest in manifests)


def test_a_selection_follows_the_scores_it_was_made_from(study: Study, made: dict[str, Stage]) -> None:
    scores = [job.paths.metrics for job in ledger.jobs(study)]
    set_time(HOME.selection, 1_000)
    settle_stages(made.values())
    assert all(newer(HOME.selection, path) for path in scores)
    append(scores[-1])
    settle_stages(made.values())
    assert all(newer(path, HOME.selection) for path in scores)
