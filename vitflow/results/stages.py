"""What is made from all runs at once: tables, winners, what features say, figures, slides, page.

Each stage leaves a record in ``results/<study>/provenance/<stage>.json``: digests of what it read, of what it
made and of its code. A stage is *current* while those hold, whatever the file times say; the Snakefile makes the
times agree (:mod:`vitflow.results.times`), so that a clone plans exactly what has changed. No torch, no drawing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitflow.analysis.techniques import TECHNIQUES, notes_of, read_techniques
from vitflow.data import places
from vitflow.figures.draw import FORMATS, names
from vitflow.machine.files import FileProblem, read_json, sha256, sha256_text
from vitflow.results import ledger
from vitflow.results.code import source_digest
from vitflow.results.layout import Layout
from vitflow.results.provenance import seal, write_sealed
from vitflow.study.grid import expand, feature_runs
from vitflow.study.pretrained import DOWNLOADED, Pretrained
from vitflow.study.schema import Study

#: the text of the talk
TEMPLATE = Path("workflow/slides/slides.md.j2")
#: code of tables
TABLES = ("analysis", "commands/analyse")
State = Literal["current", "edited", "outdated", "missing"]


@dataclass(frozen=True)
class Stage:
    """What one stage reads and makes."""

    name: str
    study: Study
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    rooms: tuple[str, ...] = ()  #: code whose change makes it again
    configuration: str = ""  #: digest of what it reads in the configuration itself, titles for example

    @property
    def record(self) -> Path:
        return Layout(self.study.study).provenance / f"{self.name}.json"

    def seal(self) -> None:
        """Write down what was read and made. Neither date nor commit: the same bytes give the same record."""
        made = {str(path): sha256(path) for path in self.outputs if path.exists()}
        write_sealed(self.record, {**self._read(), "outputs": made})

    @property
    def state(self) -> State:
        """``edited``: made from what is there now, but then changed by somebody."""
        if not any(path.exists() for path in self.outputs):
            return "missing"
        if not self.record.exists():
            return "outdated"
        record = read_json(self.record, "outputs", "digest")
        if any(record.get(key) != value for key, value in self._read().items()):
            return "outdated"
        if not all(path.exists() and str(path) in record["outputs"] for path in self.outputs):
            return "outdated"
        return "edited" if self.edited() else "current"

    def edited(self) -> list[Path]:
        """Outputs that are not what this stage made; the record itself where it was changed."""
        if not self.record.exists():
            return []
        record = read_json(self.record, "outputs", "digest")
        if record["digest"] != seal(record):
            return [self.record]
        made = {Path(path): digest for path, digest in record["outputs"].items()}
        return [path for path in self.outputs if path in made and path.exists() and sha256(path) != made[path]]

    def _read(self) -> dict[str, str]:
        found = [f"{path} {sha256(path) if path.exists() else 'missing'}" for path in self.inputs]
        read = {"inputs": sha256_text("\n".join(found)), "code": source_digest(*self.rooms)}
        return read | ({"configuration": self.configuration} if self.configuration else {})


def stages(study: Study) -> dict[str, Stage]:
    """The stages of a study by name, in their order."""
    home, grid = Layout(study.study), expand(study)
    varied = {field for run in grid.runs.values() for field in run.config.changes_from(study.baseline_run)}
    varied |= {axis for axes in study.ablations.values() for axis in axes}
    named = _named(study)
    shown = sha256_text(f"{ledger.study_digest(study)} {read_techniques(study.study).digest(varied)}{named}")
    jobs = ledger.jobs(study, grid)
    scores = tuple(job.paths.metrics for job in jobs)
    tables = (
        home.grid,
        home.summary,
        *(home.metrics / f"{run}.json" for run in grid.runs),
        *(home.analysis / f"{stem}.json" for stem in ("summary", "confusion", "calibration", "inspection")),
        home.analysis / "curves.csv",
    )
    inside = home.analysis / "features.json"
    wrong = home.analysis / "mistakes.json"
    drawn = tuple(home.figures / f"{stem}.{form}" for stem in names(study) for form in FORMATS)
    drawn += (home.figures / "captions.json",)
    deck = tuple(home.slides / f"deck.{form}" for form in ("md", "html", "pdf", "pptx"))
    found = [
        Stage(
            "summary",
            study,
            (
                *scores,
                *(job.paths.train for job in jobs),
                *(job.paths.history for job in jobs),
                *(home.cost(run) for run in grid.runs),
            ),
            tables,
            rooms=TABLES,
            configuration=shown,
        ),
        # not made again for changed code: in a clone its inputs' arrays are elsewhere
        Stage(
            "features",
            study,
            tuple(home.features / f"{run}.json" for run in feature_runs(study)),
            (inside,),
            configuration=named,
        ),
        # nor this one: the images are elsewhere
        Stage("mistakes", study, scores, (wrong,), configuration=named),
    ]
    probed: tuple[Path, ...] = ()
    if study.pretrained:
        probed = (home.pretrained,)
        # nor this one: the weights are elsewhere
        images = (places.manifest(study.dataset.key),)
        found.append(Stage("pretrained", study, images, probed, configuration=_asked(study, study.pretrained)))
    confirmed: tuple[Path, ...] = ()
    if study.best:
        confirmed = (home.analysis / "best.json", *home.winners)
        fresh = tuple(job.paths.metrics for job in ledger.fresh_jobs(study))
        found += [
            # nor this one: another choice would mean other trainings
            Stage("select", study, scores, (home.selection,), configuration=sha256_text(str(study.best))),
            Stage("best", study, (home.selection, *fresh), confirmed, rooms=TABLES, configuration=shown),
        ]
    found += [
        Stage(
            "figures",
            study,
            (*tables[-5:], inside, *confirmed[:1]),
            drawn,
            rooms=("figures", "analysis/claims", "analysis/confirmation"),
        ),
        Stage(
            "slides",
            study,
            (
                *(home.analysis / f"{stem}.json" for stem in ("summary", "inspection", "features")),
                *confirmed[:1],
                *probed,
                *drawn,
                *talk(study.study),
            ),
            deck,
            rooms=("slides", "analysis/claims", "analysis/techniques"),
        ),
        Stage(
            "explore",
            study,
            (home.analysis / "summary.json", home.analysis / "curves.csv", inside, wrong),
            (home.slides / "explore.html",),
            rooms=("explore", "slides/filters"),
            configuration=sha256_text(" ".join(run.config.digest for run in grid.runs.values())),
        ),
    ]
    return {stage.name: stage for stage in found}


def check_inputs(study: Study, name: str) -> None:
    """Raise FileProblem where what a stage is about to read was edited, or damaged, since another stage made it."""
    found = stages(study)
    read = {*found[name].inputs}
    for stage in found.values():
        if read.isdisjoint(stage.outputs):
            continue
        for path in stage.edited():
            if path in read or path == stage.record:
                raise FileProblem(
                    f"{path}: edited or damaged after it was made; get it back (`git checkout -- {path}`), or "
                    f"delete it and have it made again (`snakemake {name}`)"
                )


def _named(study: Study) -> str:
    """Digest of the names of a folder's classes, which may change where its images do not; '' where names are known."""
    manifest = places.manifest(study.dataset.key)
    if study.dataset.name != "folder" or not manifest.exists():
        return ""
    return sha256_text(str(read_json(manifest, "classes")["classes"]))


def _asked(study: Study, pretrained: Pretrained) -> str:
    """Digest of the splits, the number of images, and the weights: of a file that is elsewhere, those of the record."""
    dataset = study.dataset.model_dump_json(exclude={"path", "title"}, exclude_defaults=True)
    weights = DOWNLOADED
    if pretrained.weights is not None:
        file, record = Path(pretrained.weights).expanduser(), Layout(study.study).pretrained
        try:
            weights = sha256(file) if file.is_file() else read_json(record, "weights_sha256")["weights_sha256"]
        except FileProblem:
            weights = "unknown"
    return sha256_text(f"{dataset} {pretrained.images} {weights[: len(DOWNLOADED)]}")


def talk(study: str) -> tuple[Path, ...]:
    """What people write of the talk: template, techniques and, where there are any, the study's own notes."""
    notes = notes_of(study)
    return (TEMPLATE, TECHNIQUES, *([notes] if notes.exists() else []))
