"""Hand results to DVC: `vitflow record`.

Snakemake owns the order of work, DVC the versions. Weights, feature arrays and prepared images get a ``.dvc``
file each, so that a study may be recorded piece by piece, here and elsewhere, and two branches merge. Its
``meta.sha256`` is the digest that ``train.json`` (or a manifest) states: DVC's own md5 says which bytes it keeps,
this one which result they belong to. Everything small is kept by git; the study's ``dvc.yaml`` lists it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from vitflow.data.manifest import check_prepared
from vitflow.data.raw import DataError
from vitflow.machine.files import write_text
from vitflow.results.audit import Audit, audit
from vitflow.results.dvc import RecordError, dvc, listed, needs_repository, note_digest, stated_digest
from vitflow.results.layout import Layout
from vitflow.study.grid import expand
from vitflow.study.names import counted
from vitflow.study.schema import Study

#: the text of every dvc.yaml, the root's too
PIPELINE = Path("workflow/dvc.yaml.j2")


def record(
    study: Study, config: Path, say: Callable[[str], None], *, accept_older: bool = False, weights_only: bool = False
) -> None:
    """Verify all results, hand weights, arrays and images to DVC, and call the pipeline reproduced if it is.

    ``weights_only`` leaves dvc.lock to DVC: it is for use inside the pipeline. ``say`` gets a line for each thing
    done. Raises RecordError, with nothing changed, where a result is not what the configuration says, or where
    one is of older code and ``accept_older`` is not set.
    """
    home = Layout(study.study)
    needs_repository(home.root)
    found = audit(study)
    for line in source_changes(study):
        say(line)
    if found.problems:
        raise RecordError(listed("nothing is recorded: not what the configuration says:", found.problems))
    if found.older:
        if not accept_older and not weights_only:
            heading = "nothing is recorded: results of older code; train them again, or say --accept-older-code:"
            raise RecordError(listed(heading, found.older))
        say(listed(f"{counted(len(found.older), 'result')} of older code:", found.older))

    new = unrecorded(found)
    if new:
        dvc("add", *new)
        for path in new:
            note_digest(path, found.verified[path])
    say(f"{counted(len(new), 'file')} handed to DVC, {len(found.verified) - len(new)} there already")
    for line in left_over(found):
        say(line)
    if weights_only:
        return
    pipeline = pipeline_of(study, config)
    if not pipeline.exists():
        write_text(pipeline, _pipeline(study, config))
        say(f"{pipeline}: written")
    if found.complete:
        dvc("commit", "--force", pipeline)
        say(f"{pipeline.with_suffix('.lock')}: the study is recorded as reproduced")
    else:
        say(f"{pipeline.with_suffix('.lock')}: left as it is, the study is not complete")
    say(f"now: git add {' '.join(_kept_by_git(home.root, pipeline))}, git commit, dvc push")


def forecast(study: Study, found: Audit) -> list[str]:
    """What `vitflow record` would do, and what it would refuse."""
    lines, refused = source_changes(study), ""
    try:
        needs_repository(Layout(study.study).root)
    except RecordError as problem:
        refused = f"`vitflow record` would refuse: {problem}"
        lines.append(refused)
    if found.problems:
        heading = "`vitflow record` would refuse: not what the configuration says:"
        return [*lines, listed(heading, found.problems), *left_over(found)]
    if found.older:
        older = counted(len(found.older), "result")
        heading = f"{older} of older code, for which `vitflow record` wants --accept-older-code:"
        lines.append(listed(heading, found.older))
    new = unrecorded(found)
    if new and not refused:
        lines.append(f"`vitflow record` would hand {len(new)} of {len(found.verified)} verified files to DVC")
    elif found.verified and not new:
        lines.append(f"DVC keeps what is here ({counted(len(found.verified), 'file')})")
    if found.elsewhere:
        kept = sum(stated_digest(path) == digest for path, digest in found.elsewhere.items())
        advice = f"`vitflow restore` gets {kept}, which DVC keeps" if kept else "DVC keeps none of them"
        lines.append(f"{counted(len(found.elsewhere), 'file')} elsewhere ({advice})")
    return lines + left_over(found)


def source_changes(study: Study) -> list[str]:
    """That the images are no longer what they were prepared from: results are of the prepared ones, as recorded."""
    try:
        check_prepared(expand(study).datasets)
    except DataError as problem:
        return [str(problem)]
    return []


def unrecorded(found: Audit) -> list[Path]:
    """Verified files of which DVC does not keep this version."""
    return [path for path, digest in found.verified.items() if stated_digest(path) != digest]


def left_over(found: Audit) -> list[str]:
    lines = []
    if found.waiting:
        first = found.waiting[0]
        more = ", ..." if len(found.waiting) > 1 else ""
        lines.append(f"not finished: {counted(len(found.waiting), 'training')} ({first.run} seed {first.seed}{more})")
    elif found.outdated:
        lines.append(f"to be made, or made again: {', '.join(found.outdated)} (`snakemake`)")
    return lines


def pipeline_of(study: Study, config: Path) -> Path:
    """The dvc.yaml of a study: the root's for config.yaml, else one beside its results."""
    if config.resolve() == Path("config.yaml").resolve():
        return Path("dvc.yaml")
    return Layout(study.study).root / "dvc.yaml"


def _kept_by_git(root: Path, pipeline: Path) -> list[str]:
    # git adds nothing at all where one of the paths is not there
    places = (Path("data"), root, pipeline, pipeline.with_suffix(".lock"))
    return [str(path) for path in places if path.exists() and root not in path.parents]


def _pipeline(study: Study, config: Path) -> str:
    """The text of a study's dvc.yaml."""
    from jinja2 import StrictUndefined, Template

    template = Template(PIPELINE.read_text(encoding="utf-8"), undefined=StrictUndefined, keep_trailing_newline=True)
    folder = pipeline_of(study, config).parent
    root = folder == Path()
    return template.render(
        config=config.as_posix(),
        up="" if root else f"{os.path.relpath('.', folder)}/",
        here="results/${study}/" if root else "",
        configfile="" if root else f" --configfile {config.as_posix()}",
        option="" if root else f" --config {config.as_posix()}",
    )
