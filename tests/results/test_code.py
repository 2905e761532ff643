"""What becomes older when a file of the package changes: trainings, scores, features, tables, figures, slides."""

from __future__ import annotations

import ast
import functools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.results import TINY
from support.stages import all_but, states

from vitflow import cli
from vitflow.results import code, ledger
from vitflow.results.code import FEATURES, SCORING, TRAINING, source_digest
from vitflow.results.stages import Stage
from vitflow.study.schema import Study

PACKAGE = code.PACKAGE
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
#: what the bits of a training follow from
DECIDING = {name for name in FILES if name.startswith(("models/", "training/"))} | {
    "data/canonical.py",
    "data/shares.py",
    "data/splits.py",
    "study/tokens.py",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("copy") / "vitflow"
    return shutil.copytree(PACKAGE, where, ignore=shutil.ignore_patterns("__pycache__"))


#: what is spelled of a file with that text: each is parsed once for all tests here
SPELLED = functools.cache(lambda file, text, spell=code._code: spell(file))


@pytest.fixture
def package(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package; the digests are of this one."""
    monkeypatch.setattr(code, "PACKAGE", copy)
    monkeypatch.setattr(code, "_code", lambda file: SPELLED(file, file.read_text()))
    source_digest.cache_clear()
    yield copy
    source_digest.cache_clear()


@contextmanager
def changed(file: Path) -> Iterator[None]:
    """With a statement more, or a style, for as long as this lasts."""
    text = file.read_text()
    file.write_text(text + ("\nADDED = 1\n" if file.suffix == ".py" else "\np {color: red}\n"))
    source_digest.cache_clear()
    try:
        yield
    finally:
        file.write_text(text)
        source_digest.cache_clear()


def digests() -> dict[str, str]:
    rooms = {"training": TRAINING, "scores": SCORING, "features": FEATURES}
    return {name: source_digest(*named) for name, named in rooms.items()}


def older(file: Path) -> set[str]:
    """What a change of that file makes older."""
    before = digests()
    with changed(file):
        return {name for name, digest in digests().items() if digest != before[name]}


# ------------------------------------------------------------------------------------- a file of each kind


@pytest.mark.parametrize(
    ("expected", "files"),
    [
        ("training scores features", "models/attention.py models/resnet.py models/build.py models/__init__.py"),
        ("training scores", "training/batches.py training/optimizer.py training/loop.py training/trainer.py"),
        ("training scores", "training/augmentation/mixing.py training/augmentation/augment.py training/predict.py"),
        ("training scores", "data/canonical.py data/shares.py data/splits.py"),
        ("training scores features", "study/tokens.py"),
        ("scores", "measuring/scores.py measuring/inspection/shifts.py measuring/inspection/inspect.py"),
        ("features", "measuring/features.py measuring/attention_maps.py"),
        ("scores features", "measuring/intermediates.py"),
        ("", "measuring/cost.py measuring/estimate.py"),
        ("", "data/folder.py data/official.py data/sources.py data/raw.py data/places.py"),
        ("", "data/prepare.py data/manifest.py"),
        ("", "study/training.py study/models.py study/dataset.py study/schema.py study/reading.py"),
        ("", "machine/files.py machine/memory.py machine/device.py machine/gpu.py"),
        (
            "",
            "analysis/runs.py analysis/claims/effects.py figures/axis.py figures/style.py slides/html.py",
        ),
        ("", "results/code.py results/ledger.py commands/train.py commands/evaluate.py cli.py __init__.py __main__.py"),
    ],
)
def test_a_change_makes_older_what_follows_from_it(package: Path, expected: str, files: str) -> None:
    for name in files.split():
        assert older(package / name) == {*expected.split()}, name


def test_of_all_files_of_the_package_these_decide_and_no_others(package: Path) -> None:
    made = {name: older(package / name) for name in FILES}
    assert {name for name in FILES if "training" in made[name]} == DECIDING
    assert {name for name in FILES if "scores" in made[name]} == DECIDING | {
        *(name for name in FILES if name.startswith("measuring/inspection/")),
        "measuring/scores.py",
        "measuring/intermediates.py",
    }
    assert {name for name in FILES if "features" in made[name]} == {
        *(name for name in DECIDING if name.startswith("models/")),
        "study/tokens.py",
        "measuring/features.py",
        "measuring/attention_maps.py",
        "measuring/intermediates.py",
    }


# --------------------------------------------------------------------------------------- the real commands


WANTS = "for which `vitflow record` wants --accept-older-code:"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        *((name, "{train}: made by older code") for name in ("models/position.py", "training/optimizer.py")),
        *((name, "{train}: made by older code") for name in ("data/splits.py", "training/augmentation/trivial.py")),
        ("measuring/scores.py", "{metrics}: computed by older code"),
        *((name, "") for name in ("data/folder.py", "data/official.py", "data/sources.py", "data/prepare.py")),
        *((name, "") for name in ("study/training.py", "machine/gpu.py", "measuring/cost.py", "commands/train.py")),
    ],
)
def test_status_names_results_of_older_code(
    complete: Study, package: Path, capsys: pytest.CaptureFixture[str], file: str, told: str
) -> None:
    shutil.copy(TINY, "config.yaml")
    with changed(package / file):
        assert cli.main(["status"]) == 0
    jobs = ledger.all_jobs(complete)
    named = [f"  {told.format(train=job.paths.train, metrics=job.paths.metrics)}" for job in jobs]
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "older code" in line] == (
        [f"{len(jobs)} results of older code, {WANTS}", *named] if told else []
    )


@pytest.mark.parametrize(
    ("expected", "files"),
    [
        ("summary best", "analysis/runs.py analysis/records/summary.py analysis/intervals.py commands/analyse.py"),
        ("summary best figures slides", "analysis/claims/effects.py"),
        ("summary best slides", "analysis/techniques.py"),
        ("figures", "figures/axis.py figures/style.py figures/draw.py"),
        ("slides", "slides/html.py slides/deck.css slides/deck.js"),
        ("slides explore", "slides/filters.py"),
        ("explore", "explore/view.py explore/page.html explore/explore.css explore/explore.js"),
        ("", "models/attention.py training/loop.py data/folder.py study/schema.py machine/files.py measuring/cost.py"),
        ("", "results/stages.py results/audit.py commands/figures.py commands/slides.py cli.py"),
    ],
)
def test_a_change_has_made_again_what_it_made(made: dict[str, Stage], package: Path, expected: str, files: str) -> None:
    for name in files.split():
        with changed(package / name):
            assert states(made) == all_but(**dict.fromkeys(expected.split(), "outdated")), name


# ------------------------------------------------------------------------------------ what training imports

#: what training imports beside the files that decide, and why a change of it makes no result older
BESIDE = {
    "__init__.py": "the version, which provenance names",
    "study/": "what it asks for is told by the digest of the configuration",
    "machine/__init__.py": "no code",
    "machine/files.py": "how files are written; what is in them comes from training",
    "machine/memory.py": "where freed memory goes",
    "data/__init__.py": "no code",
    "data/places.py": "where images lie",
    "data/raw.py": "names of what a source gives",
}


def modules(name: str) -> set[str]:
    """The files that an import of ``vitflow.<name>`` runs: its packages', and its own where it is a module."""
    parts = name.split(".")[1:]
    found = [*(Path(*parts[:depth], "__init__.py") for depth in range(len(parts) + 1))]
    found += [Path(*parts).with_suffix(".py")] if parts else []
    return {file.as_posix() for file in found if (PACKAGE / file).exists()}


def imported(file: str) -> set[str]:
    """The files of the package that a file imports, wherever in it that stands."""
    names: list[str] = []
    for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{file}: relative imports are not followed here"
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {file for name in names if name.split(".")[0] == "vitflow" for file in modules(name)}


def test_what_training_imports_decides_or_is_known_not_to() -> None:
    found, follow = set[str](), {"training/loop.py"}
    while follow:
        found |= follow
        follow = {file for name in follow for file in imported(name)} - found
    assert {"training/augmentation/mixing.py", "models/attention.py", "data/splits.py"} <= found
    beside = found - DECIDING
    excused = {name: next(filter(name.startswith, BESIDE), None) for name in beside - BESIDE.keys()}
    unknown = sorted(name for name, place in excused.items() if place is None or not place.endswith("/"))
    assert not unknown, f"does it decide over bits? {unknown}"
    assert {*excused.values(), *(beside & BESIDE.keys())} == BESIDE.keys(), "nothing is excused in vain"
    docstrings = [name for name, reason in BESIDE.items() if reason == "no code"]
    assert all(code._code(PACKAGE / name) == "Module()" for name in docstrings)
