"""Hand results to DVC, and get them back: `vitflow record` and `vitflow restore`.

Snakemake owns the order of work, DVC the versions. Weights, feature arrays and prepared images get a ``.dvc``
file each, so that a study may be recorded piece by piece, here and elsewhere, and two branches merge. Its
``meta.sha256`` is the digest that ``train.json`` (or a manifest) states: DVC's own md5 says which bytes it keeps,
this one which result they belong to. Everything small is kept by git; the study's ``dvc.yaml`` lists it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from vitflow.audit import Audit, audit
from vitflow.config import Study
from vitflow.files import sha256, write_text
from vitflow.layout import Layout

SHOWN = 8  # names in a message before it only counts

#: the text of every dvc.yaml, the root's too
PIPELINE = Path("workflow/dvc.yaml.j2")


class RecordError(RuntimeError):
    """Results cannot be recorded or restored; the message names the files and says what to do."""


def record(
    study: Study, config: Path, say: Callable[[str], None], *, accept_older: bool = False, weights_only: bool = False
) -> None:
    """Verify all results, hand weights, arrays and images to DVC, and call the pipeline reproduced if it is.

    ``weights_only`` leaves dvc.lock to DVC: it is for use inside the pipeline. ``say`` gets a line for each thing
    done. Raises RecordError, with nothing changed, where a result is not what the configuration says, or where
    one is of older code and ``accept_older`` is not set.
    """
    home = Layout(study.study)
    _needs_repository(home.root)
    found = audit(study)
    if found.problems:
        raise RecordError(_listed("nothing is recorded: not what the configuration says:", found.problems))
    if found.older:
        if not accept_older and not weights_only:
            heading = "nothing is recorded: results of older code; train them again, or say --accept-older-code:"
            raise RecordError(_listed(heading, found.older))
        say(_listed(f"{len(found.older)} results are of older code:", found.older))

    new = unrecorded(found)
    if new:
        _dvc("add", "--quiet", *new)
        for path in new:
            _state(path, found.verified[path])
    say(f"{len(new)} files handed to DVC, {len(found.verified) - len(new)} there already")
    for line in _left(found):
        say(line)
    if weights_only:
        return
    pipeline = pipeline_of(study, config)
    if not pipeline.exists():
        write_text(pipeline, _pipeline(study, config))
        say(f"{pipeline}: written")
    if found.complete:
        _dvc("commit", "--quiet", "--force", pipeline)
        say(f"{pipeline.with_suffix('.lock')}: the study is recorded as reproduced")
    else:
        say(f"{pipeline.with_suffix('.lock')}: left as it is, the study is not complete")
    say(f"now: git add {' '.join(_kept_by_git(home.root, pipeline))}, git commit, dvc push")


def restore(study: Study, say: Callable[[str], None]) -> None:
    """Get weights, arrays and images that DVC keeps, as far as they can be had, and verify them.

    What is here and right is not touched. Raises RecordError naming what came damaged (it is taken away again),
    and whatever else is not what the configuration says.
    """
    _needs_repository(Layout(study.study).root)
    found = audit(study)
    missing = found.elsewhere | found.foreign
    problems: list[str] = []
    targets: list[Path] = []
    for path, digest in missing.items():
        stated = stated_digest(path)
        if stated == digest:
            targets.append(path)
        elif stated is not None:
            problems.append(
                f"{_pointer(path)}: keeps other bytes than this result; run `vitflow record` where they are"
            )
    if targets:
        problems += _fetch(targets, missing, say)
    after = audit(study)
    say(f"{sum(path in after.verified for path in targets)} files restored, {len(after.verified)} verified")
    if after.elsewhere:
        say(_listed(f"{len(after.elsewhere)} are elsewhere; figures and slides need none of them:", after.elsewhere))
    told = {problem.split(": ")[0] for problem in problems}  # by file
    problems += [problem for problem in after.problems if problem.split(": ")[0] not in told]
    if problems:
        raise RecordError(_listed("not everything is what the configuration says:", problems))
    for line in _left(after):
        say(line)


def forecast(found: Audit) -> list[str]:
    """What `vitflow record` would do, and what it would refuse."""
    if found.problems:
        return [
            _listed("`vitflow record` would refuse: not what the configuration says:", found.problems),
            *_left(found),
        ]
    lines = [_listed(f"{len(found.older)} results are of older code:", found.older)] if found.older else []
    new = unrecorded(found)
    if new:
        lines.append(f"`vitflow record` would hand {len(new)} of {len(found.verified)} verified files to DVC")
    elif found.verified:
        lines.append(f"DVC keeps all {len(found.verified)} files that are here")
    if found.elsewhere:
        lines.append(f"{len(found.elsewhere)} files are elsewhere (`vitflow restore` gets what DVC keeps)")
    return lines + _left(found)


def unrecorded(found: Audit) -> list[Path]:
    """Verified files of which DVC does not keep this version."""
    return [path for path, digest in found.verified.items() if stated_digest(path) != digest]


def stated_digest(path: Path) -> str | None:
    """sha256 of the version of ``path`` that DVC keeps; None if it keeps none."""
    pointer = _read_pointer(path)
    return pointer.get("meta", {}).get("sha256") if pointer else None


def pipeline_of(study: Study, config: Path) -> Path:
    """The dvc.yaml of a study: the root's for config.yaml, else one beside its results."""
    if config.resolve() == Path("config.yaml").resolve():
        return Path("dvc.yaml")
    return Layout(study.study).root / "dvc.yaml"


