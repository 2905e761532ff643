"""Whether this is a project's folder, and one whose results git and DVC can keep: asked before anything is made."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from vitflow.data.places import DATA
from vitflow.machine.files import FileProblem
from vitflow.results.layout import RESULTS, Layout

#: what a project's folder has
MARKS = ("Snakefile", "workflow/slides/techniques.yaml")


def check_folder(config: Path) -> None:
    """Raise FileProblem where the current folder is none of a project, and the project is known.

    It is looked for above the current folder, then above ``config``. What is made lies below the current folder, so
    that anywhere else data and results would be littered about.
    """
    here = Path.cwd()
    for place in (here, config.absolute().parent):
        for folder in (place, *place.parents):
            if all((folder / mark).is_file() for mark in MARKS):
                if folder.resolve() != here.resolve():
                    raise FileProblem(f"this is not the project's folder: `cd {folder}` first")
                return


def take_away_log() -> None:
    """Snakemake's log of an attempt in a folder that is none of ours, where it has written nothing else there."""
    folder = Path(".snakemake")
    written = [path for path in folder.rglob("*") if not path.is_dir()]
    if [path.parent for path in written] == [folder / "log"]:
        shutil.rmtree(folder)


def check_name(config: Path, study: str) -> None:
    """Raise FileProblem where results of that name are another study's of the project, or something else."""
    home, root = Layout(study), Layout(study).root
    there = {*root.iterdir()} if root.is_dir() else {root} if root.exists() else set()
    if there and not there & {*_kept(home), home.state, home.cost("").parent}:
        raise FileProblem(f"{config}: study '{study}': {root} is there and is no study's; give it another name")
    files = [Path("config.yaml"), *sorted(Path("workflow/studies").glob("*.yaml"))]
    if config.resolve() not in {file.resolve() for file in files}:
        return
    for file in files:
        if file.exists() and file.resolve() != config.resolve() and _study_of(file) == study:
            raise FileProblem(
                f"{config}: study '{study}' is that of {file} already, and both would have their results in "
                f"{Layout(study).root}; give one another name"
            )


def _study_of(file: Path) -> str:
    """The name that a configuration gives its study, as far as that can be told without reading all of it."""
    found = re.search(r"^study:[ \t]*[\"']?([\w.-]+)", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return found[1] if found else ""


def _kept(home: Layout) -> tuple[Path, ...]:
    """The folders of a study that git or DVC keep."""
    return home.runs, home.checkpoints, home.features, home.metrics, home.analysis, home.figures, home.slides


def check_links(study: str) -> None:
    """Raise FileProblem where results or images are to lie behind a link: git and DVC keep nothing there."""
    home = Layout(study)
    for path in (DATA, RESULTS, home.root, *_kept(home)):
        if path.is_symlink():
            raise FileProblem(
                f"{path}: a link to {path.resolve()}, and git and DVC keep nothing behind a link; have the whole "
                f"project on that disk (`git clone . {path.resolve().parent}/vitflow`), or DVC's cache alone "
                '(docs/dvc.md, "A small disk")'
            )