# ------------------------------------------------------------------------------------------------ parts


def _fetch(targets: list[Path], digests: dict[Path, str], say: Callable[[str], None]) -> list[str]:
    """Get ``targets`` from the cache, and before that from the default remote; what came damaged is taken away."""
    if _dvc("config", "core.remote", check=False):
        # what the remote lacks is told below, by name
        pointers = [str(_pointer(path)) for path in targets]
        subprocess.run([*DVC, "fetch", *pointers], stdin=subprocess.DEVNULL, check=False)
    else:
        say("no DVC remote is set (`dvc remote add --default NAME URL`); taking what this machine's cache has")
    unsaved = _check_out(targets)
    problems = [
        f"{path}: other bytes than this result's, and DVC keeps them nowhere; move it away, or delete it, and restore"
        for path in unsaved
    ]
    for path in targets:
        if path not in unsaved and path.exists() and sha256(path) != digests[path]:
            md5 = (_read_pointer(path) or {})["outs"][0]["md5"]
            path.unlink()
            problems.append(
                f"{path}: DVC's copy is damaged; delete files/md5/{md5[:2]}/{md5[2:]} in .dvc/cache (and in the "
                f"remote, if it is damaged there) and restore again, or train the run again"
            )
    return problems


def _check_out(targets: list[Path]) -> list[Path]:
    """Put DVC's versions in place; returns those left alone, for DVC does not keep the bytes that stand there."""
    pointers = [_pointer(path) for path in targets]
    try:
        _dvc("checkout", "--quiet", "--allow-missing", *pointers)
        return []
    except RecordError:  # one of them is enough, and DVC checks out none
        pass
    unsaved = []
    for path, pointer in zip(targets, pointers, strict=True):
        try:
            _dvc("checkout", "--allow-missing", pointer)  # not --quiet, which hides the reason
        except RecordError as error:
            if "unsaved" not in str(error):
                raise
            unsaved.append(path)
    return unsaved


def _left(found: Audit) -> list[str]:
    lines = []
    if found.waiting:
        first = found.waiting[0]
        more = ", ..." if len(found.waiting) > 1 else ""
        lines.append(f"{len(found.waiting)} runs are not finished ({first.run} seed {first.seed}{more})")
    elif found.outdated:
        lines.append(f"to be made, or made again: {', '.join(found.outdated)} (`snakemake`)")
    return lines


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


def _pointer(path: Path) -> Path:
    return path.with_name(f"{path.name}.dvc")


def _read_pointer(path: Path) -> dict[str, Any] | None:
    pointer = _pointer(path)
    if not pointer.exists():
        return None
    try:
        content = yaml.safe_load(pointer.read_text(encoding="utf-8"))
        return content if isinstance(content["outs"][0]["md5"], str) else None
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        raise RecordError(f"{pointer}: damaged; get it back with `git checkout -- {pointer}`") from None


def _state(path: Path, digest: str) -> None:
    """Note in the .dvc file which result its bytes belong to; DVC leaves ``meta`` alone."""
    content = _read_pointer(path)
    write_text(_pointer(path), yaml.safe_dump({**(content or {}), "meta": {"sha256": digest}}, sort_keys=False))


def _listed(heading: str, items: Sequence[object] | dict[Path, str]) -> str:
    lines = [f"  {item}" for item in list(items)[:SHOWN]]
    if len(items) > SHOWN:
        lines.append(f"  and {len(items) - SHOWN} more")
    return "\n".join([heading, *lines])


DVC = (sys.executable, "-m", "dvc")


def _dvc(*words: str | Path, check: bool = True) -> str:
    """Run DVC; its output. Raises RecordError with DVC's own words if it fails."""
    done = subprocess.run([*DVC, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode:
        told = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("<")]
        raise RecordError(f"dvc {words[0]} failed: " + "\n  ".join(line.removeprefix("ERROR: ") for line in told))
    return done.stdout.strip()


def _needs_repository(root: Path) -> None:
    if not Path(".dvc/config").exists():
        raise RecordError("no DVC repository here: run `dvc init` (and `git init` before it) in the project's folder")
    ignored = subprocess.run(["git", "check-ignore", "--quiet", root / "dvc.yaml"], capture_output=True)
    if ignored.returncode == 0:
        raise RecordError(f"{root}: git ignores this folder, so its results cannot be kept; take it out of .gitignore")
    if ignored.returncode != 1:
        raise RecordError("no git repository here: run `git init` in the project's folder")
